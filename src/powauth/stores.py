"""Store: what expires. MemoryStore: the one for a single process."""

import os
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from powauth.clock import Clock, SystemClock
from powauth.errors import ConfigurationError
from powauth.workers import worker_count


class Key(NamedTuple):
    """Where a value stands: what it is, whose it is, which one it is. What belongs to nobody owns itself.

    Compared code point by code point. In UTF-8 a kind has at most 128 bytes, owner and id have at most 512.
    """

    kind: str
    owner: str
    id: str

    def __repr__(self) -> str:
        """Leave the id out: it is half of a secret."""
        return f"Key(kind={self.kind!r}, owner={self.owner!r}, id=…)"


class Entry(NamedTuple):
    """A value, and which state of it this is. No later state of its key bears the same version, not even a new one."""

    value: bytes
    version: int
    expires_at: datetime


class Store(Protocol):
    """Values that expire. Every backend passes `powauth.testing.StoreContract`.

    Expiry is absolute, judged by the `Clock` at read; at that very moment a value is gone. Absence means refused.
    What a call costs depends on what one owner has, never on how much the store holds. Every verb is atomic, across
    processes too. A backend that cannot answer raises `StoreUnavailable`: then a write may have happened or not.
    """

    async def open(self) -> None:
        """Connect; creates what is missing. One store may serve several `Auth`: each opens it, each closes it."""
        ...

    async def close(self) -> None:
        """Let go of connections and files, at the last of as many calls as `open` had."""
        ...

    async def get(self, key: Key) -> Entry | None:
        """Return the value, unless it is absent or expired."""
        ...

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        """Store the value, whatever stands there."""
        ...

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        """Store the value if none stands there; say whether it was stored."""
        ...

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        """Store the value if that version still stands there; say whether it was stored."""
        ...

    async def take(self, key: Key) -> Entry | None:
        """Return the value and remove it, atomically: of many callers exactly one receives it."""
        ...

    async def delete(self, key: Key) -> bool:
        """Remove the value; say whether one stood there."""
        ...

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        """Add one to a counter and return it; a new counter starts at one, and only then is its expiry set.

        Its value, to `get` and `put`, is the count in decimal digits. Anything else there is undefined.
        """
        ...

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        """Return the ids and values that one owner has, in no order."""
        ...

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        """Remove all values of one owner, except those; say how many."""
        ...

    async def purge(self, *, limit: int = 1000) -> int:
        """Remove up to that many values that expired a minute ago or earlier; say how many. It only frees space."""
        ...


@runtime_checkable
class Losing(Protocol):
    """A store that may lose what it acknowledged, such as one whose replica takes over before it heard of it."""

    @property
    def may_lose_writes(self) -> bool:
        """Whether what was ended may live again: ends then stand in the database, too, in the table `revocations`."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A store that tells when its server stops to answer, and when it, or another one, answers again."""

    def watch(self, watcher: Callable[[bool], None]) -> None:
        """Have this called with `False` when the server stops to answer, and with `True` when one does again."""
        ...


@dataclass(frozen=True, slots=True)
class Weakness:
    """What of a store is unsafe, how much, and what to do about it."""

    code: str
    severity: Literal["refuse", "warn", "info"]
    says: str
    do: str


@runtime_checkable
class Examined(Store, Protocol):
    """A store that can tell what is unsafe about its server and its settings; `powauth check` prints it."""

    async def weaknesses(self) -> Sequence[Weakness]:
        """Return what is."""
        ...


def may_lose_writes(store: object) -> bool:
    """Say whether what was ended in this store may live again."""
    return isinstance(store, Losing) and store.may_lose_writes


class MemoryStore:
    """A store in memory, for one process, which a restart empties: everybody is signed out then."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._made_in = os.getpid()
        self._entries: dict[Key, Entry] = {}
        self._owned: dict[tuple[str, str], set[Key]] = {}
        self._due = _Due()
        self._version = 0

    async def open(self) -> None:
        """Raise `ConfigurationError` where several processes would each remember sessions of their own."""
        if os.getpid() != self._made_in:
            raise ConfigurationError(_FORKED)
        if (workers := worker_count(os.environ, sys.argv)) > 1:
            raise ConfigurationError(_SEVERAL.format(workers))

    async def close(self) -> None:
        """Do nothing: what is stored stays as long as the process."""

    async def get(self, key: Key) -> Entry | None:
        """Return the value, unless it is absent or expired."""
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expires_at > self._clock.now() else None

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        """Store the value, whatever stands there."""
        self._put(key, value, expires_at)

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        """Store the value if none stands there; say whether it was stored."""
        if self._find(key):
            return False
        self._put(key, value, expires_at)
        return True

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        """Store the value if that version still stands there; say whether it was stored."""
        entry = self._find(key)
        if entry is None or entry.version != version:
            return False
        self._put(key, value, expires_at)
        return True

    async def take(self, key: Key) -> Entry | None:
        """Return the value and remove it, atomically: of many callers exactly one receives it."""
        entry = self._find(key)
        self._remove(key)
        return entry

    async def delete(self, key: Key) -> bool:
        """Remove the value; say whether one stood there."""
        return await self.take(key) is not None

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        """Add one to a counter and return it; a new counter starts at one, and only then is its expiry set."""
        entry = self._find(key)
        count = int(entry.value) + 1 if entry else 1
        self._put(key, b"%d" % count, entry.expires_at if entry else expires_at)
        return count

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        """Return the ids and values that one owner has, in no order."""
        owned = ((key.id, self._find(key)) for key in self._owned.get((kind, owner), ()))
        return [(id, entry) for id, entry in owned if entry]

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        """Remove all values of one owner, except those; say how many."""
        gone = [key for key in self._owned.get((kind, owner), ()) if key.id not in keep]
        return len([entry for key in gone if (entry := await self.take(key))])

    async def purge(self, *, limit: int = 1000) -> int:
        """Remove up to that many values that expired a minute ago or earlier; say how many. It only frees space."""
        expired = self._due.pop(self._clock.now(), limit=limit)
        for key in expired:
            self._remove(key)
        return len(expired)

    def _find(self, key: Key) -> Entry | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expires_at > self._clock.now() else None

    def _put(self, key: Key, value: bytes, expires_at: datetime) -> None:
        self._remove(key)
        self._version += 1
        self._entries[key] = Entry(value, self._version, expires_at)
        self._owned.setdefault((key.kind, key.owner), set()).add(key)
        self._due.add(key, expires_at)

    def _remove(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._due.remove(key, entry.expires_at)
        owned = self._owned[key.kind, key.owner]
        owned.remove(key)
        if not owned:
            del self._owned[key.kind, key.owner]


class _Due:
    """Keys by the minute of their expiry, so that purging looks at nothing that still lives."""

    def __init__(self) -> None:
        self._minutes: dict[int, set[Key]] = {}
        self._order: list[int] = []  # a heap

    def add(self, key: Key, expires_at: datetime) -> None:
        minute = _minute(expires_at)
        if minute not in self._minutes:
            self._minutes[minute] = set()
            heappush(self._order, minute)
        self._minutes[minute].add(key)

    def remove(self, key: Key, expires_at: datetime) -> None:
        self._minutes.get(_minute(expires_at), set()).discard(key)

    def pop(self, now: datetime, *, limit: int) -> Sequence[Key]:
        """Return keys of minutes that are over, and forget them."""
        found: list[Key] = []
        while self._order and self._order[0] < _minute(now) and len(found) < limit:
            keys = self._minutes[self._order[0]]
            found += [keys.pop() for _ in range(min(len(keys), limit - len(found)))]
            if not keys:
                del self._minutes[heappop(self._order)]
        return found


def _minute(when: datetime) -> int:
    return int(when.timestamp()) // 60


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_microseconds(when: datetime) -> int:
    """Return a time as a database keeps it: exact, and compared without a time zone."""
    return (when - EPOCH) // MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the time that `to_microseconds` was given."""
    return EPOCH + timedelta(0, 0, count)


_FORKED = (
    "MemoryStore was made in one process and opened in another, where it would remember sessions of its own: make Auth"
    " in the process that serves it (without preloading), or give it a store that processes share, like SQLiteStore"
)
_SEVERAL = (
    "MemoryStore is for one process, and the server was told to start {} (WEB_CONCURRENCY or --workers):"
    " start one, or give Auth a store that processes share, like SQLiteStore"
)
