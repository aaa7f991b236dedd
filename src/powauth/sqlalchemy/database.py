"""SQLAlchemyDatabase: the application's own engine, sessions and user model as Powauth's database."""

from collections.abc import Sequence
from typing import Any, Generic, cast
from urllib.parse import urlsplit

from sqlalchemy import Engine, Table
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_scoped_session, async_sessionmaker

from powauth.accounts import Account
from powauth.clock import Clock
from powauth.database import DatabaseUnit, Schema
from powauth.errors import ConfigurationError
from powauth.records import Record
from powauth.sqlalchemy import upgrades
from powauth.sqlalchemy.columns import OwnColumn
from powauth.sqlalchemy.encryption import Encryption
from powauth.sqlalchemy.failures import translated_read
from powauth.sqlalchemy.joined import JoinedTransaction
from powauth.sqlalchemy.layout import Layout, U
from powauth.sqlalchemy.names import shortened
from powauth.sqlalchemy.own import OwnTransaction
from powauth.sqlalchemy.store import NO_NOTICES, SQLAlchemyStore
from powauth.sqlalchemy.tables import announce_store_table
from powauth.sqlalchemy.unit import Unit
from powauth.sqlite import SQLiteStore
from powauth.stores import MemoryStore, Store
from powauth.tenants import SINGLE, Tenant


class SQLAlchemyDatabase(Generic[U]):
    """Where accounts and records last: in the application's database, beside its own tables.

    database = SQLAlchemyDatabase(async_sessionmaker(engine), User)
    """

    def __init__(
        self,
        sessionmaker: async_sessionmaker[Any],  # its sessions may be of a class of the application's
        user: type[U],
        *,
        encryption: Encryption | None = None,
        near_cache: bool = False,
    ) -> None:
        self._near_cache = near_cache
        self._layout = Layout(sessionmaker, user, encryption)

    def declare(self, schema: Schema) -> Sequence[str]:
        """Add the tables of an `Auth` to the application's metadata and return what is missing or clashes there."""
        return self._layout.declare(schema)

    def unit(self, schema: Schema, tenant: Tenant, *, writes: bool) -> DatabaseUnit:
        """Return a transaction of Powauth's own. One that does not write takes no locks."""
        return Unit(OwnTransaction(self._layout, tenant, writes=writes), schema)

    def join(self, schema: Schema, tenant: Tenant, db: object) -> DatabaseUnit:
        """Return a unit inside the application's transaction: it flushes and never commits."""
        return Unit(JoinedTransaction(self._layout, tenant, _session(db)), schema)

    def store(self, schema: Schema, clock: Clock) -> Store:
        """Return the store that suits this database when the application names none.

        Beside a SQLite file stands a file of its own; PostgreSQL and MariaDB get a table, on connections of its own.
        With `near_cache`, for PostgreSQL, each process keeps the sessions that it read.
        """
        engine = self._layout.engine
        if engine.dialect.name != "sqlite":
            name = shortened(f"{schema.prefix}_store" if schema.prefix else "powauth_store")
            if name not in self._layout.metadata.tables:  # or Alembic would propose to drop what it does not know
                announce_store_table(self._layout.metadata, name)
            return SQLAlchemyStore(AsyncEngine(engine), clock=clock, table=name, near_cache=self._near_cache)
        if self._near_cache:
            raise ConfigurationError(NO_NOTICES.format(engine.dialect.name))
        path = _sqlite_path(engine)
        return MemoryStore(clock) if path is None else SQLiteStore(f"{path}-{schema.prefix}-sessions.db", clock=clock)

    async def open(self, tenants: Sequence[Tenant] | None = None) -> None:
        """Connect; upgrade the data of tables whose version is older, in the schema of each tenant that has one."""
        apart = {tenant.schema: tenant for tenant in tenants or () if tenant.schema is not None}
        common = () if apart and len(apart) == len(tenants or ()) else (Tenant(SINGLE, ""),)
        for schema in self._layout.schemas:
            if tenants is not None and not tenants and not await upgrades.is_there(self._layout, schema, *common):
                continue  # no tenant yet, and each will have a schema of its own
            for tenant in (*common, *apart.values()):
                await upgrades.upgrade(self._layout, schema, tenant)

    async def close(self) -> None:
        """Let go of nothing: the engine is the application's."""

    @property
    def users_table(self) -> str:
        """The name of the application's table of users, as its metadata has it."""
        return self._layout.table.fullname

    def own_columns(self) -> Sequence[OwnColumn]:
        """Return the columns that the application's model has beside ours and its primary key."""
        return self._layout.own_columns()

    def table(self, schema: Schema, record: type[Record]) -> Table:
        """Return the table of a record, as the application's metadata has it."""
        return self._layout.record_table(schema, record).table

    def versions_table(self, schema: Schema) -> Table:
        """Return the table that holds the versions of the others, as the application's metadata has it."""
        return upgrades.versions(self._layout, schema)

    async def dispose(self) -> None:
        """Close the pooled connections of the application's engine: for a process that ends after one piece of work."""
        await AsyncEngine(self._layout.engine).dispose()

    async def create_tables(self, tenant: Tenant | None = None) -> None:
        """Create the tables that are missing, the application's own included: for demos, tests and first steps.

        With a tenant that has a schema of its own: in there, and the schema as well; also while the application runs.
        Several processes may make the same tables at once.

        A column that a newer version of Powauth brings is added to its tables if it may be empty. An application with
        migrations, such as Alembic's, does not need this: all tables are in its metadata once its `Auth` is made.
        """
        await upgrades.create_tables(self._layout, tenant)

    async def user(self, schema: Schema, tenant: Tenant, db: object, account_id: str) -> U | None:  # noqa: ARG002  one layout for all
        """Load the application's user in the application's own database session, by primary key."""
        key = self._layout.key.parse(account_id)
        if key is None:
            return None
        options = self._layout.translation(tenant)
        try:
            user = await _session(db).get(self._layout.user, key, execution_options=options)
        except Exception as error:
            raise translated_read(error) or error from error
        if user is None or user.tenant != tenant.id or self.account(user).id != account_id:
            return None
        return user

    def account(self, user: U) -> Account:
        """Read a loaded user as an account; asks the database nothing."""
        return self._layout.account(user)


def _session(db: object) -> AsyncSession:
    if isinstance(db, async_scoped_session):
        return cast("async_scoped_session[AsyncSession]", db)()
    if not isinstance(db, AsyncSession):
        raise TypeError(f"a database session of the application's is an AsyncSession, not {type(db).__name__}")
    return db


def _sqlite_path(engine: Engine) -> str | None:
    """Return the path of the database's file, `None` if it is in memory."""
    path = engine.url.database or ""
    if path.startswith("file:"):
        uri = urlsplit(path)
        return None if "memory" in (uri.path, engine.url.query.get("mode")) or ":memory:" in uri.path else uri.path
    return None if path in {"", ":memory:"} else path
