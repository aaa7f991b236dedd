"""PrimaryKey: the application's own primary key, of whatever kind, as an `AccountId` and back, strictly."""

import json
import re
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Integer, SmallInteger
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeDecorator, TypeEngine

from powauth.accounts import AccountId
from powauth.records import is_storable

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_SUPPORTED: tuple[type | None, ...] = (int, str, UUID)
_LONGEST = 2000  # no primary key is longer; what is, was made by a client


class PrimaryKey:
    """The primary key of the application's user. A composite key is written as a JSON list of its parts."""

    def __init__(self, mapper: Mapper[Any], dialect: str) -> None:
        self.names = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
        self.columns = tuple(mapper.primary_key)
        kinds = [(_key_type(mapper, column), column.type) for column in self.columns]
        self._parsers = tuple(_parser(known, _bits(kind, dialect)) for known, kind in kinds)

    def format(self, values: Sequence[object]) -> AccountId:
        """Return the id of a row with this key."""
        parts = [str(value) for value in values]
        return AccountId(parts[0] if len(parts) == 1 else _dumps(parts))

    def parse(self, account_id: str) -> tuple[object, ...] | None:
        """Return the key that this id stands for; `None` if it is not written exactly as `format` writes."""
        parts = self._split(account_id)
        if parts is None or len(parts) != len(self._parsers):
            return None
        values = [parse(text) for parse, text in zip(self._parsers, parts, strict=True)]
        return None if any(value is None for value in values) else tuple(values)

    def _split(self, account_id: str) -> list[str] | None:
        if len(account_id) > _LONGEST or not is_storable(account_id):
            return None
        return [account_id] if len(self._parsers) == 1 else _loads(account_id)


def unsupported(mapper: Mapper[Any]) -> list[str]:
    """Return the columns of a primary key that cannot be written as an id."""
    return [str(column) for column in mapper.primary_key if _key_type(mapper, column) not in _SUPPORTED]


def python_type(kind: TypeEngine[Any]) -> type | None:
    """Return what the values of a column are in Python; of a decorated type, what they are in the database."""
    try:
        return (kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type
    except NotImplementedError:
        return None


def most_of(kind: TypeEngine[Any]) -> int | None:
    """Return the greatest whole number that a column holds on every engine; `None` for one that holds others."""
    impl = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if not isinstance(impl, Integer):
        return None
    bits = 15 if isinstance(impl, SmallInteger) else 63 if isinstance(impl, BigInteger) else 31
    return int(2**bits - 1)


def _key_type(mapper: Mapper[Any], column: ColumnElement[Any]) -> type | None:
    """Return the annotated type, which knows more than a decorated type tells: a UUID kept in CHAR(36) is a UUID."""
    name = mapper.get_property_by_column(column).key
    annotated = (_annotated(hint) for hint in _hints(mapper.class_, name))
    return next((known for known in annotated if known), python_type(column.type))


def _hints(user: type[Any], name: str) -> Iterator[object]:
    for base in user.__mro__:
        with suppress(NameError, TypeError):  # some other annotation may name what is imported for types only
            yield typing.get_type_hints(base).get(name)


def _annotated(hint: object) -> type | None:
    inner = typing.get_args(hint)[0] if typing.get_args(hint) else None
    plain = getattr(inner, "__supertype__", inner)
    return plain if isinstance(plain, type) and plain in _SUPPORTED else None


def _parser(kind: type | None, bits: int) -> Callable[[str], object | None]:
    if kind is int:
        return _integer(bits)
    return _uuid if kind is UUID else _text


def _bits(kind: TypeEngine[Any], dialect: str) -> int:
    # asyncpg refuses a number that the column could not hold, instead of not finding it
    if isinstance(kind, SmallInteger):
        return 15
    return 31 if dialect == "postgresql" and not isinstance(kind, BigInteger) else 63


def _integer(bits: int) -> Callable[[str], int | None]:
    def parse(text: str) -> int | None:
        if not _INTEGER.fullmatch(text):
            return None
        number = int(text)
        return number if -(1 << bits) <= number < 1 << bits else None

    return parse


def _uuid(text: str) -> UUID | None:
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text else None


def _text(text: str) -> str | None:
    return text if is_storable(text) else None


def _dumps(parts: list[str]) -> str:
    return json.dumps(parts, separators=(",", ":"))


def _loads(text: str) -> list[str] | None:
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list):
        return None
    texts = [part for part in typing.cast("list[object]", parts) if isinstance(part, str)]
    return texts if _dumps(texts) == text else None  # written exactly so, or not by us
