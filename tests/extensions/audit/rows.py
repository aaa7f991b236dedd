"""What the tests of audit read: its rows, in the order of time."""

from collections.abc import Sequence

from powauth import Extension
from powauth.extensions.audit import Audit, AuditRecord
from tests.house import House, whole_house


def all_others() -> tuple[Extension, ...]:
    """Return every extension but audit, to which a test gives settings of its own."""
    return tuple(extension for extension in whole_house() if not isinstance(extension, Audit))


async def rows(home: House, event: str = "") -> Sequence[AuditRecord]:
    """Return every row, or those of one event."""
    async with home.auth.begin(writes=False) as ctx:
        where = {"event": event} if event else {}
        return await ctx.records(AuditRecord).find(where=where, order=("id",))


async def row(home: House, event: str) -> AuditRecord:
    """Return the only row of an event."""
    (found,) = await rows(home, event)
    return found


async def names(home: House) -> list[str]:
    """Return what happened, in its order."""
    return [found.event for found in await rows(home)]
