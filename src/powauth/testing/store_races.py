"""RaceContract: two processes read, and only when both have read does either write; each race has a twin that fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from powauth.clock import SystemClock
from powauth.stores import Entry, Key, MemoryStore, Store
from powauth.testing.contestants import Contestant, MakeStore, Step

ROUNDS = 25
OFTEN = 100


@dataclass(frozen=True)
class Two:
    """Two processes with a store each, which share what is stored."""

    first: Contestant
    second: Contestant

    def race(self, key: Key, one: Step, other: Step) -> list[Any]:
        """Have both read; when both have, have both go on at the same time. Return what came of it."""
        seen = [process.do(read, key) for process in (self.first, self.second)]
        self.first.begin(one, key, seen[0])
        self.second.begin(other, key, seen[1])
        return [self.first.finish(), self.second.finish()]

    def in_turn(self, key: Key, one: Step, other: Step) -> list[Any]:
        """Have both read; when both have, have the first go on to its end, then the second. Return what came of it."""
        seen = [process.do(read, key) for process in (self.first, self.second)]
        return [self.first.do(one, key, seen[0]), self.second.do(other, key, seen[1])]


class RaceContract:
    """Subclass it, and override the fixture `make_store` with what both processes call, so it must be picklable.

    Every race runs many times at full speed, and once step by step in the order that breaks its naive twin.
    """

    @pytest.fixture
    def make_store(self) -> MakeStore:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def processes(cls) -> Iterator[Two]:
        two = Two(Contestant(), Contestant())
        yield two
        two.first.end()
        two.second.end()

    @pytest.fixture
    def two(self, processes: Two, make_store: MakeStore) -> Iterator[Two]:
        processes.first.open(make_store)
        processes.second.open(make_store)
        yield processes
        processes.first.open(MemoryStore)
        processes.second.open(MemoryStore)

    def test_of_two_processes_that_take_a_value_exactly_one_receives_it(self, two: Two) -> None:
        for key in keys():
            two.first.do(put, key)
            assert_one(two.race(key, take, take))
        two.first.do(put, KEY)
        assert_one(two.in_turn(KEY, take, take))

    def test_taking_by_get_and_delete_gives_the_value_to_both(self, two: Two) -> None:
        two.first.do(put, KEY)
        with pytest.raises(AssertionError):
            assert_one(two.in_turn(KEY, take_naively, take_naively))

    def test_of_two_processes_that_add_a_value_exactly_one_stores_it(self, two: Two) -> None:
        for key in keys():
            assert_one(two.race(key, add, add))
        assert_one(two.in_turn(KEY, add, add))

    def test_adding_by_get_and_put_stores_both(self, two: Two) -> None:
        with pytest.raises(AssertionError):
            assert_one(two.in_turn(KEY, add_naively, add_naively))

    def test_of_two_processes_that_add_over_an_expired_value_exactly_one_stores_it(self, two: Two) -> None:
        for key in keys():
            two.first.do(put_expired, key)
            assert_one(two.race(key, add, add))
        two.first.do(put_expired, KEY)
        assert_one(two.in_turn(KEY, add, add))

    def test_adding_over_an_expired_value_by_get_and_put_stores_both(self, two: Two) -> None:
        two.first.do(put_expired, KEY)
        with pytest.raises(AssertionError):
            assert_one(two.in_turn(KEY, add_naively, add_naively))

    def test_of_two_processes_that_replace_a_version_exactly_one_stores(self, two: Two) -> None:
        for key in keys():
            two.first.do(put, key)
            assert_one(two.race(key, replace, replace))
        two.first.do(put, KEY)
        assert_one(two.in_turn(KEY, replace, replace))

    def test_replacing_by_get_and_put_stores_both(self, two: Two) -> None:
        two.first.do(put, KEY)
        with pytest.raises(AssertionError):
            assert_one(two.in_turn(KEY, replace_naively, replace_naively))

    def test_two_processes_that_count_lose_nothing(self, two: Two) -> None:
        for key in keys():
            assert sorted(two.race(key, increment, increment)) == [1, 2]
        assert two.in_turn(KEY, increment, increment) == [1, 2]
        two.first.begin(increment_often, KEY, None)
        assert two.second.do(increment_often, KEY, None) is None
        two.first.finish()
        assert two.first.do(increment, KEY, None) == 2 * OFTEN + 3

    def test_counting_by_get_and_put_loses(self, two: Two) -> None:
        with pytest.raises(AssertionError):
            assert two.in_turn(KEY, increment_naively, increment_naively) == [1, 2]

    @pytest.mark.parametrize("end", ["take", "delete_all"])
    def test_a_touch_never_revives_what_another_process_ends(self, two: Two, end: str) -> None:
        ending = {"take": take, "delete_all": delete_all}[end]
        for key in keys():
            two.first.do(put, key)
            two.race(key, ending, replace)
            assert two.first.do(read, key) is None
        two.first.do(put, KEY)
        two.in_turn(KEY, ending, replace)
        assert two.first.do(read, KEY) is None

    @pytest.mark.parametrize("end", ["take", "delete_all"])
    def test_a_touch_by_get_and_put_revives(self, two: Two, end: str) -> None:
        two.first.do(put, KEY)
        two.in_turn(KEY, {"take": take, "delete_all": delete_all}[end], replace_naively)
        with pytest.raises(AssertionError):
            assert two.first.do(read, KEY) is None

    def test_purging_never_removes_what_another_process_puts(self, two: Two) -> None:
        for key in keys():
            two.first.do(put_expired, key)
            two.race(key, purge, add)
            assert two.first.do(read, key) is not None
        two.first.do(put_expired, KEY)
        two.in_turn(KEY, add, purge)
        assert two.first.do(read, KEY) is not None

    def test_purging_by_get_and_delete_removes_what_another_process_puts(self, two: Two) -> None:
        two.first.do(put_expired, KEY)
        two.in_turn(KEY, add, purge_naively)
        with pytest.raises(AssertionError):
            assert two.first.do(read, KEY) is not None


KEY = Key("race", "nobody", "step by step")


def keys() -> Iterator[Key]:
    """Return a new key for every round, each of an owner of its own."""
    return (Key("race", str(number), "at full speed") for number in range(ROUNDS))


def assert_one(outcomes: list[bool]) -> None:
    """Show that exactly one of them succeeded."""
    assert outcomes.count(True) == 1


def later() -> datetime:
    """Return a time that no test lives to see."""
    return SystemClock().now() + timedelta(hours=1)


async def put(store: Store, key: Key) -> None:
    """Store a value."""
    await store.put(key, b"1", expires_at=later())


async def put_expired(store: Store, key: Key) -> None:
    """Store a value that expired long ago."""
    await store.put(key, b"1", expires_at=later() - timedelta(days=1))


async def read(store: Store, key: Key) -> Entry | None:
    """Return what stands there."""
    return await store.get(key)


async def take(store: Store, key: Key, _seen: Entry | None) -> bool:
    """Say whether it was received."""
    return await store.take(key) is not None


async def take_naively(store: Store, key: Key, seen: Entry | None) -> bool:
    """Say whether it was received, wrongly."""
    await store.delete(key)
    return seen is not None


async def add(store: Store, key: Key, _seen: Entry | None) -> bool:
    """Say whether it was stored."""
    return await store.add(key, b"added", expires_at=later())


async def add_naively(store: Store, key: Key, seen: Entry | None) -> bool:
    """Say whether it was stored, wrongly."""
    if seen is None:
        await store.put(key, b"added", expires_at=later())
    return seen is None


async def replace(store: Store, key: Key, seen: Entry | None) -> bool:
    """Say whether it was stored."""
    return seen is not None and await store.replace(key, b"new", version=seen.version, expires_at=later())


async def replace_naively(store: Store, key: Key, seen: Entry | None) -> bool:
    """Say whether it was stored, wrongly."""
    if seen is not None:
        await store.put(key, b"new", expires_at=later())
    return seen is not None


async def increment(store: Store, key: Key, _seen: Entry | None) -> int:
    """Return the count."""
    return await store.increment(key, expires_at=later())


async def increment_often(store: Store, key: Key, _seen: Entry | None) -> None:
    """Count, as fast as it goes."""
    for _ in range(OFTEN):
        await store.increment(key, expires_at=later())


async def increment_naively(store: Store, key: Key, seen: Entry | None) -> int:
    """Return the count, wrongly."""
    count = int(seen.value) + 1 if seen else 1
    await store.put(key, b"%d" % count, expires_at=later())
    return count


async def delete_all(store: Store, key: Key, _seen: Entry | None) -> int:
    """End all that its owner has."""
    return await store.delete_all(key.kind, key.owner)


async def purge(store: Store, _key: Key, _seen: Entry | None) -> int:
    """Remove what is expired."""
    return await store.purge()


async def purge_naively(store: Store, key: Key, seen: Entry | None) -> bool:
    """Remove what was expired when it was read, wrongly."""
    return seen is None and await store.delete(key)
