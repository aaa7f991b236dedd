"""`powauth tables`."""

from typing import Any

import click

from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.output import Output, Row, json_option
from powauth.records import Column, Encrypted, Index, Key, Record, Unique, columns
from powauth.sqlalchemy import SQLAlchemyDatabase
from powauth.sqlalchemy.columns import RESERVED
from powauth.sqlalchemy.tables import table_name

COLUMNS = ("table", "extension", "on_erase", "columns")
CORE = "powauth"


@click.command("tables")
@app_option
@json_option
def command(auth: Auth[Any], out: Output) -> None:
    """List every table, and what becomes of its rows when an account is erased.

    delete: they go with it. anonymise: they stay, and no longer say whose they were. keep: they stay as they are. A
    table without a rule says nothing about an account. `?` behind a type means that it may be empty.
    """
    tables = [*_users(auth), *(describe(auth, record) for record in auth.plan.schema.records)]
    if out.as_json:
        out.json(tables)
        return
    out.rows([{**table, "columns": "\n".join(map(_line, _columns(table)))} for table in tables], COLUMNS)


def describe(auth: Auth[Any], record: type[Record]) -> Row:
    """Return the table of a record."""
    fields = columns(record)
    rules = {column.name: column.on_erase for column in fields if column.on_erase}
    return {
        "table": table_name(auth.plan.schema.prefix, record),
        "extension": owner(auth, record),
        "on_erase": [rule if len(rules) == 1 else f"{name}: {rule}" for name, rule in rules.items()],
        "columns": [_described(column) for column in fields],
    }


def owner(auth: Auth[Any], record: type[Record]) -> str:
    """Return the name of the extension that a record belongs to."""
    return next((known.name for known in auth.extensions if record in known.manifest().records), CORE)


def _users(auth: Auth[Any]) -> list[Row]:
    """Return the application's own table of users, with the columns in it that are Powauth's."""
    if not isinstance(auth.database, SQLAlchemyDatabase):
        return []
    names: list[Row] = [{"name": name, "type": "", "marks": ()} for name in sorted(RESERVED)]
    return [{"table": auth.database.users_table, "extension": CORE, "on_erase": ["delete"], "columns": names}]


def _described(column: Column) -> Row:
    marks = [kind.__name__.lower() for kind in (Key, Unique, Index, Encrypted) if column.mark(kind)]
    kind = f"{column.type}({column.length})" if column.type == "str" else column.type
    return {"name": column.name, "type": kind + ("?" if column.nullable else ""), "marks": marks}


def _columns(table: Row) -> list[Row]:
    found: Any = table["columns"]
    return list(found)


def _line(column: Row) -> str:
    marks: Any = column["marks"]
    return " ".join([str(column["name"]), str(column["type"]), *(f"[{mark}]" for mark in marks)]).rstrip()
