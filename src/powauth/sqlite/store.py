"""SQLiteStore: a store in a file of its own, which several processes share and a restart finds again."""

import asyncio
import os
import random
import secrets
import sqlite3
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from powauth.clock import Clock, SystemClock
from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.sqlite.file import checkpoint, connect, transaction
from powauth.stores import Entry, Key, from_microseconds, to_microseconds

T = TypeVar("T")


class SQLiteStore:
    """A store in a file beside the application's database, never in it.

    Calls run on the event loop: a read takes microseconds, and nobody waits for another process but the caller.

    What was acknowledged survives the process, however it ends. When the machine loses power, the writes of the last
    moments may be undone: a session that was just ended may come back, until it expires. With `power_safe=True` every
    write waits for the disk instead, and the event loop with it, for some milliseconds.

    `patience` says how long a call may wait while other processes write; then it raises `StoreUnavailable`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Clock | None = None,
        patience: timedelta = timedelta(seconds=2),
        power_safe: bool = False,
    ) -> None:
        if os.fspath(path) in {"", ":memory:"}:
            raise ConfigurationError("SQLiteStore needs the path of a file: for a store in memory, take MemoryStore")
        self._path = Path(path).absolute()
        self._clock = clock or SystemClock()
        self._patience = patience
        self._power_safe = power_safe
        self._opening = asyncio.Lock()
        self._openings = 0
        self._connection: sqlite3.Connection | None = None
        self._opened_in = 0
        self._writes = 0
        self._checkpoint: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Open the file, made with mode 0600 where it is missing. Raises `ConfigurationError` if it is not ours."""
        async with self._opening:
            if not self._openings:
                self._connection = await self._patiently(lambda: connect(self._path, power_safe=self._power_safe))
                self._opened_in = os.getpid()
            self._openings += 1

    async def close(self) -> None:
        """Close the file, at the last of as many calls as `open` had."""
        async with self._opening:
            self._openings -= 1
            if self._openings:
                return
            if self._checkpoint:
                await self._checkpoint
            self._db.close()
            self._connection = None

    async def get(self, key: Key) -> Entry | None:
        """Return the value, unless it is absent or expired."""
        try:
            return self._find(key)  # each request asks once, and hardly any has to wait
        except sqlite3.DatabaseError:
            return await self._patiently(lambda: self._find(key))

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        """Store the value, whatever stands there."""
        await self._write(lambda: self._put(key, value, expires_at))

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        """Store the value if none stands there; say whether it was stored."""

        def add() -> bool:
            row = (*key, value, new_version(), to_microseconds(expires_at), self._now())
            return self._db.execute(ADD, row).rowcount > 0

        return await self._write(add)

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        """Store the value if that version still stands there; say whether it was stored."""

        def replace() -> bool:
            row = (value, new_version(), to_microseconds(expires_at), *key, version, self._now())
            return self._db.execute(REPLACE, row).rowcount > 0

        return await self._write(replace)

    async def take(self, key: Key) -> Entry | None:
        """Return the value and remove it, atomically: of many callers exactly one receives it."""

        def take() -> Entry | None:
            if self._db.execute(GET, key).fetchone() is None:  # what is not there needs no lock
                return None
            with transaction(self._db):
                entry = self._find(key)
                self._db.execute(DELETE, key)
            return entry

        return await self._write(take)

    async def delete(self, key: Key) -> bool:
        """Remove the value; say whether one stood there."""
        return await self.take(key) is not None

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        """Add one to a counter and return it; a new counter starts at one, and only then is its expiry set."""

        def increment() -> int:
            with transaction(self._db):
                entry = self._find(key)
                count = int(entry.value) + 1 if entry else 1
                self._put(key, b"%d" % count, entry.expires_at if entry else expires_at)
            return count

        return await self._write(increment)

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        """Return the ids and values that one owner has, in no order."""
        rows = await self._patiently(lambda: self._db.execute(LIST, (kind, owner, self._now())).fetchall())
        return [(id, to_entry(*row)) for id, *row in rows]

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        """Remove all values of one owner, except those; say how many."""

        def delete_all() -> int:
            if not self._db.execute(OWNED, (kind, owner)).fetchall():
                return 0
            with transaction(self._db):
                rows = self._db.execute(OWNED, (kind, owner)).fetchall()
                gone = [(id, expires_at) for id, expires_at in rows if id not in keep]
                self._db.executemany(DELETE, [(kind, owner, id) for id, _ in gone])
            now = self._now()
            return sum(expires_at > now for _, expires_at in gone)

        return await self._write(delete_all)

    async def purge(self, *, limit: int = 1000) -> int:
        """Remove up to that many values that expired a minute ago or earlier; say how many. It only frees space."""
        before = to_microseconds(self._clock.now() - timedelta(minutes=1))
        removed = 0
        while removed < limit:
            batch = min(limit - removed, BATCH)
            gone = await self._write(partial(self._purge, before, batch))
            removed += gone
            if gone < batch:
                break
            await asyncio.sleep(0)  # requests come first
        return removed

    @property
    def _db(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ConfigurationError("SQLiteStore is not open: run it within auth.lifespan(), or call open()")
        if self._opened_in != os.getpid():  # SQLite forbids it: the file's locks did not come along
            raise ConfigurationError("SQLiteStore was opened before a fork: open it in each process, after the fork")
        return self._connection

    def _now(self) -> int:
        return to_microseconds(self._clock.now())

    def _find(self, key: Key) -> Entry | None:
        row = self._db.execute(GET, key).fetchone()
        entry = to_entry(*row) if row else None
        return entry if entry is not None and entry.expires_at > self._clock.now() else None

    def _put(self, key: Key, value: bytes, expires_at: datetime) -> None:
        self._db.execute(PUT, (*key, value, new_version(), to_microseconds(expires_at)))

    def _purge(self, before: int, limit: int) -> int:
        return self._db.execute(PURGE, (before, limit)).rowcount

    async def _write(self, work: Callable[[], T]) -> T:
        result = await self._patiently(work)
        self._writes += 1
        if self._writes % CHECKPOINT_EVERY == 0 and (self._checkpoint is None or self._checkpoint.done()):
            self._checkpoint = asyncio.get_running_loop().run_in_executor(None, checkpoint, self._path)
        return result

    async def _patiently(self, work: Callable[[], T]) -> T:
        """Run this at once, and again as long as another process holds the file, which does nothing and says so."""
        until: float | None = None
        while True:
            try:
                return work()
            except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
                raise
            except sqlite3.DatabaseError as error:
                now = asyncio.get_running_loop().time()
                until = until or now + self._patience.total_seconds()
                if not is_busy(error) or now > until:
                    raise StoreUnavailable from error
            await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  so that waiting processes do not meet again


BATCH = 100  # about 1 ms
CHECKPOINT_EVERY = 500  # writes, of 2 to 3 pages each: the log stays near 6 MB
LONGEST_PAUSE = 0.01  # seconds; a write takes 0.02 ms


def is_busy(error: sqlite3.DatabaseError) -> bool:
    """Say whether another process was in the way, and the same may succeed in a moment."""
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def new_version() -> int:
    """Return a number that no state of any entry has borne."""
    return secrets.randbits(63)


def to_entry(value: bytes, version: int, expires_at: int) -> Entry:
    """Return what a row holds."""
    return Entry(value, version, from_microseconds(expires_at))


GET = "SELECT value, version, expires_at FROM entries WHERE kind = ? AND owner = ? AND id = ?"
PUT = """
INSERT INTO entries (kind, owner, id, value, version, expires_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, owner, id) DO UPDATE
SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at
"""
ADD = PUT + "WHERE entries.expires_at <= ?"
REPLACE = """
UPDATE entries SET value = ?, version = ?, expires_at = ?
WHERE kind = ? AND owner = ? AND id = ? AND version = ? AND expires_at > ?
"""
DELETE = "DELETE FROM entries WHERE kind = ? AND owner = ? AND id = ?"
LIST = "SELECT id, value, version, expires_at FROM entries WHERE kind = ? AND owner = ? AND expires_at > ?"
OWNED = "SELECT id, expires_at FROM entries WHERE kind = ? AND owner = ?"
PURGE = """
DELETE FROM entries WHERE (kind, owner, id) IN
(SELECT kind, owner, id FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
"""
