"""The table of table versions: what `upgrades` reads and writes."""

from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import conv

from powauth.sqlalchemy.names import constraint_name, made_for, mark, shortened
from powauth.sqlalchemy.types import text_type

_VERSIONS = "versions"


def version_table(metadata: MetaData, schema: str | None, prefix: str) -> Table | None:
    """Return the table, made once; `None` if the application has another one of that name."""
    name = shortened(f"{prefix}_schema" if prefix else "powauth_schema")
    known = metadata.tables.get(f"{schema}.{name}" if schema else name)
    if known is not None:
        return known if made_for(known) == _VERSIONS else None
    table = Table(
        name,
        metadata,
        Column("name", text_type(64), nullable=False),
        Column("version", Integer, nullable=False),
        PrimaryKeyConstraint("name", name=conv(constraint_name("pk", name))),
        schema=schema,
    )
    return mark(table, _VERSIONS)
