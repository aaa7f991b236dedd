"""NearCache keeps what was read only for as long as somebody vouches for it, and never past a change."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from powauth.errors import StoreUnavailable
from powauth.near_cache import TRUST, NearCache
from powauth.stores import Entry, Key, MemoryStore
from powauth.testing.clock import FrozenClock

pytestmark = pytest.mark.anyio

KEY = Key("main::session", "ada", "1")
SECOND = Key("main::session", "ada", "2")
GRACE = Key("main::session", "grace", "1")
HOUR = timedelta(hours=1)


@dataclass
class Server:
    """A store that counts its reads, and lets a test do something between a read and its answer."""

    clock: FrozenClock
    reads: int = 0
    meanwhile: Callable[[], object] = bool
    seconds: float = 1000.0
    store: MemoryStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)

    async def read(self, key: Key) -> Entry | None:
        self.reads += 1
        found = await self.store.get(key)
        self.meanwhile()
        return found

    async def put(self, *keys: Key, value: bytes = b"value") -> None:
        for key in keys:
            await self.store.put(key, value, expires_at=self.clock.now() + HOUR)

    def steady(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def server(clock: FrozenClock) -> Server:
    return Server(clock)


@pytest.fixture
def cache(server: Server) -> NearCache:
    cache = NearCache(server.clock, steady=server.steady)
    cache.vouch(server.seconds)
    return cache


async def reads(cache: NearCache, server: Server, *keys: Key) -> int:
    """Get these once, and return how many of them were asked of the server."""
    before = server.reads
    for key in keys:
        await cache.get(key, server.read)
    return server.reads - before


async def test_a_session_is_read_once(cache: NearCache, server: Server) -> None:
    await server.put(KEY)
    first, again = [await cache.get(KEY, server.read) for _ in range(2)]
    assert first == again == await server.store.get(KEY)
    assert server.reads == 1
    assert cache.holds(KEY)


@pytest.mark.parametrize("kind", ["main::limit", "main::pending", "main::session:x", "sessions", "flow"])
async def test_nothing_but_sessions_is_kept(cache: NearCache, server: Server, kind: str) -> None:
    key = Key(kind, "ada", "1")
    await server.put(key)
    assert await reads(cache, server, key, key) == 2
    assert cache.count == 0


async def test_absence_is_never_kept(cache: NearCache, server: Server) -> None:
    assert await reads(cache, server, KEY, KEY) == 2
    await server.put(KEY)
    assert await cache.get(KEY, server.read)


async def test_what_an_owner_has_goes_at_one_change_and_others_keep_theirs(cache: NearCache, server: Server) -> None:
    await server.put(KEY, SECOND, GRACE)
    await reads(cache, server, KEY, SECOND, GRACE)
    cache.invalidate("main::session", "ada")
    assert (cache.holds(KEY), cache.holds(SECOND), cache.holds(GRACE)) == (False, False, True)
    assert await reads(cache, server, KEY, SECOND, GRACE) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda cache: cache.invalidate("main::session", "ada"),
        lambda cache: cache.flush(),
        lambda cache: cache.read_through(),
    ],
    ids=["invalidation", "flush", "read through"],
)
async def test_what_a_change_met_on_its_way_is_not_kept(
    cache: NearCache, server: Server, change: Callable[[NearCache], None]
) -> None:
    await server.put(KEY, SECOND)
    await reads(cache, server, SECOND)
    server.meanwhile = lambda: change(cache)
    assert await cache.get(KEY, server.read)
    server.meanwhile = bool
    cache.vouch(server.seconds)
    assert not cache.holds(KEY)


async def test_a_read_that_another_owner_s_change_met_is_kept(cache: NearCache, server: Server) -> None:
    await server.put(KEY)
    server.meanwhile = lambda: cache.invalidate("main::session", "grace")
    assert await reads(cache, server, KEY, KEY) == 1


async def test_a_read_that_is_late_does_not_come_back_after_one_that_began_later(clock: FrozenClock) -> None:
    cache = NearCache(clock)
    cache.vouch(float("inf"))
    old, new = (Entry(value, version, clock.now() + HOUR) for version, value in enumerate((b"old", b"new")))
    asked, gate = asyncio.Event(), asyncio.Event()

    async def late(_: Key) -> Entry:
        asked.set()
        await gate.wait()
        return old

    async def quick(_: Key) -> Entry:
        return new

    slow = asyncio.create_task(cache.get(KEY, late))
    await asked.wait()
    cache.invalidate("main::session", "ada")
    await cache.get(KEY, quick)
    gate.set()
    assert await slow == old
    assert await cache.get(KEY, late) == new


async def test_a_write_of_its_own_lets_go_before_and_after(cache: NearCache, server: Server) -> None:
    await server.put(KEY)
    await reads(cache, server, KEY)
    with cache.changing("main::session", "ada"):
        assert await reads(cache, server, KEY) == 1
    assert await reads(cache, server, KEY) == 1
    with suppress(StoreUnavailable), cache.changing("main::session", "ada"):
        await reads(cache, server, KEY)
        raise StoreUnavailable  # it may be done all the same
    assert await reads(cache, server, KEY) == 1


async def test_nothing_is_kept_before_somebody_vouches(server: Server) -> None:
    cache = NearCache(server.clock, steady=server.steady)
    await server.put(KEY)
    assert await reads(cache, server, KEY, KEY) == 2
    server.meanwhile = lambda: cache.vouch(server.seconds)  # it may have changed before anybody listened
    await cache.get(KEY, server.read)
    assert not cache.holds(KEY)


async def test_nothing_is_answered_when_nobody_vouched_for_a_while(cache: NearCache, server: Server) -> None:
    await server.put(KEY)
    await reads(cache, server, KEY)
    server.seconds += TRUST - 0.001
    assert cache.holds(KEY)
    server.seconds += 0.001
    assert not cache.holds(KEY)
    assert await reads(cache, server, KEY, KEY) == 2
    cache.vouch(server.seconds)
    assert not cache.holds(KEY)  # what happened meanwhile was told to nobody


async def test_what_has_arrived_is_heard_first_when_the_event_loop_was_busy(cache: NearCache, server: Server) -> None:
    await server.put(KEY)
    await reads(cache, server, KEY)
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)  # noqa: FBT003  its only argument
        asyncio.get_running_loop().add_reader(here, lambda: cache.invalidate("main::session", here.recv(3).decode()))
        there.send(b"ada")
        server.seconds += 0.1  # as if something had held the loop all the time
        assert await reads(cache, server, KEY) == 1
        asyncio.get_running_loop().remove_reader(here)


async def test_an_answer_that_comes_too_late_vouches_for_nothing(cache: NearCache, server: Server) -> None:
    asked_at = server.seconds
    server.seconds += TRUST
    cache.vouch(asked_at)
    assert not cache.is_on


async def test_a_session_is_over_when_its_time_is_by_the_clock(cache: NearCache, server: Server) -> None:
    await server.put(KEY)
    await reads(cache, server, KEY)
    server.clock.move(HOUR)
    assert not cache.holds(KEY)
    assert await cache.get(KEY, server.read) is None


async def test_everything_is_read_anew_a_minute_after_the_first_read_of_an_owner(
    cache: NearCache, server: Server
) -> None:
    await server.put(KEY, SECOND)
    await reads(cache, server, KEY)
    for _ in range(59):
        server.seconds += 1
        cache.vouch(server.seconds)
    assert await reads(cache, server, KEY, SECOND) == 1
    server.seconds += 1
    cache.vouch(server.seconds)
    assert cache.count == 0
    assert await reads(cache, server, KEY, SECOND) == 2


async def test_no_more_is_kept_than_it_may_and_what_was_read_first_goes_first(server: Server) -> None:
    cache = NearCache(server.clock, most_entries=10, steady=server.steady)
    cache.vouch(server.seconds)
    keys = [Key("session", str(number), "1") for number in range(25)]
    await server.put(*keys)
    await reads(cache, server, *keys)
    assert [key.owner for key in keys if cache.holds(key)] == [str(number) for number in range(15, 25)]
    assert cache.count == 10


async def test_values_take_no_more_bytes_than_they_may(server: Server) -> None:
    cache = NearCache(server.clock, most_bytes=10_000, steady=server.steady)
    cache.vouch(server.seconds)
    keys = [Key("session", str(number), "1") for number in range(25)]
    await server.put(*keys, value=b"x" * 1000)
    await reads(cache, server, *keys)
    assert cache.count == 10
    huge = Key("session", "huge", "1")
    await server.put(huge, value=b"x" * 10_001)
    await reads(cache, server, huge)
    assert (cache.holds(huge), cache.count) == (False, 10)
    cache.flush()
    await reads(cache, server, *keys)
    assert cache.count == 10  # it counts right, after whatever way out


async def test_reads_that_find_nothing_or_fail_leave_nothing(cache: NearCache, server: Server) -> None:
    def fail() -> None:
        raise StoreUnavailable

    for number in range(100):
        await cache.get(Key("session", str(number), "1"), server.read)
    server.meanwhile = fail
    for number in range(100):
        with pytest.raises(StoreUnavailable):
            await cache.get(Key("session", str(number), "1"), server.read)
    assert not vars(cache)["_owners"]
