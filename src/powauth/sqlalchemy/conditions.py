"""What `find` and `delete_all` of records ask for, as SQL that means the same on every engine."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, false, or_, true

from powauth.records import Encrypted, Record, is_storable
from powauth.sqlalchemy.tables import RecordTable


@dataclass(frozen=True, slots=True)
class Sort:
    """One step of an order."""

    name: str
    column: ColumnElement[Any]
    nullable: bool
    descending: bool


def where(table: RecordTable, values: Mapping[str, object]) -> ColumnElement[bool]:
    """Return the condition that fields have these values; several in a tuple, list or set mean any of them."""
    return and_(true(), *(_has(_column(table, name), value) for name, value in values.items()))


def below(table: RecordTable, values: Mapping[str, object]) -> ColumnElement[bool]:
    """Return the condition that fields lie below these values."""
    return and_(true(), *(_column(table, name) < value for name, value in values.items()))


def sorting(table: RecordTable, order: Sequence[str]) -> tuple[Sort, ...]:
    """Return the order, completed by the key so that no two rows are equal in it."""
    nullable = {column.name: column.nullable for column in table.columns}
    names = [name.removeprefix("-") for name in order]
    steps = [(name.removeprefix("-"), name.startswith("-")) for name in order]
    steps += [(name, False) for name in table.key if name not in names]
    return tuple(Sort(name, _column(table, name), nullable[name], descending) for name, descending in steps)


def order_by(steps: Sequence[Sort]) -> list[ColumnElement[Any]]:
    """Return what to sort by. `None` comes first: engines disagree, so it is said."""
    found: list[ColumnElement[Any]] = []
    for step in steps:
        if step.nullable:
            presence = case((step.column.is_(None), 0), else_=1)
            found.append(presence.desc() if step.descending else presence.asc())
        found.append(step.column.desc() if step.descending else step.column.asc())
    return found


def after(steps: Sequence[Sort], record: Record) -> ColumnElement[bool]:
    """Return the condition that a row comes later in the order than this one."""
    later = [
        and_(*(_has(step.column, getattr(record, step.name)) for step in steps[:place]), _later(step, record))
        for place, step in enumerate(steps)
    ]
    return or_(*later)


def _later(step: Sort, record: Record) -> ColumnElement[bool]:
    value = getattr(record, step.name)
    if value is None:
        return false() if step.descending else step.column.is_not(None)
    if not step.descending:
        return and_(step.column > value)
    return or_(step.column < value, step.column.is_(None)) if step.nullable else step.column < value


def _has(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    if isinstance(value, tuple | list | set | frozenset):
        members = cast("Collection[object]", value)
        some: ColumnElement[bool] = column.in_(
            [member for member in members if member is not None and is_storable(member)]
        )
        return or_(some, column.is_(None)) if None in members else some
    if value is None:
        return column.is_(None)
    return and_(column == value) if is_storable(value) else false()


def _column(table: RecordTable, name: str) -> ColumnElement[Any]:
    field = next((column for column in table.columns if column.name == name), None)
    if field is None:
        raise ValueError(f"{table.record.__name__} has no field {name}")
    if field.type == "json" or field.mark(Encrypted):
        raise ValueError(f"{table.record.__name__}.{name} is JSON or encrypted, and cannot be searched")
    return table.table.c[name]
