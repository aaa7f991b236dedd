"""What `powauth check` says of PostgreSQL where a near cache hears of changes."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from powauth.stores import Weakness

READS_THROUGH = Weakness(
    "postgresql_reads_through",
    "warn",
    "the near cache keeps nothing: it does not hear what PostgreSQL tells, so every request asks PostgreSQL",
    "look at what the logger powauth.sqlalchemy says, and whether a connection more is allowed",
)
PILE_UP = Weakness(
    "postgresql_notices_pile_up",
    "warn",
    "PostgreSQL's queue of notices is half full: once it is full, nobody signs in and no session can be ended",
    "end the connection that listens and sleeps in a transaction: pg_stat_activity, state idle in transaction",
)
HALF = 0.5


async def examine(db: AsyncConnection, *, trouble: str | None) -> Sequence[Weakness]:
    """Return what of the server and the near cache is unsafe."""
    found = [READS_THROUGH] if trouble else []
    usage = (await db.execute(text("SELECT pg_notification_queue_usage()"))).scalar_one()
    return [*found, PILE_UP] if usage > HALF else found
