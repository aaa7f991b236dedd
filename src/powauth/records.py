"""Records: lasting facts. One frozen dataclass is one table, in the application's own metadata.

    class Acceptance(Record, table="terms_acceptances"):
        id: Annotated[str, Key()]
        account: Annotated[Handle, Owner()]
        edition: Annotated[int, Index()]
        at: datetime

Powauth adds the tenant and a version to each row; the name of the `Auth` stands before the name of the table.
"""

import dataclasses
import secrets
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Protocol, Self, TypeVar, Union, dataclass_transform

from powauth.errors import ConfigurationError

R = TypeVar("R", bound="Record")

OnErase = Literal["delete", "keep", "anonymise"]


@dataclass(frozen=True, slots=True)
class Key:
    """The primary key, within a tenant. Several fields marked so are one key together."""


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows of a tenant share it. The same `name` on several fields makes them unique together."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """Searched often. `then` names the fields that the rows found are put in order by."""

    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """The longest text that fits, in characters. Without it 190: what every engine can index."""

    max: int = 190


@dataclass(frozen=True, slots=True)
class Owner:
    """The handle of the account that the row is about, and what becomes of the row when the account is erased."""

    on_erase: OnErase = "delete"


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Unreadable in a dump of the database."""


@dataclass(frozen=True, slots=True)
class Json:
    """Stored as JSON: lists, dicts, strings, numbers, booleans and null."""


Mark = Key | Unique | Index | Text | Owner | Encrypted | Json
MarkKind = type[Key] | type[Unique] | type[Index] | type[Text] | type[Owner] | type[Encrypted] | type[Json]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
@dataclass(frozen=True, kw_only=True)
class Record:
    """Base of every record. A subclass is a frozen, keyword-only dataclass; `table` names its table."""

    __table__: ClassVar[str] = ""
    __schema_version__: ClassVar[int] = 1
    """Raise it when the table changes, and say in `__steps__` what to do with the rows of the version before."""
    __steps__: ClassVar[Mapping[int, str]] = {}
    """SQL per version that is reached, run after the columns were added. `{table}` stands for the table's name."""

    __append_only__: ClassVar[bool] = False
    """Whether rows are never changed and end by age: `update` and `delete` refuse, `delete_all` needs `below`."""

    version: int = field(default=0, compare=False)
    """Which state of the row this is; `update` and `delete` act only on that one."""

    def __init_subclass__(
        cls, *, table: str = "", schema_version: int = 1, append_only: bool = False, **keywords: object
    ) -> None:
        super().__init_subclass__(**keywords)
        if "version" in cls.__annotations__:
            raise ConfigurationError(f"{cls.__name__}.version: every record counts its states there: rename yours")
        cls.__table__ = table or cls.__name__.lower()
        cls.__schema_version__ = schema_version
        cls.__append_only__ = append_only
        dataclass(frozen=True, kw_only=True)(cls)

    def replace(self, **changes: object) -> Self:
        """Return a copy with other values."""
        return typing.cast("Self", dataclasses.replace(typing.cast("Any", self), **changes))


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record, as a table has it."""

    name: str
    type: Literal["str", "int", "bool", "float", "bytes", "datetime", "json"]
    nullable: bool
    marks: tuple[Mark, ...]

    def mark(self, kind: MarkKind) -> Mark | None:
        """Return the mark of that kind."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def length(self) -> int:
        """Characters that fit."""
        mark = self.mark(Text)
        return mark.max if isinstance(mark, Text) else Text().max

    @property
    def on_erase(self) -> OnErase | None:
        """What becomes of the row when the account in this column is erased; `None` if it holds no account."""
        mark = self.mark(Owner)
        return mark.on_erase if isinstance(mark, Owner) else None


_TYPES: dict[object, Literal["str", "int", "bool", "float", "bytes", "datetime"]] = {
    str: "str",
    int: "int",
    bool: "bool",
    float: "float",
    bytes: "bytes",
    datetime: "datetime",
}


def columns(record: type[Record]) -> tuple[Column, ...]:
    """Return the columns of a record's table, in the order of its fields, without those that Powauth adds."""
    hints = typing.get_type_hints(record, include_extras=True)
    return tuple(_column(record, f.name, hints[f.name]) for f in dataclasses.fields(record) if f.name != "version")


def _column(record: type[Record], name: str, hint: object) -> Column:
    marks: tuple[Mark, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, *extra = typing.get_args(hint)
        marks = tuple(mark for mark in extra if isinstance(mark, Mark))
    nullable = False
    if typing.get_origin(hint) in {Union, types.UnionType}:
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        nullable, hint = True, rest[0] if len(rest) == 1 else None
    plain = getattr(hint, "__supertype__", hint)  # a NewType is stored as what it is made of
    if any(isinstance(mark, Json) for mark in marks):
        return Column(name, "json", nullable, marks)
    if plain not in _TYPES:
        msg = f"{record.__name__}.{name}: a record holds str, int, bool, float, bytes and datetime; mark others Json()"
        raise ConfigurationError(msg)
    return Column(name, _TYPES[plain], nullable, marks)


def new_id() -> str:
    """Return a random key for a row: 128 bits in hexadecimal."""
    return secrets.token_hex(16)


class Records(Protocol[R]):
    """The rows of one record, in one tenant and one unit of work.

    Where rows are only ever added, `update` and `delete` raise `TypeError`, and so does `delete_all` that asks for
    anything but age.
    """

    async def add(self, record: R) -> R:
        """Store a new row. Raises `Taken` with the field's name where the engine tells."""
        ...

    async def get(self, *key: object) -> R | None:
        """Return the row with this key."""
        ...

    async def find(
        self,
        *,
        where: Mapping[str, object] | None = None,
        below: Mapping[str, object] | None = None,
        order: Sequence[str] = (),
        limit: int | None = None,
        after: R | None = None,
    ) -> Sequence[R]:
        """Return the rows whose fields have these values and lie below those, in order, after one of them.

        A value that is a tuple, list or set means any of its members; `-` before a name in `order` means descending.
        """
        ...

    async def update(self, record: R, **changes: object) -> R:
        """Store the changes if the row is still this one and return it as it is then. Raises `Stale`, `Taken`."""
        ...

    async def delete(self, record: R) -> bool:
        """Delete the row if it is still this one; say whether it was."""
        ...

    async def delete_all(
        self, *, where: Mapping[str, object], below: Mapping[str, object] | None = None, limit: int | None = None
    ) -> int:
        """Delete the rows whose fields have these values and lie below those, at most so many; say how many."""
        ...


_BIGGEST = 2**63


def is_storable(value: object) -> bool:
    """Whether an engine could hold the value at all; one that it could not is found nowhere, and raises nothing."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, int) or -_BIGGEST <= value < _BIGGEST
