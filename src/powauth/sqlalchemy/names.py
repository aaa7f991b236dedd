"""Names of tables and constraints: stable, and short enough for every engine; and which tables are ours."""

import hashlib

from sqlalchemy import Table

_MARKS = "powauth"

LONGEST = 60  # PostgreSQL cuts at 63 bytes, MariaDB refuses more than 64


def constraint_name(kind: str, table: str, *columns: str) -> str:
    """Return the same name for the same constraint, for ever."""
    return shortened("_".join((kind, table, *columns)))


def shortened(name: str) -> str:
    """Return the name, or its beginning and a hash of all of it where it is too long."""
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}_{digest}"


def mark(table: Table, purpose: object) -> Table:
    """Remember what a table of ours is for, in the metadata: Alembic would write the table's own `info` as code."""
    table.metadata.info.setdefault(_MARKS, {})[table.key] = purpose
    return table


def made_for(table: Table) -> object | None:
    """Return what a table of ours is for, `None` if it is the application's."""
    marks: dict[str, object] = table.metadata.info.get(_MARKS, {})
    return marks.get(table.key)
