"""SQLAlchemyStore: a store in a table of PostgreSQL or MariaDB, on connections of its own."""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import URL, ColumnElement, Connection, Row, delete, event, make_url, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from powauth.clock import Clock, SystemClock
from powauth.errors import ConfigurationError, Deadlocked, StoreUnavailable
from powauth.near_cache import NearCache
from powauth.sqlalchemy.engines import answers, dialect_of, engine_like, is_lost
from powauth.sqlalchemy.examine import examine
from powauth.sqlalchemy.failures import translated
from powauth.sqlalchemy.feed import Feed, remember_server, server_of
from powauth.sqlalchemy.lookup import Lookup
from powauth.sqlalchemy.notices import NOBODYS, have_told
from powauth.sqlalchemy.store_table import Values, statements, store_table
from powauth.stores import Entry, Key, Weakness, from_microseconds, to_microseconds

T = TypeVar("T")


class SQLAlchemyStore:
    """A store in one table, made by `open`. SQLite works too, but `SQLiteStore` answers a hundred times faster.

    It never takes a connection of the application: a URL gives it an engine of its own, from an engine it takes the way
    to connect and opens a pool of its own. At most `connections` are open. A call that has no answer after `timeout`
    raises `StoreUnavailable`. What was acknowledged is as durable as the server's commits are.

    With `near_cache`, for PostgreSQL, sessions that were read are kept in the process while the server says what
    changes, on one direct connection more: most requests need no network, and what another process ends is refused
    within 50 ms, 2 s when connections are not healthy.
    """

    def __init__(
        self,
        database: str | URL | AsyncEngine,
        *,
        clock: Clock | None = None,
        table: str = "powauth_store",
        connections: int = 5,
        timeout: timedelta = timedelta(seconds=5),
        near_cache: bool = False,
    ) -> None:
        self._database = database if isinstance(database, AsyncEngine) else make_url(database)
        self._clock = clock or SystemClock()
        self._table = store_table(table)
        self._lookup = Lookup(self._table)
        self._say = statements(dialect := dialect_of(self._database), self._table)
        if near_cache and dialect != "postgresql":
            raise ConfigurationError(NO_NOTICES.format(dialect))
        self._connections = connections
        self._timeout = timeout
        self._turns = asyncio.Semaphore(connections)
        self._opening = asyncio.Lock()
        self._openings = 0
        self._engine: AsyncEngine | None = None
        self._near_cache = near_cache
        self.near_cache: NearCache | None = None
        """What this process keeps, while the store is open and if it was asked for."""
        self._feed: Feed | None = None
        if near_cache:  # without one there is nothing to ask PostgreSQL about itself
            self.weaknesses = self._weaknesses

    async def open(self) -> None:
        """Make the pool, and the table where it is missing. Raises `ConfigurationError` where the near cache cannot."""
        async with self._opening:
            if not self._openings:
                self._turns = asyncio.Semaphore(self._connections)  # of the event loop that opens it
                self._engine = engine_like(self._database, connections=self._connections)
                try:
                    await self._make_ready(self._engine)
                except BaseException:
                    await self._let_go()
                    raise
            self._openings += 1

    async def close(self) -> None:
        """Close the pool, at the last of as many calls as `open` had."""
        async with self._opening:
            self._openings = max(0, self._openings - 1)
            if not self._openings:
                await self._let_go()

    async def get(self, key: Key) -> Entry | None:
        """Return the value, unless it is absent or expired."""
        return await (self.near_cache.get(key, self._read) if self.near_cache else self._read(key))

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        """Store the value, whatever stands there."""
        values = new_row(key, value, expires_at)
        with self._changing(key.kind, key.owner):
            await self._run(lambda db: self._say.put(db, values), repeatable=True)

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        """Store the value if none stands there; say whether it was stored."""
        values = new_row(key, value, expires_at)
        with self._changing(key.kind, key.owner):
            return await self._run(lambda db: self._say.add(db, values, now=self._now()))

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        """Store the value if that version still stands there; say whether it was stored."""
        columns = self._table.c
        stands = (*self._at(key), columns.version == version, columns.expires_at > self._now())
        statement = update(self._table).where(*stands).values(new_state(value, expires_at))

        async def replace(db: AsyncConnection) -> bool:
            return (await db.execute(statement)).rowcount == 1

        with self._changing(key.kind, key.owner):
            return await self._run(replace)

    async def take(self, key: Key) -> Entry | None:
        """Return the value and remove it, atomically: of many callers exactly one receives it."""
        with self._changing(key.kind, key.owner):
            while row := await self._run(lambda db: self._row(db, key), repeatable=True):
                if await self._run(self._remover(*self._at(key), self._table.c.version == row.version)):
                    return self._alive(row)
        return None

    async def delete(self, key: Key) -> bool:
        """Remove the value; say whether one stood there."""
        return await self.take(key) is not None

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        """Add one to a counter and return it; a new counter starts at one, and only then is its expiry set."""
        values = new_row(key, b"1", expires_at)
        with self._changing(key.kind, key.owner):
            return await self._run(lambda db: self._say.increment(db, values, now=self._now()))

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        """Return the ids and values that one owner has, in no order."""
        columns = self._table.c
        statement = select(columns.id, *self._state).where(
            columns.kind == kind, columns.owner == owner, columns.expires_at > self._now()
        )

        async def rows(db: AsyncConnection) -> Sequence[Row[Any]]:
            return (await db.execute(statement)).all()

        return [(row.id, to_entry(row)) for row in await self._run(rows, repeatable=True)]

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        """Remove all values of one owner, except those; say how many."""
        columns = self._table.c
        these = [columns.kind == kind, columns.owner == owner]
        if keep:
            these.append(columns.id.not_in(keep))
        with self._changing(kind, owner):
            await self._run(self._remover(*these, columns.expires_at <= self._now()))  # so that they are not counted
            return await self._run(self._remover(*these))

    async def purge(self, *, limit: int = 1000) -> int:
        """Remove up to that many values that expired a minute ago or earlier; say how many. It only frees space."""
        before = to_microseconds(self._clock.now() - timedelta(minutes=1))
        return await self._run(lambda db: self._say.purge(db, before=before, limit=limit))

    def _now(self) -> int:
        return to_microseconds(self._clock.now())

    def _at(self, key: Key) -> Sequence[ColumnElement[bool]]:
        columns = self._table.c
        return (columns.kind == key.kind, columns.owner == key.owner, columns.id == key.id)

    @property
    def _state(self) -> Sequence[ColumnElement[Any]]:
        columns = self._table.c
        return (columns.value, columns.version, columns.expires_at)

    async def _read(self, key: Key) -> Entry | None:
        async def row(db: AsyncConnection) -> Row[Any] | None:
            found = await self._row(db, key)
            if self.near_cache and self._feed and server_of(db) != self._feed.server:
                self.near_cache.invalidate(key.kind, key.owner)  # nobody tells what changes on that server: not kept
            return found

        return self._alive(await self._run(row, repeatable=True))

    def _changing(self, kind: str, owner: str) -> AbstractContextManager[None]:
        return self.near_cache.changing(kind, owner) if self.near_cache else nullcontext()

    async def _row(self, db: AsyncConnection, key: Key) -> Row[Any] | None:
        return await self._lookup.row(db, key)

    def _alive(self, row: Row[Any] | None) -> Entry | None:
        return to_entry(row) if row is not None and row.expires_at > self._now() else None

    def _remover(self, *where: ColumnElement[bool]) -> Callable[[AsyncConnection], Awaitable[int]]:
        async def remove(db: AsyncConnection) -> int:
            return (await db.execute(delete(self._table).where(*where))).rowcount

        return remove

    async def _weaknesses(self) -> Sequence[Weakness]:
        """Return what of server and near cache is unsafe; `powauth check` prints it."""
        trouble = self._feed.trouble if self._feed else None
        return await self._run(lambda db: examine(db, trouble=trouble), repeatable=True)

    async def _make_ready(self, engine: AsyncEngine) -> None:
        if self._near_cache:
            event.listen(engine.sync_engine, "connect", remember_server)
        await self._run(self._create_table, repeatable=True)
        if self._near_cache:
            await self._run(lambda db: have_told(db, self._table.name), repeatable=True)
            self.near_cache = NearCache(self._clock)
            self._feed = Feed(self.near_cache, self._database, self._table.name)
            await self._feed.open(self._try_out)

    async def _try_out(self, owner: str) -> None:
        """Change a session of nobody's, and leave no trace."""
        key = Key(NOBODYS, owner, "")
        await self.put(key, b"", expires_at=self._clock.now())
        await self.delete(key)

    async def _let_go(self) -> None:
        feed, engine = self._feed, self._engine
        self._feed = self.near_cache = self._engine = None
        if feed:
            await feed.close()
        if engine:
            await engine.dispose()

    async def _create_table(self, db: AsyncConnection) -> None:
        def create(connection: Connection) -> None:
            self._table.create(connection, checkfirst=True)
            for index in self._table.indexes:
                index.create(connection, checkfirst=True)

        for _ in ("table", "index"):  # either may be refused because another process just made it
            with suppress(DBAPIError):
                return await db.run_sync(create)
        return await db.run_sync(create)

    async def _run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, repeatable: bool = False) -> T:
        """Run this, again after a deadlock, and again on another connection if it may be done twice."""
        attempt = 0
        try:
            async with asyncio.timeout(self._timeout.total_seconds()), self._turns:
                while True:
                    attempt += 1
                    try:
                        async with self._connect(ping=not repeatable) as db:
                            return await work(db)
                    except (DBAPIError, OSError) as error:
                        meaning = translated(error)
                        if meaning is None:  # a programmer's mistake
                            raise
                        again = isinstance(meaning, Deadlocked) or (repeatable and is_lost(error))
                        if not again or attempt == ATTEMPTS:
                            raise StoreUnavailable from error
                    await asyncio.sleep(random.uniform(0, PAUSE) * attempt)  # noqa: S311  apart, or they meet again
        except TimeoutError as error:
            raise StoreUnavailable from error

    @asynccontextmanager
    async def _connect(self, *, ping: bool) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection. One that rested may be dead: with `ping` that is noticed before anything is done on it."""
        if self._engine is None:
            raise ConfigurationError("SQLAlchemyStore is not open: run it within auth.lifespan(), or call open()")
        try:
            db = await self._engine.connect()
            if ping and not await answers(db):
                await db.close()
                db = await self._engine.connect()
        except Exception as error:  # drivers have many ways to say that they cannot connect
            raise StoreUnavailable from error
        try:
            yield db
        finally:
            await db.close()


ATTEMPTS = 5
PAUSE = 0.02  # seconds, times the attempt; a statement takes about a millisecond


NO_NOTICES = "near_cache needs PostgreSQL, which tells what changes; this store is on {}: leave near_cache away"


def new_state(value: bytes, expires_at: datetime) -> Values:
    """Return the columns of a new state, with a version that no state of any entry has borne."""
    return {"value": value, "version": secrets.randbits(63), "expires_at": to_microseconds(expires_at)}


def new_row(key: Key, value: bytes, expires_at: datetime) -> Values:
    """Return all columns of a new entry."""
    return key._asdict() | new_state(value, expires_at)


def to_entry(row: Row[Any]) -> Entry:
    """Return what a row holds."""
    return Entry(row.value, row.version, from_microseconds(row.expires_at))
