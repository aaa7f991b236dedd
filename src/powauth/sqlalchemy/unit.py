"""Unit: the accounts and records of one tenant, in one transaction."""

from typing import Generic

from powauth.accounts import Accounts, Handle
from powauth.database import Schema
from powauth.records import R, Records
from powauth.sqlalchemy.accounts import UserAccounts
from powauth.sqlalchemy.erasure import erase
from powauth.sqlalchemy.layout import U
from powauth.sqlalchemy.records import TableRecords
from powauth.sqlalchemy.transaction import Callback, Transaction


class Unit(Generic[U]):
    """A unit of work, in a transaction of Powauth's own or in the application's."""

    def __init__(self, transaction: Transaction[U], schema: Schema) -> None:
        self._transaction = transaction
        self._schema = schema

    @property
    def accounts(self) -> Accounts:
        """The accounts of its tenant."""
        return UserAccounts(self._transaction)

    @property
    def has_written(self) -> bool:
        """Whether something would be lost by a rollback, or a row is locked."""
        return self._transaction.has_written

    def records(self, record: type[R]) -> Records[R]:
        """Return the rows of a record of its tenant."""
        return TableRecords(self._transaction, record, self._transaction.layout.record_table(self._schema, record))

    async def erase(self, handle: Handle) -> None:
        """Delete, keep or anonymise what records hold about an account, as each of them says of its owner."""
        await erase(self._transaction, self._schema, handle)

    async def release(self) -> None:
        """Give the connection back early: what was read is forgotten. Refused once something was written."""
        await self._transaction.release()

    async def commit(self) -> None:
        """Make what was written last; a joined unit only flushes. Raises `Deadlocked`, `DatabaseUnavailable`."""
        await self._transaction.commit()

    async def rollback(self) -> None:
        """Forget what was written; a joined unit leaves that to the application."""
        await self._transaction.rollback()

    def on_commit(self, callback: Callback) -> None:
        """Run this after the outermost commit, and never after a rollback."""
        self._transaction.on_commit(callback)
