"""The table of a SQLAlchemyStore, and the four statements that engines say differently."""

from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    case,
    cast,
    delete,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import ColumnCollection
from sqlalchemy.types import TypeDecorator, TypeEngine

from powauth.errors import ConfigurationError
from powauth.sqlalchemy.types import MYSQL, bytes_type

Values = dict[str, Any]  # by column; SQLAlchemy knows their types, not the checker


class KeyText(TypeDecorator[str]):
    """Text kept as UTF-8: compared byte by byte on every engine, trailing spaces and NUL included."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the engine's type of bytes that it can index."""
        return dialect.type_descriptor(bytes_type(self.length, indexed=True))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Return the bytes. Raises `ValueError` for more than a server would keep."""
        return key_bytes(value or "", self.length)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the text."""
        return None if value is None else value.decode()


def key_bytes(text: str, most: int) -> bytes:
    """Return a part of a key as it is kept. Raises `ValueError` for more than a server would keep."""
    encoded = text.encode()
    if len(encoded) > most:
        raise ValueError(f"this part of a key has at most {most} bytes; here are {len(encoded)}")
    return encoded


MOST = {"kind": 128, "owner": 512, "id": 512}
"""Bytes of each part of a key."""


def store_table(name: str) -> Table:
    """Return the table, in metadata of its own."""
    return Table(
        name,
        MetaData(),
        *(Column(part, KeyText(most), primary_key=True) for part, most in MOST.items()),
        Column("value", bytes_type(2**24 - 1, indexed=False), nullable=False),
        Column("version", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Index(f"{name}_by_expiry", "expires_at"),
    )


class Statements(Protocol):
    """What each engine says its own way, in one statement. `values` is a whole row, `now` decides what is expired."""

    async def put(self, db: AsyncConnection, values: Values) -> None:
        """Insert or overwrite."""
        ...

    async def add(self, db: AsyncConnection, values: Values, *, now: int) -> bool:
        """Insert, or overwrite what is expired; say whether that happened."""
        ...

    async def increment(self, db: AsyncConnection, values: Values, *, now: int) -> int:
        """Insert, or overwrite what is expired, or else count on and keep the expiry; return the count."""
        ...

    async def purge(self, db: AsyncConnection, *, before: int, limit: int) -> int:
        """Delete so many of those that expired by then; say how many."""
        ...


def statements(dialect: str, table: Table) -> Statements:
    """Return what this engine says. Raises `ConfigurationError` for one that the store does not know."""
    if dialect in MYSQL:
        return OnDuplicateKey(table)
    if dialect in {"postgresql", "sqlite"}:
        return OnConflict(table, dialect)
    raise ConfigurationError(f"SQLAlchemyStore knows PostgreSQL, MariaDB and SQLite, and not {dialect}")


class OnConflict:
    """PostgreSQL and SQLite: an insert that may update, with a condition, and says what it wrote."""

    def __init__(self, table: Table, dialect: str) -> None:
        self._table = table
        self._key = list(table.primary_key.columns)
        self._is_sqlite = dialect == "sqlite"

    async def put(self, db: AsyncConnection, values: Values) -> None:
        """Insert or overwrite."""
        insert = self._insert(values)
        await db.execute(insert.on_conflict_do_update(index_elements=self._key, set_=written(insert.excluded)))

    async def add(self, db: AsyncConnection, values: Values, *, now: int) -> bool:
        """Insert, or overwrite what is expired; say whether that happened."""
        insert = self._insert(values)
        insert = insert.on_conflict_do_update(
            index_elements=self._key, set_=written(insert.excluded), where=self._table.c.expires_at <= now
        )
        return (await db.execute(insert.returning(self._table.c.version))).first() is not None

    async def increment(self, db: AsyncConnection, values: Values, *, now: int) -> int:
        """Insert, or overwrite what is expired, or else count on and keep the expiry; return the count."""
        insert, old = self._insert(values), self._table.c
        counted = {
            "value": case((old.expires_at > now, self._next()), else_=insert.excluded.value),
            "version": insert.excluded.version,
            "expires_at": case((old.expires_at > now, old.expires_at), else_=insert.excluded.expires_at),
        }
        insert = insert.on_conflict_do_update(index_elements=self._key, set_=counted)
        return int((await db.execute(insert.returning(old.value))).scalar_one())

    async def purge(self, db: AsyncConnection, *, before: int, limit: int) -> int:
        """Delete so many of those that expired by then; say how many."""
        key, is_expired = tuple_(*self._key), self._table.c.expires_at <= before
        chosen = select(*self._key).where(is_expired).order_by(self._table.c.expires_at).limit(limit)
        # Asked twice: PostgreSQL does not choose again when a row that it waited for was overwritten.
        result = await db.execute(delete(self._table).where(key.in_(chosen), is_expired))
        return result.rowcount

    def _insert(self, values: Values) -> postgresql.Insert | sqlite.Insert:
        return (sqlite.insert if self._is_sqlite else postgresql.insert)(self._table).values(values)

    def _next(self) -> ColumnElement[Any]:
        old = self._table.c.value
        if self._is_sqlite:
            return cast(cast(cast(cast(old, Text), BigInteger) + 1, Text), LargeBinary)
        utf8: ColumnElement[str] = literal_column("'UTF8'")
        return func.convert_to(cast(cast(func.convert_from(old, utf8), BigInteger) + 1, Text), utf8)


class OnDuplicateKey:
    """MariaDB and MySQL: an insert that may update, without a condition, and tells one number through LAST_INSERT_ID.

    That number is 0 when the statement does not come across a LAST_INSERT_ID(…): the table has no AUTO_INCREMENT.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def put(self, db: AsyncConnection, values: Values) -> None:
        """Insert or overwrite."""
        insert = mysql.insert(self._table).values(values)
        await db.execute(insert.on_duplicate_key_update(written(insert.inserted)))

    async def add(self, db: AsyncConnection, values: Values, *, now: int) -> bool:
        """Insert, or overwrite what is expired; say whether that happened."""
        insert, old = mysql.insert(self._table).values(values), self._table.c
        is_expired = old.expires_at <= now
        insert = insert.on_duplicate_key_update(
            [  # in this order: each assignment sees the ones before it
                ("value", case((is_expired, insert.inserted.value), else_=old.value)),
                ("version", case((is_expired, insert.inserted.version), else_=old.version)),
                (
                    "expires_at",
                    case((is_expired, insert.inserted.expires_at), else_=func.last_insert_id(old.expires_at)),
                ),
            ]
        )
        return (await db.execute(insert)).lastrowid == 0

    async def increment(self, db: AsyncConnection, values: Values, *, now: int) -> int:
        """Insert, or overwrite what is expired, or else count on and keep the expiry; return the count."""
        insert, old = mysql.insert(self._table).values(values), self._table.c
        is_alive, following = (
            old.expires_at > now,
            func.last_insert_id(cast(old.value, mysql.INTEGER(unsigned=True)) + 1),
        )
        insert = insert.on_duplicate_key_update(
            [
                ("value", case((is_alive, func.concat(following)), else_=insert.inserted.value)),
                ("version", insert.inserted.version),
                ("expires_at", case((is_alive, old.expires_at), else_=insert.inserted.expires_at)),
            ]
        )
        return (await db.execute(insert)).lastrowid or 1

    async def purge(self, db: AsyncConnection, *, before: int, limit: int) -> int:
        """Delete so many of those that expired by then; say how many."""
        statement = delete(self._table).where(self._table.c.expires_at <= before)
        result = await db.execute(statement.with_dialect_options(mysql_limit=limit, mariadb_limit=limit))
        return result.rowcount


def last_insert_id(number: ColumnElement[int]) -> ColumnElement[int]:
    """Return the number, and have the server tell it as the result of the statement."""
    return func.last_insert_id(number, type_=BigInteger)


def written(new: ColumnCollection[str, Any]) -> Values:
    """Return what an insert overwrites, from the row that it would have inserted."""
    return {name: new[name] for name in ("value", "version", "expires_at")}
