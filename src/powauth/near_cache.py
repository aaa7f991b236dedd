"""NearCache: what this process read of a store, kept while a feed says what changes there.

A store asks it in `get` and tells it of its own writes:

    await cache.get(key, self._read)            what is kept, or what `_read` brings
    with cache.changing(kind, owner): ...       around whatever may change something that this owner has

A feed is whoever hears what other processes change, by whatever way a server tells it. It calls four verbs:

    cache.vouch(asked_at)                       all that changed before that moment of `steady` has been told
    cache.invalidate(kind, owner)               something that this owner has of this kind changed
    cache.flush()                               anything may have changed; go on keeping
    cache.read_through()                        nothing is known any more: keep nothing until you vouch again

Nothing is kept before the first `vouch`, and nothing is answered from here later than `TRUST` after the moment that
was last vouched for, even if the feed hangs, the event loop was blocked or the process was stopped: that is judged at
each read. So a feed asks its server every `BEAT` on the very connection that brings the changes, and vouches with the
moment before it asked, when the answer is there. It reads through as soon as the connection breaks, no answer came
within `PATIENCE`, or it may no longer be the right server; it connects anew and flushes before it vouches again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol, runtime_checkable

from powauth.clock import Clock, steady
from powauth.stores import Entry, Key

BEAT = 0.9
PATIENCE = 1.0
TRUST = BEAT + PATIENCE
"""Seconds. What ended is refused within two, whatever happened to the feed."""

LOOK = 0.02
"""Seconds after which it is let in what the network has brought, before anything is answered from here."""
TURNS = 3
"""Of the event loop: it looks at the network in the first, what came is read in the second and told in the third."""

LIFE = timedelta(seconds=60)
"""However well the feed does, everything is read anew after so long."""

MOST_ENTRIES = 50_000
MOST_BYTES = 32 * 1024 * 1024
"""Of values; what Python needs around each of them comes on top."""

SWEPT = 5_000  # owners at each beat: more than can become old between two

Read = Callable[[Key], Awaitable[Entry | None]]


def is_kept(kind: str) -> bool:
    """Say whether this is kept: sessions, which are read at each request. All else is read to be used up or counted.

    >>> is_kept("main::session"), is_kept("main::limit"), is_kept("main::pending")
    (True, False, False)
    """
    return kind.endswith(":session") or kind == "session"


@runtime_checkable
class HasNearCache(Protocol):
    """A store that may have one."""

    @property
    def near_cache(self) -> "NearCache | None":
        """Return it, while the store is open and if it was asked for."""
        ...


class _Owned:
    """What is kept of one owner: also the placeholder of reads on their way, good as long as it stands in the cache."""

    __slots__ = ("entries", "size", "until")

    def __init__(self, until: float) -> None:
        self.entries: dict[str, Entry] = {}
        self.size = 0
        self.until = until


class NearCache:
    """Sessions that were read, by owner: one change of an owner's lets all go that is kept of it.

    Absence is never kept. What was read first goes first when there is too much. It belongs to one event loop.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
        steady: Callable[[], float] = steady,
    ) -> None:
        self._clock = clock
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._steady = steady
        self._owners: dict[tuple[str, str], _Owned] = {}  # in the order of `until`
        self._trusted_until = float("-inf")
        self._looked_at = float("-inf")
        self._count = 0
        self._size = 0

    # ---- for stores ----

    async def get(self, key: Key, read: Read) -> Entry | None:
        """Return what is kept; otherwise read it, and keep it unless a change, a flush or a lapse met it on its way."""
        if not is_kept(key.kind):
            return await read(key)
        now = self._steady()
        if now > self._looked_at + LOOK:
            now = await self._look()
        if now >= self._trusted_until:
            return await read(key)
        name = (key.kind, key.owner)
        owned = self._standing(name, now)
        entry = self._alive(owned, key)
        return entry if entry is not None else await self._read(name, owned or self._place(name), key, read)

    async def _read(self, name: tuple[str, str], placeholder: _Owned, key: Key, read: Read) -> Entry | None:
        try:
            entry = await read(key)
            if entry is not None:
                self._keep(name, placeholder, key.id, entry)
            return entry
        finally:
            if not placeholder.entries and self._owners.get(name) is placeholder:
                del self._owners[name]

    @contextmanager
    def changing(self, kind: str, owner: str) -> Generator[None]:
        """Let go of what an owner has, before and after, whatever was answered: meanwhile either may be read."""
        self.invalidate(kind, owner)
        try:
            yield
        finally:
            self.invalidate(kind, owner)

    def holds(self, key: Key) -> bool:
        """Say whether the next `get` is answered from here."""
        return self.is_on and self._alive(self._standing((key.kind, key.owner), self._steady()), key) is not None

    @property
    def is_on(self) -> bool:
        """Say whether anything is kept or answered now; otherwise everything is read through."""
        return self._steady() < self._trusted_until

    @property
    def count(self) -> int:
        """Return how many entries are kept."""
        return self._count

    # ---- for feeds ----

    def vouch(self, asked_at: float) -> None:
        """Be sure that all changes before this moment of `steady` were told; good for `TRUST` from then on."""
        if not self.is_on:
            self.flush()
        self._trusted_until = asked_at + TRUST
        self._sweep()

    def invalidate(self, kind: str, owner: str) -> None:
        """Let go of all that this owner has of this kind, also of what is being read."""
        self._drop((kind, owner))

    def flush(self) -> None:
        """Let go of everything, also of what is being read."""
        self._owners.clear()
        self._count = self._size = 0

    def read_through(self) -> None:
        """Let go of everything and keep nothing, until somebody vouches again."""
        self._trusted_until = float("-inf")
        self.flush()

    # ---- how it is kept ----

    async def _look(self) -> float:
        """Let the event loop take in what has arrived: it may have been busy, or the process stopped, ever since.

        Return what time it is then.
        """
        looks_at = self._steady()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self._looked_at = looks_at
        return self._steady()

    def _standing(self, name: tuple[str, str], now: float) -> _Owned | None:
        owned = self._owners.get(name)
        if owned is not None and owned.until <= now:
            self._drop(name)
            return None
        return owned

    def _alive(self, owned: _Owned | None, key: Key) -> Entry | None:
        entry = owned.entries.get(key.id) if owned else None
        return entry if entry is not None and entry.expires_at > self._clock.now() else None

    def _place(self, name: tuple[str, str]) -> _Owned:
        placeholder = self._owners[name] = _Owned(self._steady() + LIFE.total_seconds())
        return placeholder

    def _keep(self, name: tuple[str, str], placeholder: _Owned, id: str, entry: Entry) -> None:
        if self._owners.get(name) is not placeholder or len(entry.value) > self._most_bytes:
            return
        former = placeholder.entries.get(id)
        placeholder.entries[id] = entry
        grown = len(entry.value) - (len(former.value) if former else 0)
        placeholder.size += grown
        self._size += grown
        self._count += former is None
        while self._count > self._most_entries or self._size > self._most_bytes:
            self._drop(next(iter(self._owners)))

    def _drop(self, name: tuple[str, str]) -> None:
        if (owned := self._owners.pop(name, None)) is not None:
            self._count -= len(owned.entries)
            self._size -= owned.size

    def _sweep(self) -> None:
        now = self._steady()
        for _ in range(SWEPT):
            oldest = next(iter(self._owners), None)
            if oldest is None or self._owners[oldest].until > now:
                return
            self._drop(oldest)
