"""Engines: the database of another system, to be read and never written."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from powauth.cli.failures import Failure, Misused

T = TypeVar("T")

ALIASES = {"postgres": "postgresql", "mysql2": "mysql", "sqlite3": "sqlite"}
"""How Heroku, Rails and Django's URLs call what SQLAlchemy calls otherwise."""

DRIVERS = {
    "postgresql": {"psycopg": "psycopg", "psycopg2": "psycopg2", "asyncpg": "asyncpg"},
    "mysql": {"asyncmy": "asyncmy", "pymysql": "pymysql", "MySQLdb": "mysqldb", "aiomysql": "aiomysql"},
}
DRIVERS["mariadb"] = DRIVERS["mysql"]
"""Modules that may be installed, and what SQLAlchemy calls them."""

READ_ONLY = {
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}


class Origin:
    """A connection to the other system's database, on which nothing can be written where the engine can refuse it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._async = AsyncEngine(engine) if engine.dialect.is_async else None

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do work in a transaction of its own, which ends with it. Raises `Failure`."""
        try:
            if self._async:
                async with self._async.connect() as connection:
                    return await connection.run_sync(work)
            with self.engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise Failure(f"the other database does not answer: {told(error)}", code="source") from error

    async def close(self) -> None:
        """Close the connections."""
        if self._async:
            await self._async.dispose()
        else:
            self.engine.dispose()


def connect(text: str) -> Origin:
    """Return the database behind a URL. Raises `Misused`."""
    url = with_driver(read_url(text))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Misused(f"there is no file {url.database}", code="source")  # SQLite would make an empty one
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except NoSuchModuleError as error:
        raise Misused(f"SQLAlchemy knows no {url.drivername}", code="source") from error
    except ModuleNotFoundError as error:
        raise Misused(f"{url.drivername} needs {error.name}: install it", code="source") from error
    event.listen(engine, "connect", _prepare(engine))
    return Origin(engine)


def read_url(text: str) -> URL:
    """Return a database's URL. Raises `Misused`, without the URL: a password stands in it."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise Misused(
            "--from is a file, a folder or a URL such as postgresql://name:password@host/name", code="source"
        ) from error
    backend, plus, driver = url.drivername.partition("+")
    return url.set(drivername=f"{ALIASES.get(backend, backend)}{plus}{driver}")


def with_driver(url: URL) -> URL:
    """Return the URL with a driver that is installed, if it names none."""
    known = DRIVERS.get(url.drivername, {})
    for module, driver in known.items():
        if importlib.util.find_spec(module):
            return url.set(drivername=f"{url.drivername}+{driver}")
    if known:
        raise Misused(f"{url.drivername} needs a driver: install {next(iter(known))}", code="source")
    return url


def _prepare(engine: Engine) -> Callable[[Any, Any], None]:
    """Return what makes each new connection one that only reads."""

    def prepare(connection: Any, _: object) -> None:  # noqa: ANN401  of any driver
        if engine.dialect.name == "sqlite":
            raw = getattr(connection, "driver_connection", connection)
            raw.text_factory = decoded
        if statement := READ_ONLY.get(engine.dialect.name):
            cursor = connection.cursor()
            cursor.execute(statement)
            cursor.close()
            connection.commit()

    return prepare


def decoded(value: bytes) -> str:
    """Return text of SQLite. What is no UTF-8 is refused with its row, and not with the whole page."""
    return value.decode(errors="surrogateescape")


def told(error: SQLAlchemyError) -> str:
    """Return what went wrong, in one line."""
    origin: object = getattr(error, "orig", None) or error
    return f"{type(origin).__name__}: {str(origin).splitlines()[0] if str(origin) else ''}"[:300]
