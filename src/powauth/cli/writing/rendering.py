"""What Alembic says to make and to drop the tables of an extension, without a database."""

import importlib
import re
from typing import Any

from powauth.auth import Auth
from powauth.cli.failures import Failure
from powauth.sqlalchemy import SQLAlchemyDatabase

_DIALECT = re.compile(r"\b(?:sa\.dialects\.)?(mysql|postgresql)\.(?=[A-Z])")
"""A type of one engine's; inside a variant Alembic names it by a module that nobody imports."""


def drawn(auth: Auth[Any], name: str, *, renders: bool) -> list[dict[str, object]]:
    """Return the tables of an extension, with `renders` also as code of a migration."""
    extension = next((known for known in auth.extensions if known.name == name), None)
    records = extension.manifest().records if extension else ()
    database = auth.database
    if not records:
        return []
    if not isinstance(database, SQLAlchemyDatabase):
        raise Failure(f"the tables of {name} are for your own database adapter to make", code="no_tables")
    versions = database.versions_table(auth.plan.schema).fullname
    tables = [(record, database.table(auth.plan.schema, record)) for record in records]
    return [
        {"table": table.fullname, "record": record.__table__, "versions": versions, **_rendered(table, renders=renders)}
        for record, table in tables
    ]


def _rendered(table: Any, *, renders: bool) -> dict[str, object]:  # noqa: ANN401  a table of SQLAlchemy's
    if not renders:
        return {"imports": []}
    ops: Any = importlib.import_module("alembic.operations.ops")
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    made = [ops.CreateTableOp.from_table(table), *(ops.CreateIndexOp.from_index(index) for index in indexes)]
    upgrade = ops.UpgradeOps(made)
    up, down = _code(upgrade), _code(upgrade.reverse())
    imports = [f"from sqlalchemy.dialects import {name}" for name in sorted(set(_DIALECT.findall(up)))]
    return {"upgrade": _DIALECT.sub(r"\1.", up), "downgrade": _DIALECT.sub(r"\1.", down), "imports": imports}


def _code(operations: Any) -> str:  # noqa: ANN401  Alembic's, which may not be installed
    api: Any = importlib.import_module("alembic.autogenerate.api")
    migration: Any = importlib.import_module("alembic.runtime.migration")
    # the dialect whose rendering adds nothing of its own; the types themselves say what is different elsewhere
    context = migration.MigrationContext.configure(dialect_name="sqlite")
    lines = api.render_python_code(operations, migration_context=context).splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines if not line.strip().startswith("# ###"))
