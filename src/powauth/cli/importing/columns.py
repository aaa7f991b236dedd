"""Columns: what an import fills of the application's own columns, from `--set` and `--map`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from powauth.cli.failures import Misused
from powauth.cli.importing.newcomer import LeftOut, Newcomer
from powauth.cli.importing.rows import Row
from powauth.records import is_storable

ROLES = "roles"
"""What `--map roles=column` fills with the names of roles, between commas."""


class OwnColumn(Protocol):
    """A column of the application's own."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def type(self) -> type | None:
        """What its values are in Python."""
        ...

    @property
    def length(self) -> int | None:
        """How many characters it holds."""
        ...

    @property
    def is_required(self) -> bool:
        """Whether every row needs a value."""
        ...


@runtime_checkable
class Described(Protocol):
    """A database that knows the columns of the application's model."""

    def own_columns(self) -> Sequence[OwnColumn]:
        """Return the columns beside ours and the primary key."""
        ...


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns are filled, and with what."""

    own: Mapping[str, OwnColumn]
    fixed: Mapping[str, str]
    mapped: Mapping[str, str]
    """By the application's column, the source's."""

    def values(self, newcomer: Newcomer) -> dict[str, object]:
        """Return the values of the application's own columns. Raises `LeftOut`."""
        filled: dict[str, object] = {name: self._read(name, text) for name, text in self.fixed.items()}
        for name, theirs in self.mapped.items():
            raw = ",".join(newcomer.roles) if theirs == ROLES else newcomer.values.get(theirs)
            if raw is not None and (raw != "" or name not in filled):
                filled[name] = self._read(name, raw)
        for name, column in self.own.items():
            if column.is_required and filled.get(name) is None:
                raise LeftOut("missing_column", f"the column {name} has to be filled: --set or --map it")
        return filled

    def _read(self, name: str, raw: object) -> object:
        column = self.own[name]
        try:
            value = READERS.get(column.type or object, as_it_is)(raw)
        except (ValueError, TypeError, ArithmeticError, LeftOut) as error:
            kind = column.type.__name__ if column.type else "value"
            raise LeftOut("bad_value", f"what would fill {name} is no {kind}") from error
        if isinstance(value, str) and column.length is not None and len(value) > column.length:
            raise LeftOut("too_long", f"what would fill {name} is longer than {column.length} characters")
        if isinstance(value, str) and not is_storable(value):
            raise LeftOut("bad_value", f"what would fill {name} holds what no database stores, such as NUL")
        return value


def as_it_is(raw: object) -> object:
    """Return what the source has."""
    return raw


def flag(raw: object) -> bool:
    """Return a flag."""
    return Row({"": raw}).flag("")


def moment(raw: object) -> datetime:
    """Return a time."""
    found = Row({"": raw}).moment("")
    if found is None:
        raise ValueError(raw)
    return found


def text(raw: object) -> str:
    """Return a text."""
    return raw.decode() if isinstance(raw, bytes) else str(raw)


READERS: Mapping[type, Callable[[Any], object]] = {
    str: text,
    int: int,
    float: float,
    bool: flag,
    Decimal: lambda raw: Decimal(str(raw)),
    UUID: lambda raw: raw if isinstance(raw, UUID) else UUID(str(raw)),
    datetime: moment,
    date: lambda raw: moment(raw).date(),
}
"""How a value is read for a column of each kind; other kinds get what the source has."""


def read_columns(database: object, fixed: Sequence[str], mapped: Sequence[str]) -> Columns:
    """Return what `--set` and `--map` say. Raises `Misused` for columns that there are not."""
    own = {column.name: column for column in database.own_columns()} if isinstance(database, Described) else {}
    found = Columns(own, pairs("--set", fixed), {ours: theirs for theirs, ours in pairs("--map", mapped).items()})
    if unknown := sorted({*found.fixed, *found.mapped}.difference(own)):
        has = ", ".join(sorted(own)) or "none"
        raise Misused(
            f"the application's model has no column of its own {', '.join(unknown)}; it has {has}", code="usage"
        )
    return found


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """Return `name=value` as a mapping. Raises `Misused`."""
    if wrong := [one for one in given if "=" not in one]:
        raise Misused(f"{option} {wrong[0]}: write it as {option} name=value", code="usage")
    return {one.partition("=")[0]: one.partition("=")[2] for one in given}
