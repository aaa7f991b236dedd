"""Tables: what a source reads from a database, in pages by key, with the rows that belong to each account."""

import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnClause, Connection, Select, column, func, inspect, select, table
from sqlalchemy.exc import NoSuchTableError, SAWarning
from sqlalchemy.sql.selectable import TableClause

from powauth.cli.failures import Misused
from powauth.cli.importing.engines import Origin
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Further, Source

LINE = "powauth_line"
"""The key of what was read from a file: its line."""


@dataclass(frozen=True, slots=True)
class Found:
    """A table as the database has it."""

    name: str
    schema: str | None
    columns: tuple[str, ...]
    key: str

    @property
    def clause(self) -> TableClause:
        """The table, with columns that return what the driver does: no type of ours could fail on a row."""
        columns: list[ColumnClause[Any]] = [column(name) for name in self.columns]
        return table(self.name, *columns, schema=self.schema)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A further table, and how its rows are found."""

    statement: Select[Any]
    owner: str


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one source in one database."""

    origin: Origin
    accounts: Found
    lookups: Mapping[str, Lookup | None]
    """How what belongs to an account is found; `None` where there is no such table."""
    others: tuple[str, ...]
    """The names of all tables."""

    async def count(self) -> int:
        """Return how many accounts there are."""
        statement = select(func.count()).select_from(self.accounts.clause)
        return int(await self.origin.run(lambda connection: connection.execute(statement).scalar_one()))

    async def pages(self, size: int) -> AsyncIterator[list[tuple[Row, Beside]]]:
        """Yield all accounts in the order of their keys, a page in a transaction."""
        last: object = None
        while True:
            page = await self.origin.run(lambda connection, after=last: self._page(connection, after, size))  # type: ignore[misc]
            if page:
                yield page
            if len(page) < size:
                return
            last = page[-1][0][self.accounts.key]

    def _page(self, connection: Connection, after: object, size: int) -> list[tuple[Row, Beside]]:
        accounts = self.accounts.clause
        key = accounts.c[self.accounts.key]
        statement = select(accounts).order_by(key).limit(size)
        if after is not None:
            statement = statement.where(key > after)
        rows = [Row(dict(found)) for found in connection.execute(statement).mappings()]
        further = {name: _grouped(connection, lookup, self._ids(rows)) for name, lookup in self.lookups.items()}
        return [(row, {name: found.get(self._id(row), ()) for name, found in further.items()}) for row in rows]

    def _ids(self, rows: Sequence[Row]) -> list[object]:
        return [found for found in map(self._id, rows) if found is not None]

    def _id(self, row: Row) -> object:
        return row.get("id") if self.accounts.key == LINE else row[self.accounts.key]


def _grouped(connection: Connection, lookup: Lookup | None, ids: Sequence[object]) -> Mapping[object, list[Row]]:
    grouped: defaultdict[object, list[Row]] = defaultdict(list)
    if lookup is not None and ids:
        statement = lookup.statement.where(lookup.statement.selected_columns[lookup.owner].in_(ids))
        for found in connection.execute(statement).mappings():
            grouped[found[lookup.owner]].append(Row(dict(found)))
    return grouped


async def find_tables(origin: Origin, source: Source, named: str | None, renamed: Mapping[str, str]) -> Tables:
    """Return the tables of a source, `named` as its table of accounts. Raises `Misused` with what there is instead."""
    return await origin.run(lambda connection: _find(connection, origin, source, named or source.table, renamed))


def _find(connection: Connection, origin: Origin, source: Source, named: str, renamed: Mapping[str, str]) -> Tables:
    schema, _, name = named.rpartition(".")
    names = tuple(inspect(connection).get_table_names(schema=schema or None))
    accounts = found_table(connection, name, schema or None)
    if accounts is None:
        raise Misused(
            f"there is no table {named}; --table is one of {', '.join(sorted(names)) or 'none'}", code="source"
        )
    missing = {*source.needs, *renamed.values()}.difference(accounts.columns, renamed)
    if missing:
        has = ", ".join(accounts.columns)
        message = f"{named} has no {', '.join(sorted(missing))}; it has {has}: see --table and --rename"
        raise Misused(message, code="source")
    lookups = {label: _lookup(connection, further, accounts) for label, further in source.further.items()}
    return Tables(origin, accounts, lookups, names)


def found_table(connection: Connection, name: str, schema: str | None) -> Found | None:
    """Return a table with its columns and its key; `None` if there is none of that name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # types that SQLAlchemy does not know are no matter here
            columns = tuple(str(found["name"]) for found in inspect(connection).get_columns(name, schema=schema))
            keys = inspect(connection).get_pk_constraint(name, schema=schema)["constrained_columns"]
    except NoSuchTableError:
        return None
    key = keys[0] if len(keys) == 1 else "id" if "id" in columns else columns[0]
    return Found(name, schema, columns, key) if columns else None


def _lookup(connection: Connection, further: Further, accounts: Found) -> Lookup | None:
    found = found_table(connection, further.table.format(table=accounts.name), accounts.schema)
    if found is None:
        return None
    owner = further.owner if further.owner in found.columns else _only_other(found, further)
    pairs = found.clause
    if further.join is None:
        return Lookup(select(pairs).order_by(pairs.c[found.key]), owner)
    names = found_table(connection, further.join.table, accounts.schema)
    if names is None:
        return None
    joined = names.clause
    on = joined.c[names.key if names.key != LINE else "id"] == pairs.c[further.join.to]
    statement = select(pairs.c[owner], *(joined.c[known] for known in names.columns if known != owner))
    return Lookup(statement.join_from(pairs, joined, on).order_by(joined.c[names.key]), owner)


def _only_other(found: Found, further: Further) -> str:
    known = {found.key, "id", LINE, further.join.to if further.join else ""}
    others = [name for name in found.columns if name not in known]
    if len(others) == 1:
        return others[0]
    raise Misused(f"{found.name} has no {further.owner}: it has {', '.join(found.columns)}", code="source")
