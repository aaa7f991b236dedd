"""Layout: the application's user and the tables of the records, as one database has them."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Column, Connection, Engine, MetaData, Table, inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Mapper, class_mapper

from powauth.accounts import Account
from powauth.database import Schema
from powauth.errors import ConfigurationError
from powauth.records import Record
from powauth.sqlalchemy import tables
from powauth.sqlalchemy.columns import OWN, RESERVED, AccountColumns, OwnColumn
from powauth.sqlalchemy.encryption import Encryption
from powauth.sqlalchemy.failures import Uniques
from powauth.sqlalchemy.keys import PrimaryKey, most_of, python_type, unsupported
from powauth.sqlalchemy.tables import RecordTable
from powauth.sqlalchemy.types import UtcDateTime
from powauth.sqlalchemy.versions import version_table
from powauth.tenants import Tenant

U = TypeVar("U", bound=AccountColumns)


class Layout(Generic[U]):
    """Where accounts and records stand. The application may still map its classes after it was made."""

    def __init__(self, sessionmaker: async_sessionmaker[Any], user: type[U], encryption: Encryption | None) -> None:
        self.sessionmaker: async_sessionmaker[AsyncSession] = sessionmaker
        self.user = user
        self.encryption = encryption
        self.schemas: list[Schema] = []
        self._tables: dict[tuple[str, type[Record]], RecordTable] = {}

    @cached_property
    def mapper(self) -> Mapper[U]:
        """How the application's user is mapped."""
        return class_mapper(self.user, configure=False)

    @cached_property
    def table(self) -> Table:
        """The table of the application's users."""
        return self.mapper.columns["handle"].table

    @cached_property
    def key(self) -> PrimaryKey:
        """The application's primary key."""
        return PrimaryKey(self.mapper, self.engine.dialect.name)

    @cached_property
    def uniques(self) -> Uniques:
        """What may be taken among the accounts."""
        fields = {column.name: self.mapper.get_property_by_column(column).key for column in self.table.columns}
        renamed = {"email_key": "email", "username_key": "username"}
        return Uniques(self.table, {c: renamed.get(f, f) for c, f in fields.items() if f != "tenant"})

    @cached_property
    def bind(self) -> Engine | Connection:
        """What the application's sessions talk to."""
        return self.sessionmaker().get_bind(self.mapper)

    @cached_property
    def engine(self) -> Engine:
        """The engine behind the application's sessions."""
        return self.bind.engine

    @property
    def metadata(self) -> MetaData:
        """The metadata of the application, which its migrations compare with the database."""
        return self.table.metadata

    def declare(self, schema: Schema) -> list[str]:
        """Make the tables of an `Auth`; return what is missing or clashes, a sentence each."""
        found = list(self._user_problems())
        if found:
            return found
        if version_table(self.metadata, self.table.schema, schema.prefix) is None:
            found.append(f"the table {schema.prefix}_schema is the application's: rename it, or the Auth")
        if any(other.prefix == schema.prefix and other != schema for other in self.schemas):
            found.append(f"another Auth called {schema.prefix!r} uses this database: give one of them another name")
        for record in schema.records:
            found += self._declare(schema.prefix, record)
        if not found and schema not in self.schemas:
            self.schemas.append(schema)
        return found

    def record_table(self, schema: Schema, record: type[Record]) -> RecordTable:
        """Return the table of a record of this `Auth`."""
        table = self._tables.get((schema.prefix, record))
        if table is None or record not in schema.records:
            raise ConfigurationError(f"{record.__name__} belongs to no extension of this Auth: add it to a manifest")
        return table

    def translation(self, tenant: Tenant) -> dict[str, object]:
        """Return the execution options that lead into the tenant's own database schema."""
        return {"schema_translate_map": {self.table.schema: tenant.schema}} if tenant.schema else {}

    def own_columns(self) -> list[OwnColumn]:
        """Return the columns that the application's model has beside ours and its primary key."""
        taken = {*RESERVED, *self.key.names}
        known = {attribute.key: attribute.columns[0] for attribute in self.mapper.column_attrs}
        return [_own_column(n, c) for n, c in known.items() if n not in taken and isinstance(c, Column)]

    def account(self, user: U) -> Account:
        """Read a loaded user as an account."""
        return self.read([getattr(user, name) for name in (*self.key.names, *OWN)])

    def read(self, values: Iterable[Any]) -> Account:
        """Return the account from the values of its primary key and of `OWN`."""
        row = list(values)
        key, own = row[: len(self.key.names)], row[len(self.key.names) :]
        return Account(self.key.format(key), *own)

    def _declare(self, prefix: str, record: type[Record]) -> list[str]:
        found = list(tables.problems(record, encryption=self.encryption is not None))
        if found:
            return found
        table = tables.declared(self.metadata, self.table.schema, prefix, record)
        if isinstance(table, str):
            return [table]
        self._tables[prefix, record] = table
        return []

    def _user_problems(self) -> Iterable[str]:
        name = self.user.__name__
        try:
            mapper = cast("Mapper[Any]", inspect(self.user))
        except NoInspectionAvailable:
            yield f"{name} is not mapped: class {name}(AccountColumns, Base), with __tablename__ and a primary key"
            return
        missing = sorted(RESERVED.difference(mapper.column_attrs.keys()))
        if missing:
            yield f"{name} has no {', '.join(missing)}: class {name}(AccountColumns, Base)"
            return
        yield from (f"{name}.{attribute} must be {word}" for attribute, word in _mistyped(mapper))
        yield from (f"{column}: a primary key is int, str, UUID or several of these" for column in unsupported(mapper))
        if any(mapper.get_property_by_column(column).key in RESERVED for column in mapper.primary_key):
            yield f"{name}: no column of AccountColumns can be the primary key: addresses change"


def _own_column(name: str, column: Column[Any]) -> OwnColumn:
    is_made = column.nullable or column.default is not None or column.server_default is not None or column.computed
    kind, length = python_type(column.type), getattr(column.type, "length", None)
    return OwnColumn(name, kind, length, most_of(column.type), is_required=not is_made)


def _mistyped(mapper: Mapper[Any]) -> Iterable[tuple[str, str]]:
    for attribute in sorted(RESERVED):
        kind = mapper.columns[attribute].type
        expected = datetime if attribute.endswith("_at") else int if attribute == "epoch" else str
        if expected is datetime and not isinstance(kind, UtcDateTime):
            yield attribute, "a UtcDateTime, as in AccountColumns"
        elif python_type(kind) is not expected:
            yield attribute, f"of type {expected.__name__}, as in AccountColumns"
