"""How a store connects: engines of its own, made like the application's, every statement a transaction of its own."""

from sqlalchemy import URL, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from powauth.errors import ConfigurationError
from powauth.sqlalchemy.failures import is_stale
from powauth.sqlalchemy.types import MYSQL


def dialect_of(database: URL | AsyncEngine) -> str:
    """Return the name of the engine. Raises `ConfigurationError` for a database that connections cannot share."""
    url = database.url if isinstance(database, AsyncEngine) else database
    name = url.get_backend_name()
    if name == "sqlite" and url.database in {None, "", ":memory:"}:
        raise ConfigurationError("SQLAlchemyStore cannot share SQLite in memory: take MemoryStore, or name a file")
    return name


def engine_like(database: URL | AsyncEngine, *, connections: int) -> AsyncEngine:
    """Return an engine with a pool of its own, every statement a transaction of its own."""
    if isinstance(database, AsyncEngine):
        # The new pool knows all that the application said about connecting: TLS, tokens, listeners.
        pool = database.pool.recreate()
        engine = create_async_engine(database.url, isolation_level="AUTOCOMMIT", hide_parameters=True, pool=pool)
    else:
        engine = create_async_engine(
            database, isolation_level="AUTOCOMMIT", hide_parameters=True, pool_size=connections, max_overflow=0
        )
    if engine.dialect.name in MYSQL:
        event.listen(engine.sync_engine, "connect", read_committed)
    return engine


def read_committed(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Keep InnoDB from locking gaps, where statements about different keys would wait for each other."""
    cursor = connection.cursor()
    cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    cursor.close()


async def answers(db: AsyncConnection) -> bool:
    """Say whether the server is still at the other end."""
    try:
        await db.execute(select(1))
    except (DBAPIError, OSError) as error:
        if not is_lost(error):
            raise
        return False
    return True


def is_lost(error: DBAPIError | OSError) -> bool:
    """Say whether the connection is gone."""
    return isinstance(error, OSError) or is_stale(error)
