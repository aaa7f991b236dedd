"""Powauth's own transaction, in a session that nobody else sees."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import StaticPool

from powauth.errors import DatabaseUnavailable, Deadlocked, Stale
from powauth.sqlalchemy import writers
from powauth.sqlalchemy.failures import Uniques, is_stale, translated, translated_read
from powauth.sqlalchemy.layout import Layout, U
from powauth.sqlalchemy.transaction import Callback, Transaction
from powauth.sqlalchemy.types import MYSQL
from powauth.tenants import Tenant
from powauth.units import to_its_end

T = TypeVar("T")


class OwnTransaction(Transaction[U]):
    """It takes its connection at the first statement, and gives it back at the end."""

    def __init__(self, layout: Layout[U], tenant: Tenant, *, writes: bool) -> None:
        super().__init__(layout, tenant)
        self._writes = writes
        self._session: AsyncSession | None = None
        self._turn: asyncio.Lock | None = None
        self._callbacks: list[Callback] = []

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]], uniques: Uniques | None = None) -> T:
        """Do work in the session of this unit, and once more if its first connection was dead before it was used."""
        is_first = self._session is None
        try:
            return await self._attempt(work)
        except Exception as error:
            if not (is_first and is_stale(error)):
                raise self._told(error, uniques) from error
        await self._end()
        try:
            return await self._attempt(work)
        except Exception as error:
            raise self._told(error, uniques) from error

    async def release(self) -> None:
        """Give the connection back early: what was read is forgotten. Refused once something was written."""
        if self.has_written:
            raise RuntimeError("this unit of work has written: commit or roll back, then release")
        await self._end()

    async def commit(self) -> None:
        """Make what was written last; then do what waited for it."""
        try:
            await self._commit()
        except Exception as error:
            raise self._told(error, self.layout.uniques) from error
        finally:
            await self._end()
        callbacks, self._callbacks = self._callbacks, []
        if callbacks:  # committed: the session that was to end must end, whoever hangs up meanwhile
            await to_its_end(_follow(callbacks))

    async def rollback(self) -> None:
        """Forget what was written, and what waited for the commit."""
        self._callbacks = []
        await self._end()

    def on_commit(self, callback: Callback) -> None:
        """Run this after the commit, and never after a rollback."""
        self._callbacks.append(callback)

    async def _attempt(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        session = self._session or await self._begin()
        if self.layout.engine.dialect.name == "sqlite" and not self._writes:
            return await writers.patiently(lambda: work(session))
        return await work(session)

    async def _begin(self) -> AsyncSession:
        engine = self.layout.engine
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite and (self._writes or isinstance(engine.pool, StaticPool)):  # one connection, one transaction
            await self._take_turn(engine)
        self._session = session = self.layout.sessionmaker(expire_on_commit=False)
        options = self.layout.translation(self.tenant)
        if options:
            # of the connection, not of each statement: what the session flushes goes the same way
            _ = await session.connection(bind_arguments=self.bind_arguments, execution_options=options)
        if self._writes and isinstance(self.layout.bind, Engine):
            await self._begin_to_write(session, engine)
        return session

    async def _begin_to_write(self, session: AsyncSession, engine: Engine) -> None:
        if engine.dialect.name == "sqlite":
            await writers.begin_immediate(await session.connection(bind_arguments=self.bind_arguments))
        elif engine.dialect.name in MYSQL:
            # In its default level a transaction goes on reading what stood there before it waited for a lock.
            connection = await session.connection(bind_arguments=self.bind_arguments)
            await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    async def _take_turn(self, engine: Engine) -> None:
        turn = writers.queue(engine)
        await turn.acquire()
        self._turn = turn

    async def _prepare_to_write(self) -> None:
        if not self._writes:
            raise RuntimeError("this unit of work was opened to read: open it with writes=True")

    async def _commit(self) -> None:
        session = self._session
        if session is None:
            return
        bind = self.layout.bind
        if self.has_written and bind.dialect.name == "sqlite" and isinstance(bind, Engine):
            await session.flush()
            await writers.commit(await session.connection(bind_arguments=self.bind_arguments))
        await session.commit()

    async def _end(self) -> None:
        session, self._session = self._session, None
        self.has_written = False
        try:
            if session is not None:
                await session.close()
        finally:
            turn, self._turn = self._turn, None
            if turn is not None:
                turn.release()

    def _told(self, error: Exception, uniques: Uniques | None) -> Exception:
        return (translated(error, uniques) if self._writes else translated_read(error)) or error


async def _follow(callbacks: Sequence[Callback]) -> None:
    """Do all that waited for the commit, although some of it fails; raise the first failure at the end."""
    failures: list[Exception] = []
    for callback in callbacks:
        try:
            await callback()
        except (Deadlocked, Stale) as error:  # of another unit: this one is committed and must not be begun again
            failures.append(DatabaseUnavailable())
            failures[-1].__cause__ = error
        except Exception as error:  # noqa: BLE001  raised below
            failures.append(error)
    if failures:
        raise failures[0]
