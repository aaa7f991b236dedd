"""A transaction of the application's that Powauth takes part in: it flushes and never commits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.util import await_only

from powauth.errors import ConfigurationError
from powauth.sqlalchemy import writers
from powauth.sqlalchemy.failures import Uniques, translated
from powauth.sqlalchemy.layout import Layout, U
from powauth.sqlalchemy.transaction import Callback, Transaction
from powauth.tenants import Tenant

T = TypeVar("T")

_WAITING = "powauth"  # in the session's `info`


class JoinedTransaction(Transaction[U]):
    """Its connection, its commit and its rollback are the application's."""

    def __init__(self, layout: Layout[U], tenant: Tenant, session: AsyncSession) -> None:
        super().__init__(layout, tenant)
        self._session = session
        self._is_led = False

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]], uniques: Uniques | None = None) -> T:
        """Do work in the application's session."""
        try:
            await self._lead()
            return await work(self._session)
        except Exception as error:
            raise translated(error, uniques) or error from error

    async def release(self) -> None:
        """Do nothing: the connection is the application's."""

    async def commit(self) -> None:
        """Flush; the application commits."""
        await self.run(lambda session: session.flush(), self.layout.uniques)

    async def rollback(self) -> None:
        """Do nothing: whether all of it is undone is for the application to say."""

    def on_commit(self, callback: Callback) -> None:
        """Run this after the outermost commit, awaited in the application's own `commit()`; never after a rollback."""
        session = self._session.sync_session
        waiting = session.info.get(_WAITING)
        if not isinstance(waiting, _Waiting):
            waiting = session.info[_WAITING] = _Waiting()
            event.listen(session, "after_commit", waiting.committed)
            event.listen(session, "after_transaction_end", waiting.ended)
        waiting.add(session.get_nested_transaction() or session.get_transaction() or session.begin(), callback)

    async def _prepare_to_write(self) -> None:
        """On SQLite take the write lock, if nothing is begun: a savepoint without a transaction commits by itself."""

        async def begin(session: AsyncSession) -> None:
            connection = await session.connection(bind_arguments=self.bind_arguments)
            if connection.dialect.name == "sqlite" and not await writers.is_begun(connection):
                await writers.begin_immediate(connection)

        await self.run(begin)

    async def _lead(self) -> None:
        """Lead the application's connection into the tenant's schema, for as long as its transaction lasts."""
        options = self.layout.translation(self.tenant)
        if not options or self._is_led:
            return
        connection = (await self._session.connection(bind_arguments=self.bind_arguments)).sync_connection
        if connection is None:
            return
        there = connection.get_execution_options().get("schema_translate_map")
        if there and there != options["schema_translate_map"]:
            raise ConfigurationError(f"the joined session is in another schema than the tenant {self.tenant.id}")
        connection.execution_options(**options)
        self._is_led = True


@dataclass(slots=True)
class _Waiting:
    """What waits for the end of a session's transactions, savepoints included."""

    callbacks: dict[SessionTransaction, list[Callback]] = field(default_factory=dict)
    done: set[SessionTransaction] = field(default_factory=set)

    def add(self, transaction: SessionTransaction, callback: Callback) -> None:
        self.callbacks.setdefault(transaction, []).append(callback)

    def committed(self, session: Session) -> None:
        transaction = session.get_nested_transaction() or session.get_transaction()
        if transaction is not None:
            self.done.add(transaction)

    def ended(self, _session: Session, transaction: SessionTransaction) -> None:
        """Drop what a rollback undid, hand on what a savepoint holds, and run what the outermost commit made last.

        Not in `committed`: the connection is back in its pool only now, and a callback may need one.
        """
        callbacks = self.callbacks.pop(transaction, [])
        if transaction not in self.done:
            return
        self.done.discard(transaction)
        if transaction.parent is not None:
            self.callbacks.setdefault(transaction.parent, []).extend(callbacks)
            return
        for callback in callbacks:
            await_only(callback())
