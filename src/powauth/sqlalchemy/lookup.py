"""Lookup: the one statement that every signed-in request runs, put into the engine's words once."""

from typing import Any

from sqlalchemy import Dialect, Row, Table, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from powauth.sqlalchemy.store_table import MOST, key_bytes
from powauth.stores import Key


class Lookup:
    """Reads the row of a key. To build the statement anew for each request takes longer than all the rest of it."""

    def __init__(self, table: Table) -> None:
        columns = table.c
        at = [columns[part] == bindparam(part) for part in MOST]
        self._statement = select(columns.value, columns.version, columns.expires_at).where(*at)
        self._text = ""

    async def row(self, db: AsyncConnection, key: Key) -> Row[Any] | None:
        """Return value, version and expiry; `None` where nothing stands."""
        values = {part: key_bytes(text, most) for (part, most), text in zip(MOST.items(), key, strict=True)}
        bound = tuple(values.values()) if db.dialect.positional else values
        return (await db.exec_driver_sql(self._text or self._say(db.dialect), bound)).first()

    def _say(self, dialect: Dialect) -> str:
        self._text = str(self._statement.compile(dialect=dialect))
        return self._text
