"""Load on stores with a near cache from several processes, and a board in shared memory on which each end is logged."""

import asyncio
import mmap
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from powauth.errors import StoreUnavailable
from powauth.near_cache import NearCache
from powauth.redis import RedisStore
from powauth.redis import store as store_module
from powauth.redis.tracking import Hear, Link, Linking
from powauth.redis.urls import Address
from powauth.stores import Entry, Key
from powauth.testing.store_races import later

OWNERS = 40
IDS = 4000  # of each owner, one after the other: none comes back
PATIENCE = timedelta(seconds=1)


class Board:
    """What all processes see: whether to go on, which session each owner has, and when each one's end was answered."""

    def __init__(self, path: Path) -> None:
        size = 8 * (2 + OWNERS + OWNERS * IDS)
        with path.open("a+b") as file:
            file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)
        self._numbers = memoryview(self._map).cast("d")

    @property
    def is_over(self) -> bool:
        return bool(self._numbers[0])

    def finish(self) -> None:
        self._numbers[0] = 1

    @property
    def rests(self) -> bool:
        """Whether nobody ends anything."""
        return bool(self._numbers[1])

    def rest(self, *, on: bool) -> None:
        self._numbers[1] = on

    def current(self, owner: int) -> int:
        return int(self._numbers[2 + owner])

    def come(self, owner: int, id: int) -> None:
        self._numbers[2 + owner] = id

    def ended_at(self, owner: int, id: int) -> float:
        """Return when its end was answered, to whoever asked for it; 0 before."""
        return self._numbers[2 + OWNERS + owner * IDS + id]

    def end(self, owner: int, id: int) -> None:
        if not self.ended_at(owner, id):
            self._numbers[2 + OWNERS + owner * IDS + id] = time.monotonic()

    @property
    def ends(self) -> int:
        """How many sessions have been ended."""
        return sum(1 for number in self._numbers[2 + OWNERS :] if number)


@dataclass(frozen=True)
class Stale:
    """A session that was accepted although it had ended."""

    accepted_at: float
    ended_at: float
    from_memory: bool
    name: str

    @property
    def seconds(self) -> float:
        return self.accepted_at - self.ended_at


@dataclass
class Report:
    """What a process saw."""

    reads: int = 0
    hits: int = 0
    unavailable: int = 0
    wrong: int = 0
    stale: list[Stale] = field(default_factory=list[Stale])


def key_of(owner: int, id: int) -> Key:
    return Key("main::session", str(owner), str(id))


class Slow(RedisStore):
    """A store whose answers are on their way for a while, so that changes meet them."""

    async def _read(self, key: Key) -> Entry | None:
        entry = await super()._read(key)
        await asyncio.sleep(random.uniform(0, 0.015))
        return entry


class KeepsWhatWasMet(NearCache):
    """A twin without the rule of the placeholder: whatever is read is kept."""

    def _keep(self, name: tuple[str, str], placeholder: object, id: str, entry: Entry) -> None:
        super()._keep(name, self._owners.get(name) or self._place(name), id, entry)


class NeverFlushes(NearCache):
    """A twin that keeps what it has when nobody told it of changes for a while."""

    def flush(self) -> None:
        """Do nothing."""


class ByRoad(Linking):
    """Goes to servers by roads that a test can stall; only links do."""

    roads: Mapping[int, int] = {}

    async def link(self, address: Address, *, hear: Hear, lost: Callable[[], None]) -> Link:
        """Return a link on which everything from now on is told."""
        road = Address(address.host, self.roads.get(address.port, address.port))
        link = await super().link(road, hear=hear, lost=lost)
        link.address = address
        return link


REAL, KEEPS_WHAT_WAS_MET, NEVER_FLUSHES = "real", "a twin without the rule of the placeholder", "a twin without flush"
CACHES = {REAL: NearCache, KEEPS_WHAT_WAS_MET: KeepsWhatWasMet, NEVER_FLUSHES: NeverFlushes}


def make_store(url: str, cache: str, roads: Mapping[int, int], *, replicas: int) -> RedisStore:
    """Return a store, in a process of its own, with this cache and these roads."""
    ByRoad.roads = roads
    setattr(store_module, "NearCache", CACHES[cache])  # noqa: B010  in this process alone; it exports neither
    setattr(store_module, "Linking", ByRoad)  # noqa: B010
    return Slow.from_url(url, near_cache=True, timeout=PATIENCE, replicas=replicas)


async def serve(store: RedisStore, path: Path, number: int, of: int) -> Report:
    """Read without pause, and end what this process is to end, until the board says that it is over."""
    board, report = Board(path), Report()
    mine = [owner for owner in range(OWNERS) if of and owner % of == number]
    enders = [_end(store, board, mine)] if mine else []
    await asyncio.gather(*enders, *(_read(store, board, report) for _ in range(8)))
    return report


async def _read(store: RedisStore, board: Board, report: Report) -> None:
    while not board.is_over:
        for _ in range(10):
            owner = random.randrange(OWNERS)
            ago = random.randrange(random.choice((3, 3, 3, 30)))  # those that ended just now, and some of before
            await _visit(store, board, report, owner, max(1, board.current(owner) - ago))
        await asyncio.sleep(0.002)


async def _visit(store: RedisStore, board: Board, report: Report, owner: int, id: int) -> None:
    key, asked_at = key_of(owner, id), time.monotonic()
    from_memory = bool(store.near_cache and store.near_cache.holds(key))
    report.hits += from_memory
    try:
        entry = await store.get(key)
    except StoreUnavailable:
        report.unavailable += 1
        await asyncio.sleep(0.02)
        return
    report.reads += 1
    if entry is None:
        return
    report.wrong += entry.value != key.id.encode()
    if 0 < (ended_at := board.ended_at(owner, id)) < asked_at:
        report.stale.append(Stale(asked_at, ended_at, from_memory, f"{owner}/{id}"))


async def _end(store: RedisStore, board: Board, owners: list[int]) -> None:
    while not board.is_over:
        owner = random.choice(owners)
        id = board.current(owner)
        try:
            if id:
                await store.delete(key_of(owner, id))
                board.end(owner, id)
            await store.put(key_of(owner, id + 1), str(id + 1).encode(), expires_at=later())
        except StoreUnavailable:
            await asyncio.sleep(0.02)
            continue
        board.come(owner, id + 1)
        await asyncio.sleep(random.uniform(0, 0.02))
        while board.rests and not board.is_over:  # noqa: ASYNC110  another process says so
            await asyncio.sleep(0.01)
