"""StoreContract: what every store promises, as tests that a backend runs by subclassing."""

import asyncio
from datetime import timedelta

import pytest

from powauth.stores import Key, Store
from powauth.testing.clock import FrozenClock

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
KEY = Key("session", "ada", "1")
NEIGHBOURS = [Key("session", "ada", "2"), Key("session", "grace", "1"), Key("limit", "ada", "1")]

# What some database somewhere takes for the same as another, for a pattern, or for the end of a text.
LOOK_ALIKES = ["a", "A", "\u00e1", "a\u0301", "a ", " a", "ß", "ss"]
ODD_IDS = [*LOOK_ALIKES, "", "a\x00", "a\x00b", "a:b", "%", "_", "*", "日本", "🔑", "x" * 512]


class StoreContract:
    """Subclass it, override the fixture `store` with an opened, empty store that asks the fixture `clock`."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def clock(self) -> FrozenClock:
        return FrozenClock()

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    # ---- get, put ----

    async def test_a_value_is_there_until_the_very_moment_of_its_expiry(self, store: Store, clock: FrozenClock) -> None:
        expires_at = clock.now() + HOUR
        await store.put(KEY, b"value", expires_at=expires_at)
        clock.move(HOUR - INSTANT)
        entry = await store.get(KEY)
        assert entry is not None
        assert (entry.value, entry.expires_at) == (b"value", expires_at)
        clock.move(INSTANT)
        assert await store.get(KEY) is None

    async def test_a_value_that_expires_in_the_past_is_absent(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() - HOUR)
        assert await store.get(KEY) is None

    async def test_what_was_never_put_is_absent_to_every_verb(self, store: Store, clock: FrozenClock) -> None:
        for key in NEIGHBOURS:
            await store.put(key, b"another", expires_at=clock.now() + HOUR)
        await assert_absent(store, clock)

    async def test_what_is_expired_is_absent_to_every_verb(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        clock.move(HOUR)
        await assert_absent(store, clock)

    async def test_an_expired_value_is_not_taken_deleted_or_replaced(self, store: Store, clock: FrozenClock) -> None:
        keys = [Key("session", "ada", id) for id in ("taken", "deleted", "replaced")]
        for key in keys:
            await store.put(key, b"value", expires_at=clock.now() + HOUR)
        version = await version_of(store, keys[2])
        clock.move(HOUR)
        assert await store.take(keys[0]) is None
        assert not await store.delete(keys[1])
        assert not await store.replace(keys[2], b"new", version=version, expires_at=clock.now() + HOUR)
        assert [await store.get(key) for key in keys] == [None] * 3

    async def test_put_overwrites_value_and_expiry(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"long", expires_at=clock.now() + 2 * HOUR)
        await store.put(KEY, b"short", expires_at=clock.now() + HOUR)
        assert await value_of(store, KEY) == b"short"
        clock.move(HOUR)
        assert await store.get(KEY) is None

    async def test_kind_owner_and_id_each_make_another_key(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"mine", expires_at=clock.now() + HOUR)
        for key in NEIGHBOURS:
            assert await store.add(key, b"another", expires_at=clock.now() + HOUR)
        await store.delete(KEY)
        assert [await value_of(store, key) for key in NEIGHBOURS] == [b"another"] * 3

    async def test_keys_are_compared_code_point_by_code_point(self, store: Store, clock: FrozenClock) -> None:
        for id in ODD_IDS:
            for key in (Key("session", "ada", id), Key("session", id, "1")):
                assert await store.add(key, id.encode(), expires_at=clock.now() + HOUR), repr(key)
        for id in ODD_IDS:
            for key in (Key("session", "ada", id), Key("session", id, "1")):
                assert await value_of(store, key) == id.encode(), repr(key)
        assert {id for id, _ in await store.list("session", "ada")} == set(ODD_IDS)

    @pytest.mark.parametrize("value", [b"", bytes(range(256)), b"\xff" * 2**16], ids=["empty", "binary", "64 KiB"])
    async def test_a_value_comes_back_byte_for_byte(self, store: Store, clock: FrozenClock, value: bytes) -> None:
        await store.put(KEY, value, expires_at=clock.now() + HOUR)
        assert await value_of(store, KEY) == value
        taken = await store.take(KEY)
        assert taken is not None
        assert taken.value == value

    # ---- add, replace ----

    async def test_add_leaves_a_value_that_stands_there(self, store: Store, clock: FrozenClock) -> None:
        assert await store.add(KEY, b"first", expires_at=clock.now() + HOUR)
        before = await store.get(KEY)
        assert not await store.add(KEY, b"second", expires_at=clock.now() + 2 * HOUR)
        assert await store.get(KEY) == before

    async def test_add_stores_after_delete_take_and_expiry(self, store: Store, clock: FrozenClock) -> None:
        await store.add(KEY, b"1", expires_at=clock.now() + HOUR)
        await store.delete(KEY)
        assert await store.add(KEY, b"2", expires_at=clock.now() + HOUR)
        await store.take(KEY)
        assert await store.add(KEY, b"3", expires_at=clock.now() + HOUR)
        clock.move(HOUR)
        assert await store.add(KEY, b"4", expires_at=clock.now() + HOUR)
        assert await value_of(store, KEY) == b"4"

    async def test_replace_stores_over_the_version_that_was_read(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"old", expires_at=clock.now() + HOUR)
        version = await version_of(store, KEY)
        assert await store.replace(KEY, b"new", version=version, expires_at=clock.now() + 2 * HOUR)
        clock.move(HOUR)
        assert await value_of(store, KEY) == b"new"

    async def test_replace_refuses_a_version_that_no_longer_stands(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"old", expires_at=clock.now() + HOUR)
        version = await version_of(store, KEY)
        await store.put(KEY, b"old", expires_at=clock.now() + HOUR)  # the same value is another version
        assert not await store.replace(KEY, b"touched", version=version, expires_at=clock.now() + HOUR)
        assert await value_of(store, KEY) == b"old"

    async def test_replace_revives_nothing(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        version = await version_of(store, KEY)
        await store.delete(KEY)
        assert not await store.replace(KEY, b"touched", version=version, expires_at=clock.now() + HOUR)
        assert await store.get(KEY) is None

    async def test_no_version_is_used_again(self, store: Store, clock: FrozenClock) -> None:
        versions: list[int] = []
        for _ in range(5):
            await store.add(KEY, b"1", expires_at=clock.now() + HOUR)
            versions.append(await version_of(store, KEY))
            await store.increment(KEY, expires_at=clock.now() + HOUR)
            versions.append(await version_of(store, KEY))
            await store.replace(KEY, b"1", version=versions[-1], expires_at=clock.now() + HOUR)
            versions.append(await version_of(store, KEY))
            await store.delete(KEY)
        assert len(set(versions)) == 15

    # ---- take, delete ----

    async def test_what_was_taken_is_gone(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        entry = await store.get(KEY)
        assert await store.take(KEY) == entry
        assert await store.take(KEY) is None
        await assert_absent(store, clock)

    async def test_what_was_deleted_is_gone(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        assert await store.delete(KEY)
        assert not await store.delete(KEY)
        await assert_absent(store, clock)

    # ---- increment ----

    async def test_a_counter_counts_from_one_each_key_for_itself(self, store: Store, clock: FrozenClock) -> None:
        assert [await store.increment(KEY, expires_at=clock.now() + HOUR) for _ in range(11)] == [*range(1, 12)]
        assert [await store.increment(key, expires_at=clock.now() + HOUR) for key in NEIGHBOURS] == [1, 1, 1]
        assert await value_of(store, KEY) == b"11"

    async def test_a_counter_expires_when_its_first_increment_said(self, store: Store, clock: FrozenClock) -> None:
        await store.increment(KEY, expires_at=clock.now() + HOUR)
        clock.move(HOUR - INSTANT)
        assert await store.increment(KEY, expires_at=clock.now() + HOUR) == 2
        clock.move(INSTANT)
        assert await store.get(KEY) is None
        assert await store.increment(KEY, expires_at=clock.now() + HOUR) == 1
        clock.move(HOUR - INSTANT)
        assert await store.increment(KEY, expires_at=clock.now() + HOUR) == 2

    async def test_a_counter_goes_on_from_what_was_put(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"41", expires_at=clock.now() + HOUR)
        assert await store.increment(KEY, expires_at=clock.now() + HOUR) == 42
        await store.delete(KEY)
        assert await store.increment(KEY, expires_at=clock.now() + HOUR) == 1

    # ---- list, delete_all ----

    async def test_list_returns_what_one_owner_has_of_one_kind(self, store: Store, clock: FrozenClock) -> None:
        for number, key in enumerate([KEY, *NEIGHBOURS]):
            await store.put(key, b"%d" % number, expires_at=clock.now() + HOUR)
        await store.put(Key("session", "ada", "expired"), b"", expires_at=clock.now())
        assert dict(await store.list("session", "ada")) == {
            key.id: await store.get(key) for key in (KEY, NEIGHBOURS[0])
        }

    async def test_delete_all_removes_what_one_owner_has_of_one_kind(self, store: Store, clock: FrozenClock) -> None:
        for key in (KEY, *NEIGHBOURS):
            await store.put(key, b"value", expires_at=clock.now() + HOUR)
        await store.put(Key("session", "ada", "expired"), b"", expires_at=clock.now())
        assert await store.delete_all("session", "ada") == 2
        assert await store.delete_all("session", "ada") == 0
        assert await store.list("session", "ada") == []
        assert [await value_of(store, key) for key in NEIGHBOURS[1:]] == [b"value"] * 2

    async def test_delete_all_keeps_what_it_is_told_to(self, store: Store, clock: FrozenClock) -> None:
        for number in range(300):
            await store.put(Key("session", "ada", str(number)), b"value", expires_at=clock.now() + HOUR)
        assert await store.delete_all("session", "ada", keep=("7", "211", "of nobody")) == 298
        assert {id for id, _ in await store.list("session", "ada")} == {"7", "211"}

    # ---- purge, open, close ----

    async def test_purge_removes_what_expired_and_no_more_than_asked(self, store: Store, clock: FrozenClock) -> None:
        for number in range(10):
            await store.put(Key("session", "ada", str(number)), b"value", expires_at=clock.now() + HOUR)
        await store.put(Key("session", "ada", "1"), b"value", expires_at=clock.now() + 2 * HOUR)
        assert await store.purge() == 0
        clock.move(HOUR + timedelta(minutes=2))
        assert [await store.purge(limit=4) for _ in range(4)] == [4, 4, 1, 0]
        assert [id for id, _ in await store.list("session", "ada")] == ["1"]
        clock.move(HOUR)
        assert await store.purge() == 1

    async def test_a_store_opened_twice_works_until_it_is_closed_twice(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        await store.open()
        await store.close()
        assert await value_of(store, KEY) == b"value"

    # ---- many at once, in one loop ----

    async def test_of_a_hundred_takes_exactly_one_receives_the_value(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        taken = await asyncio.gather(*(store.take(KEY) for _ in range(100)))
        assert [entry.value for entry in taken if entry] == [b"value"]

    async def test_of_a_hundred_adds_exactly_one_stores(self, store: Store, clock: FrozenClock) -> None:
        added = await asyncio.gather(
            *(store.add(KEY, b"%d" % number, expires_at=clock.now() + HOUR) for number in range(100))
        )
        assert added.count(True) == 1
        assert await value_of(store, KEY) == b"%d" % added.index(True)

    async def test_of_a_hundred_replacements_exactly_one_stores(self, store: Store, clock: FrozenClock) -> None:
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        version, later = await version_of(store, KEY), clock.now() + HOUR
        replaced = await asyncio.gather(
            *(store.replace(KEY, b"%d" % number, version=version, expires_at=later) for number in range(100))
        )
        assert replaced.count(True) == 1
        assert await value_of(store, KEY) == b"%d" % replaced.index(True)

    async def test_a_hundred_increments_lose_none(self, store: Store, clock: FrozenClock) -> None:
        counts = await asyncio.gather(*(store.increment(KEY, expires_at=clock.now() + HOUR) for _ in range(100)))
        assert sorted(counts) == [*range(1, 101)]

    async def test_a_touch_never_revives_what_is_ended_at_the_same_time(self, store: Store, clock: FrozenClock) -> None:
        for number in range(20):
            await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
            touch = store.replace(KEY, b"new", version=await version_of(store, KEY), expires_at=clock.now() + HOUR)
            end = store.delete_all(KEY.kind, KEY.owner) if number % 2 else store.delete(KEY)
            await asyncio.gather(*((touch, end) if number % 4 < 2 else (end, touch)))
            assert await store.get(KEY) is None


async def assert_absent(store: Store, clock: FrozenClock) -> None:
    """Show that nothing stands at KEY, and that no verb but those that create makes it stand there."""
    later = clock.now() + HOUR
    assert await store.get(KEY) is None
    assert not await store.replace(KEY, b"revived", version=0, expires_at=later)
    assert not await store.replace(KEY, b"revived", version=1, expires_at=later)
    assert await store.take(KEY) is None
    assert not await store.delete(KEY)
    assert KEY.id not in dict(await store.list(KEY.kind, KEY.owner))
    assert await store.get(KEY) is None


async def value_of(store: Store, key: Key) -> bytes | None:
    """Return the value that stands there."""
    entry = await store.get(key)
    return entry.value if entry else None


async def version_of(store: Store, key: Key) -> int:
    """Return the version that stands there."""
    entry = await store.get(key)
    assert entry is not None
    return entry.version
