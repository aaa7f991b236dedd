"""Transaction: statements that fail in Powauth's words, in a session of Powauth's own or of the application's."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import CursorResult, Executable, Result
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from powauth.sqlalchemy.failures import Uniques
from powauth.sqlalchemy.layout import Layout, U
from powauth.tenants import Tenant

T = TypeVar("T")
Callback = Callable[[], Awaitable[None]]


class Transaction(ABC, Generic[U]):
    """What both kinds have in common."""

    def __init__(self, layout: Layout[U], tenant: Tenant) -> None:
        self.layout = layout
        self.tenant = tenant
        self.has_written = False

    async def read(self, statement: Executable) -> Result[Any]:
        """Run a statement that changes nothing."""
        return await self.run(lambda session: session.execute(statement, bind_arguments=self.bind_arguments))

    async def write(self, statement: Executable, uniques: Uniques | None = None) -> CursorResult[Any]:
        """Run a statement that changes or locks something. Raises `Taken`, after which the unit goes on."""

        async def work(session: AsyncSession) -> Result[Any]:
            # only on PostgreSQL a statement that fails takes the whole transaction along
            if uniques is None or self.layout.engine.dialect.name != "postgresql":
                return await session.execute(statement, bind_arguments=self.bind_arguments)
            return await guarded(session, lambda: session.execute(statement, bind_arguments=self.bind_arguments))

        return cast("CursorResult[Any]", await self.change(work, uniques))

    async def flush(self, prepare: Callable[[AsyncSession], Awaitable[None]], uniques: Uniques | None = None) -> None:
        """Change objects of the session and write them. Raises `Taken`, after which the unit goes on."""

        async def work(session: AsyncSession) -> None:
            async def flushed() -> None:
                await prepare(session)
                await session.flush()

            await guarded(session, flushed)

        await self.change(work, uniques)

    async def change(self, work: Callable[[AsyncSession], Awaitable[T]], uniques: Uniques | None = None) -> T:
        """Do work that changes or locks something."""
        await self._prepare_to_write()
        result = await self.run(work, uniques)
        self.has_written = True
        return result

    @abstractmethod
    async def run(self, work: Callable[[AsyncSession], Awaitable[T]], uniques: Uniques | None = None) -> T:
        """Do work in the session of this unit; errors leave in Powauth's words."""

    @abstractmethod
    async def release(self) -> None:
        """Give the connection back early."""

    @abstractmethod
    async def commit(self) -> None:
        """Make what was written last."""

    @abstractmethod
    async def rollback(self) -> None:
        """Forget what was written."""

    @abstractmethod
    def on_commit(self, callback: Callback) -> None:
        """Run this after the outermost commit, and never after a rollback."""

    @abstractmethod
    async def _prepare_to_write(self) -> None: ...

    @property
    def bind_arguments(self) -> dict[str, Any]:
        """Which of several databases the session shall ask: the one with the users."""
        return {"mapper": self.layout.mapper}


async def guarded(session: AsyncSession, work: Callable[[], Awaitable[T]]) -> T:
    """Do the work behind a savepoint: when it fails, all that came before still stands."""
    savepoint = await session.begin_nested()
    try:
        result = await work()
    except BaseException:
        with suppress(SQLAlchemyError):  # a deadlock took the savepoint along: its own error is the one to tell
            await savepoint.rollback()
        raise
    await savepoint.commit()
    return result
