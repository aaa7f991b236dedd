"""The table of table versions: what `upgrades` reads and writes."""

from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import conv

from powauth.sqlalchemy.names import constraint_name, shortened
from powauth.sqlalchemy.types import text_type

_MADE = "powauth_versions"  # in the table's `info`


def version_table(metadata: MetaData, schema: str | None, prefix: str) -> Table | None:
    """Return the table, made once; `None` if the application has another one of that name."""
    name = shortened(f"{prefix}_schema" if prefix else "powauth_schema")
    known = metadata.tables.get(f"{schema}.{name}" if schema else name)
    if known is not None:
        return known if known.info.get(_MADE) else None
    return Table(
        name,
        metadata,
        Column("name", text_type(64), nullable=False),
        Column("version", Integer, nullable=False),
        PrimaryKeyConstraint("name", name=conv(constraint_name("pk", name))),
        schema=schema,
        info={_MADE: True},
    )
