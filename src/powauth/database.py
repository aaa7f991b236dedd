"""Database: what opens units of work. A database adapter implements it, its units, `Accounts` and `Records`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from powauth.accounts import Account, Accounts, Handle
from powauth.clock import Clock
from powauth.records import R, Record, Records
from powauth.stores import Store
from powauth.tenants import Tenant

U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one `Auth`: the records of its extensions, and what stands before their names."""

    prefix: str
    records: tuple[type[Record], ...]


class DatabaseUnit(Protocol):
    """One transaction. It takes its connection at its first query and gives it back at the end or at `release`."""

    @property
    def accounts(self) -> Accounts:
        """The accounts of its tenant."""
        ...

    @property
    def has_written(self) -> bool:
        """Whether something would be lost by a rollback, or a row is locked."""
        ...

    def records(self, record: type[R]) -> Records[R]:
        """Return the rows of a record of its tenant."""
        ...

    async def erase(self, handle: Handle) -> None:
        """Delete, keep or anonymise what records hold about an account, as each of them says of its owner."""
        ...

    async def release(self) -> None:
        """Give the connection back early: what was read is forgotten. Refused once something was written."""
        ...

    async def commit(self) -> None:
        """Make what was written last; a joined unit only flushes. Raises `Taken`, `Deadlocked`, `Unavailable`."""
        ...

    async def rollback(self) -> None:
        """Forget what was written; a joined unit leaves that to the application."""
        ...

    def on_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run this after the outermost commit, and never after a rollback."""
        ...


class Database(Protocol[U]):
    """Where accounts and records last; `U` is the application's own user."""

    def declare(self, schema: Schema) -> Sequence[str]:
        """Add the tables of an `Auth` to the application's metadata and return what is missing or clashes there."""
        ...

    def unit(self, schema: Schema, tenant: Tenant, *, writes: bool) -> DatabaseUnit:
        """Return a transaction of Powauth's own. One that does not write takes no locks."""
        ...

    def join(self, schema: Schema, tenant: Tenant, db: object) -> DatabaseUnit:
        """Return a unit inside the application's transaction: it flushes and never commits."""
        ...

    def store(self, schema: Schema, clock: Clock) -> Store:
        """Return the store that suits this database when the application names none."""
        ...

    async def open(self, tenants: Sequence[Tenant] = ()) -> None:
        """Connect; upgrade the data of tables whose version is older, in the schema of each tenant that has one."""
        ...

    async def close(self) -> None:
        """Let go of what `open` took; the application's engine stays its own."""
        ...

    async def user(self, schema: Schema, tenant: Tenant, db: object, account_id: str) -> U | None:
        """Load the application's user in the application's own database session, by primary key."""
        ...

    def account(self, user: U) -> Account:
        """Read a loaded user as an account; asks the database nothing."""
        ...
