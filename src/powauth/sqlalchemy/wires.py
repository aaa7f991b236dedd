"""Wires: one connection to PostgreSQL that hears notices, whichever driver it belongs to."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any, Protocol

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from powauth.clock import steady
from powauth.errors import ConfigurationError
from powauth.sqlalchemy.engines import engine_like

Hear = Callable[[str], None]
Until = Callable[[], bool]


class WireBroken(Exception):
    """The connection is gone, or is not what it should be."""


class Wire(Protocol):
    """A connection that hears."""

    placeholder: str
    """How its statements say where their one value belongs."""
    pid: int
    """The server's process at the other end, as the server said when it was connected."""

    async def listen(self, channel: str, hear: Hear) -> None:
        """Have this called with each notice from now on."""
        ...

    async def ask(self, statement: str, *values: str) -> tuple[Any, ...]:
        """Return the one row that answers."""
        ...

    async def wait(self, seconds: float, until: Until) -> bool:
        """Hear for so long, or until that is so; return whether it is. Raises when the connection breaks."""
        ...

    def cut(self) -> None:
        """Let go of the connection at once, and say nothing to the server."""
        ...


class AsyncpgWire:
    """A connection of asyncpg, which hears by itself."""

    placeholder = "$1"

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  a driver's, which may not be installed
        self._connection = connection
        self._stirred = asyncio.Event()
        self.pid = int(connection.get_server_pid())
        connection.add_termination_listener(self._stir)

    async def listen(self, channel: str, hear: Hear) -> None:
        """Have this called with each notice from now on."""

        def heard(_connection: object, _pid: int, _channel: str, notice: str) -> None:
            hear(notice)
            self._stirred.set()

        await self._connection.add_listener(channel, heard)

    async def ask(self, statement: str, *values: str) -> tuple[Any, ...]:
        """Return the one row that answers."""
        return tuple(await self._connection.fetchrow(statement, *values))

    async def wait(self, seconds: float, until: Until) -> bool:
        """Hear for so long, or until that is so; return whether it is. Raises when the connection breaks."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not until():
                    if self._connection.is_closed():
                        raise WireBroken
                    await self._stirred.wait()
                    self._stirred.clear()
        return until()

    def cut(self) -> None:
        """Let go of the connection at once, and say nothing to the server."""
        self._connection.remove_termination_listener(self._stir)
        self._connection.terminate()

    def _stir(self, _connection: object) -> None:
        self._stirred.set()


class PsycopgWire:
    """A connection of psycopg, which hears while it is waited on or asked."""

    placeholder = "%s"

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  a driver's, which may not be installed
        self._connection = connection
        self._hear: Hear = lambda _notice: None
        self.pid = int(connection.info.backend_pid)

    async def listen(self, channel: str, hear: Hear) -> None:
        """Have this called with each notice from now on."""
        self._hear = hear
        await self._connection.execute(f'LISTEN "{channel}"')

    async def ask(self, statement: str, *values: str) -> tuple[Any, ...]:
        """Return the one row that answers."""
        cursor = await self._connection.execute(statement, values or None)
        return tuple(await cursor.fetchone())

    async def wait(self, seconds: float, until: Until) -> bool:
        """Hear for so long, or until that is so; return whether it is. Raises when the connection breaks."""
        ends = steady() + seconds
        while not until() and (left := ends - steady()) > 0:
            # It stops after one, but never before all that came with that one: whoever breaks off loses those.
            async with aclosing(self._connection.notifies(timeout=left, stop_after=1)) as notices:
                async for notice in notices:
                    self._hear(notice.payload)
        return until()

    def cut(self) -> None:
        """Let go of the connection at once, and say nothing to the server."""
        self._connection.pgconn.finish()


async def connect(database: URL | AsyncEngine) -> tuple[Wire, AsyncEngine]:
    """Return a connection of its own, made as the application connects, and the engine to dispose of after it."""
    engine = engine_like(database, connections=1)
    try:
        raw = await engine.raw_connection()
        connection: Any = raw.driver_connection
        raw.detach()
        return wire(connection), engine
    except BaseException:
        await engine.dispose()
        raise


def wire(connection: Any) -> Wire:  # noqa: ANN401  a driver's
    """Return the wire of a driver's connection. Raises `ConfigurationError` for a driver that it does not know."""
    driver = type(connection).__module__.partition(".")[0]
    if driver not in WIRES:
        raise ConfigurationError(f"near_cache hears by asyncpg or psycopg, and not by {driver}: name one in the URL")
    return WIRES[driver](connection)


WIRES: dict[str, Callable[[Any], Wire]] = {"asyncpg": AsyncpgWire, "psycopg": PsycopgWire}
