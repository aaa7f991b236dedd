"""Tables: one for each record, in the application's own metadata, so that its migrations see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import MetaData, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import conv
from sqlalchemy.types import TypeEngine

from powauth.records import Column, Encrypted, Index, Key, Owner, Record, Unique, columns
from powauth.sqlalchemy.columns import MAX_TENANT
from powauth.sqlalchemy.failures import Uniques
from powauth.sqlalchemy.names import constraint_name, made_for, mark, shortened
from powauth.sqlalchemy.store_table import KeyText, store_table
from powauth.sqlalchemy.types import LONGEST_INDEXED, PLAIN, bytes_type, json_type, text_type

TENANT = "tenant"
VERSION = "version"


@dataclass(frozen=True, slots=True)
class RecordTable:
    """A record and the table that holds it."""

    record: type[Record]
    table: Table
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def uniques(self) -> Uniques:
        """What may be taken in it."""
        return Uniques(self.table, {column.name: column.name for column in self.columns})


def table_name(prefix: str, record: type[Record]) -> str:
    """Return the name of a record's table."""
    return shortened(f"{prefix}_{record.__table__}" if prefix else record.__table__)


def declared(metadata: MetaData, schema: str | None, prefix: str, record: type[Record]) -> RecordTable | str:
    """Return the record's table, made once; a sentence if the application has another one of that name."""
    name = table_name(prefix, record)
    known = metadata.tables.get(f"{schema}.{name}" if schema else name)
    if known is not None and made_for(known) is not record:
        return f"{record.__name__} needs the table {name}, which exists already: rename that one, or the Auth"
    fields = columns(record)
    table = mark(_made(metadata, schema, name, fields), record) if known is None else known
    return RecordTable(record, table, fields, tuple(column.name for column in fields if column.mark(Key)))


def problems(record: type[Record], *, encryption: bool) -> Iterable[str]:
    """Return what no table can hold, a sentence each."""
    fields = columns(record)
    if not any(column.mark(Key) for column in fields):
        yield f"{record.__name__} has no Key: mark a field with Annotated[str, Key()]"
    for column in fields:
        yield from _column_problems(f"{record.__name__}.{column.name}", column, encryption=encryption)
    for column in fields:
        strangers = set(_then(column)).difference(field.name for field in fields)
        yield from (f"{record.__name__}.{column.name}: there is no {name}" for name in sorted(strangers))
    for group in (*_unique(fields).values(), [column for column in fields if column.mark(Key)]):
        if MAX_TENANT + sum(column.length for column in group if column.type == "str") > LONGEST_INDEXED:
            names = ", ".join(column.name for column in group)
            yield f"{record.__name__}: {names} are together too long to be unique: give them Text(n)"


def _column_problems(name: str, column: Column, *, encryption: bool) -> Iterable[str]:
    if column.name in {TENANT, VERSION}:
        yield f"{name}: Powauth adds a column of that name: call it something else"
    if column.mark(Key) and (column.nullable or column.type in {"json", "float"}):
        yield f"{name}: a Key is never None, JSON or a float"
    if column.mark(Encrypted) and column.type == "datetime":
        yield f"{name}: a time cannot be encrypted: keep it as text"
    if column.mark(Encrypted) and not encryption:
        yield f"{name} is encrypted: give SQLAlchemyDatabase(encryption=...), as AesGcm(secret) of powauth.encryption"
    if column.mark(Encrypted) and any(column.mark(kind) for kind in (Key, Unique, Index, Owner)):
        yield f"{name}: what is encrypted can be neither searched nor unique"
    if column.on_erase and column.type != "str":
        yield f"{name}: an owner is a Handle"
    if column.on_erase == "anonymise" and (column.mark(Key) or (column.mark(Unique) and not column.nullable)):
        yield f"{name}: two erased owners would clash: make it nullable, not a Key, or delete the row"


def _made(metadata: MetaData, schema: str | None, name: str, fields: tuple[Column, ...]) -> Table:
    key = [TENANT, *(column.name for column in fields if column.mark(Key))]
    uniques = [[TENANT, *(column.name for column in group)] for group in _unique(fields).values()]
    indexed = [(f.name, *_then(f)) for f in fields if f.mark(Index) or f.mark(Owner)]
    return Table(
        name,
        metadata,
        sqlalchemy.Column(TENANT, text_type(MAX_TENANT), nullable=False),
        *(sqlalchemy.Column(f.name, _type(f), nullable=f.nullable, autoincrement=False) for f in fields),
        sqlalchemy.Column(VERSION, sqlalchemy.Integer, nullable=False),
        PrimaryKeyConstraint(*key, name=conv(constraint_name("pk", name))),
        *(UniqueConstraint(*group, name=conv(constraint_name("uq", name, *group[1:]))) for group in uniques),
        *(sqlalchemy.Index(conv(constraint_name("ix", name, some[0])), TENANT, *some) for some in indexed),
        schema=schema,
    )


def _then(column: Column) -> tuple[str, ...]:
    mark = column.mark(Index)
    return mark.then if isinstance(mark, Index) else ()


def announce_store_table(metadata: MetaData, name: str) -> None:
    """Tell the application's migrations of the store's table, in types that a migration can name."""
    table = store_table(name).to_metadata(metadata)
    for column in table.columns:
        if isinstance(column.type, KeyText):
            column.type = bytes_type(column.type.length, indexed=True)


def _unique(fields: tuple[Column, ...]) -> dict[str, list[Column]]:
    groups: dict[str, list[Column]] = {}
    for column in fields:
        mark = column.mark(Unique)
        if isinstance(mark, Unique):
            groups.setdefault(mark.name or f" {column.name}", []).append(column)
    return groups


def _type(column: Column) -> TypeEngine[Any]:
    if column.mark(Encrypted):
        return bytes_type(0, indexed=False)
    if column.type == "str":
        return text_type(column.length)
    if column.type == "bytes":
        return bytes_type(column.length, indexed=any(column.mark(kind) for kind in (Key, Unique, Index)))
    return json_type(nullable=column.nullable) if column.type == "json" else PLAIN[column.type]
