"""Upgrades: tables have versions, and data steps run once when a newer one is met."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, NoSuchTableError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateColumn, CreateSchema

from powauth.database import Schema
from powauth.errors import ConfigurationError, Deadlocked, Taken
from powauth.records import Record
from powauth.sqlalchemy.columns import RESERVED
from powauth.sqlalchemy.failures import Uniques
from powauth.sqlalchemy.layout import Layout
from powauth.sqlalchemy.own import OwnTransaction
from powauth.sqlalchemy.tables import RecordTable
from powauth.sqlalchemy.transaction import Transaction
from powauth.sqlalchemy.versions import version_table
from powauth.tenants import SINGLE, Tenant

T = TypeVar("T")

TRIES = 10
"""How often an upgrade is begun that the database undoes, as it may where many processes start at once."""


async def upgrade(layout: Layout[Any], schema: Schema, tenant: Tenant | None = None) -> None:
    """Run the steps that the stored versions of the tables do not have behind them, each table in one transaction.

    Adding columns is for the application's migrations: they run before, the steps fill what they added.
    """
    where = tenant or Tenant(SINGLE, "")
    await _check(layout, schema, where)
    for record in schema.records:
        await _upgrade(layout, schema, where, record)


async def create_tables(layout: Layout[Any], tenant: Tenant | None = None) -> None:
    """Create what is missing in the application's metadata, in the tenant's schema if it has one, and stamp it."""
    where = tenant or Tenant(SINGLE, "")
    before: object = None
    while True:
        try:
            await _make(layout, where)
            break
        except DBAPIError:  # another process may have made the same at the same time: then more is there than before
            there = await _inspected(layout, where, lambda connection: _made(connection, layout, where))
            if there == before:
                raise
            before = there
    for schema in layout.schemas:
        await upgrade(layout, schema, where)


def _made(connection: Connection, layout: Layout[Any], tenant: Tenant) -> Mapping[str, set[str]]:
    names = [table.name for table in layout.metadata.tables.values()]
    return _reflected(connection, names, tenant.schema or layout.table.schema)


async def _make(layout: Layout[Any], where: Tenant) -> None:
    options = layout.translation(where)
    session = layout.sessionmaker()
    try:
        connection = await session.connection(bind_arguments={"mapper": layout.mapper}, execution_options=options)
        await connection.run_sync(_create, layout, where.schema)
        await session.commit()
    finally:
        await session.close()


def _create(connection: Connection, layout: Layout[Any], own: str | None) -> None:
    if own is not None:
        connection.execute(CreateSchema(own, if_not_exists=True))
    layout.metadata.create_all(connection)
    for schema in layout.schemas:
        for record in schema.records:
            _add_columns(connection, layout.record_table(schema, record), own)


def _add_columns(connection: Connection, table: RecordTable, own: str | None) -> None:
    where = own or table.table.schema
    there = {column["name"] for column in inspect(connection).get_columns(table.table.name, where)}
    for column in table.table.columns:
        if column.name in there:
            continue
        if not column.nullable:
            raise ConfigurationError(f"{table.table.name}.{column.name} may not be empty: write a migration to add it")
        preparer = connection.dialect.identifier_preparer
        name = f"{preparer.quote_schema(where)}." if where else ""
        name += preparer.quote(table.table.name)
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {definition}")


async def _check(layout: Layout[Any], schema: Schema, tenant: Tenant) -> None:
    """Refuse to start over tables that no migration made yet: a request would say so too late, and less clearly."""
    missing = await _inspected(layout, tenant, lambda connection: _missing(connection, layout, schema, tenant))
    if missing:
        found = ", ".join(missing)
        raise ConfigurationError(f"missing in the database: {found}. Run your migrations, or create_tables()")


def _missing(connection: Connection, layout: Layout[Any], schema: Schema, tenant: Tenant) -> list[str]:
    """Return the tables and columns that are not there; of the application's own table only our columns count."""
    wanted = _columns(layout, schema)
    there = _reflected(connection, list(wanted), tenant.schema or layout.table.schema)
    tables = [f"the table {name}" for name in wanted if name not in there]
    lacking = [(name, column) for name in there for column in wanted[name] if column.lower() not in there[name]]
    return tables + [f"the column {name}.{column}" for name, column in lacking]


def _columns(layout: Layout[Any], schema: Schema) -> Mapping[str, Sequence[str]]:
    ours = [layout.record_table(schema, record).table for record in schema.records]
    attribute = layout.mapper.get_property_by_column
    users = [column.name for column in layout.table.columns if attribute(column).key in RESERVED]
    found = {table.name: list(table.columns.keys()) for table in (versions(layout, schema), *ours)}
    return {layout.table.name: users, **found}


def _reflected(connection: Connection, names: Sequence[str], where: str | None) -> Mapping[str, set[str]]:
    """Return the columns of the tables that are there, in few questions; a view passes for a table."""
    inspector = inspect(connection)
    found = {name: columns for (_, name), columns in inspector.get_multi_columns(where, names).items()}
    for name in set(names) - found.keys():  # a view, or a server that writes names in its own way
        with suppress(NoSuchTableError):
            found[name] = inspector.get_columns(name, where)
    return {name: {column["name"].lower() for column in found[name]} for name in names if name in found}


async def is_there(layout: Layout[Any], schema: Schema, tenant: Tenant) -> bool:
    """Say whether the tables of an `Auth` were made, where a tenant has them."""
    table = versions(layout, schema)
    where = tenant.schema or table.schema
    return await _inspected(layout, tenant, lambda connection: inspect(connection).has_table(table.name, where))


async def _inspected(layout: Layout[Any], tenant: Tenant, look: Callable[[Connection], T]) -> T:
    async def run(session: AsyncSession) -> T:
        connection = await session.connection(bind_arguments={"mapper": layout.mapper})
        return await connection.run_sync(look)

    transaction = OwnTransaction(layout, tenant, writes=False)
    try:
        return await transaction.run(run)
    finally:
        await transaction.rollback()


async def _upgrade(layout: Layout[Any], schema: Schema, tenant: Tenant, record: type[Record]) -> None:
    for left in reversed(range(TRIES)):
        try:
            await _upgrade_once(layout, schema, tenant, record)
            break
        except Deadlocked:
            if not left:
                raise


async def _upgrade_once(layout: Layout[Any], schema: Schema, tenant: Tenant, record: type[Record]) -> None:
    transaction = OwnTransaction(layout, tenant, writes=True)
    try:
        await _bring_up(transaction, versions(layout, schema), layout.record_table(schema, record))
        await transaction.commit()
    finally:
        await transaction.rollback()


async def _bring_up(transaction: Transaction[Any], stamps: Table, table: RecordTable) -> None:
    stored = await _stored(transaction, stamps, table)
    for version in range(stored + 1, table.record.__schema_version__ + 1):
        step = table.record.__steps__.get(version)
        if step:
            await transaction.write(text(step.format(table=table.table.name)))
    if stored < table.record.__schema_version__:
        row = update(stamps).where(stamps.c.name == table.record.__table__)
        await transaction.write(row.values(version=table.record.__schema_version__))


async def _stored(transaction: Transaction[Any], stamps: Table, table: RecordTable) -> int:
    """Return the stored version and lock it, so that of two processes that start at once one waits for the other."""
    row = select(stamps.c.version).where(stamps.c.name == table.record.__table__).with_for_update()
    found = (await transaction.write(row)).scalar_one_or_none()
    if found is not None:
        return int(found)
    new = {"name": table.record.__table__, "version": table.record.__schema_version__}
    try:
        await transaction.write(insert(stamps).values(new), Uniques(stamps, {}))
    except Taken:  # the other process stamped it meanwhile
        return int((await transaction.write(row)).scalar_one())
    return table.record.__schema_version__


def versions(layout: Layout[Any], schema: Schema) -> Table:
    """Return the table of versions."""
    table = version_table(layout.metadata, layout.table.schema, schema.prefix)
    if table is None:
        raise ConfigurationError(f"{schema.prefix}_schema is a table of the application's: rename it, or the Auth")
    return table
