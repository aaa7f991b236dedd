"""Backend: a database under test, and the units of work that a contract opens on it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from powauth.database import Database, DatabaseUnit, Schema
from powauth.tenants import Tenant

ACME = Tenant("acme", "https://acme.test")
OTHER = Tenant("other", "https://other.test")


@dataclass(frozen=True)
class Backend:
    """A database that is open and empty, and the schema that it declared."""

    database: Database[Any]
    schema: Schema

    @asynccontextmanager
    async def unit(self, tenant: Tenant = ACME, *, writes: bool = True) -> AsyncGenerator[DatabaseUnit]:
        """Open a unit of work, commit it at the end, or roll it back when something is raised."""
        unit = self.database.unit(self.schema, tenant, writes=writes)
        try:
            yield unit
            await unit.commit()
        finally:
            await unit.rollback()
