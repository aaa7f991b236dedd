"""Column types that mean the same on every engine."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Double, LargeBinary, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

MYSQL = ("mysql", "mariadb")

LONGEST_INDEXED = 704
"""Characters that MariaDB can index together: 3072 bytes, four for each character, and some of room."""

_LONGEST_VARCHAR = 2000  # a row of MariaDB holds 65535 bytes in all; longer text stands beside the row


def text_type(length: int) -> TypeEngine[str]:
    """Return a text that is compared byte by byte: é is not e, and A is not a."""
    if length > _LONGEST_VARCHAR:
        medium = mysql.MEDIUMTEXT(collation="utf8mb4_bin")
        return Text().with_variant(medium, *MYSQL).with_variant(Text(collation="C"), "postgresql")
    binary = String(length, collation="utf8mb4_bin")
    return String(length).with_variant(binary, *MYSQL).with_variant(String(length, collation="C"), "postgresql")


def bytes_type(length: int, *, indexed: bool) -> TypeEngine[bytes]:
    """Return bytes; MariaDB indexes them only when it knows how many."""
    if indexed:
        return LargeBinary().with_variant(mysql.VARBINARY(length), *MYSQL)
    return LargeBinary().with_variant(mysql.MEDIUMBLOB(), *MYSQL)


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: aware when written, aware when read, on engines that know no time zones as well."""

    impl = DateTime
    cache_ok = True
    # Alembic writes `sa.` and the representation into a migration. As a class of ours it would write a name that the
    # migration does not import, and would tie the application's old migrations to us.
    __module__ = "sqlalchemy.types"

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def __repr__(self) -> str:
        return "DateTime(timezone=True).with_variant(sa.dialects.mysql.DATETIME(fsp=6), 'mysql', 'mariadb')"

    def __reduce__(self) -> tuple[Any, ...]:
        return utc_type, ()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the engine's own type, with microseconds: MariaDB rounds to seconds otherwise."""
        return dialect.type_descriptor(mysql.DATETIME(fsp=6) if dialect.name in MYSQL else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time as the engine stores it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are aware: datetime.now(UTC), not datetime.now()")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_type() -> UtcDateTime:
    """Return the type of a time."""
    return UtcDateTime()


PLAIN: dict[str, TypeEngine[Any]] = {
    "int": BigInteger(),
    "bool": Boolean(),
    "float": Double(),
    "datetime": UtcDateTime(),
}
"""The types that need no length."""


def json_type(*, nullable: bool) -> TypeEngine[Any]:
    """Return JSON; where the column may not be empty, `None` is JSON's own null."""
    return JSON(none_as_null=nullable)
