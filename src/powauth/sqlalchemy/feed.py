"""Feed: tells a near cache what PostgreSQL says of a store's table, and when nobody knows."""

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable

from sqlalchemy import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from powauth.clock import steady
from powauth.errors import ConfigurationError
from powauth.near_cache import BEAT, PATIENCE, NearCache
from powauth.sqlalchemy import notices
from powauth.sqlalchemy.wires import Wire, WireBroken, connect

logger = logging.getLogger("powauth.sqlalchemy")

PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""Seconds between two tries to listen again."""

Trial = Callable[[str], Awaitable[None]]


class Feed:
    """A connection that listens, and a beat at which it hears itself the way that all notices go.

    A connection that stands and hears nothing, a queue that is stuck, a trigger that is gone, a table that another one
    replaced, a server that became a standby: at the next beat the cache is off, and on again once a connection hears.
    """

    def __init__(self, cache: NearCache, database: URL | AsyncEngine, table: str) -> None:
        self._cache = cache
        self._database = database
        self._table = table
        self._wire: Wire | None = None
        self._engine: AsyncEngine | None = None
        self._awaited = ""
        self._has_come = False
        self._task: asyncio.Task[None] | None = None
        self.server: str | None = None
        """Which server it listens to: what another one says is not kept."""
        self.trouble: str | None = None
        """Why everything is read through."""

    async def open(self, trial: Trial) -> None:
        """Begin to tell. Raises `ConfigurationError` where notices do not arrive; what may pass is tried again.

        `trial` changes a session of the owner that it is given, on another connection.
        """
        try:
            await self._begin()
            await self._try_out(trial)
        except ConfigurationError:
            await self._let_go()
            raise
        except Exception as problem:  # noqa: BLE001  drivers have many ways to say that they cannot connect
            await self._fail(problem)
        self._task = asyncio.create_task(self._run(), name="near cache")

    async def close(self) -> None:
        """Tell no more."""
        self._cache.read_through()
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
        await self._let_go()

    async def _run(self) -> None:
        pause = PAUSE
        while True:
            try:
                if self._wire is None:
                    await self._begin()
                pause = PAUSE
                await self._go_on()
            except Exception as problem:  # noqa: BLE001  whatever it is, the cache is off until it is over
                await self._fail(problem)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  so that not all come back at once
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _begin(self) -> None:
        """Connect, listen and hear; only then is anything kept."""
        async with asyncio.timeout(2 * PATIENCE):
            self._wire, self._engine = await connect(self._database)
            pid, channel = await self._wire.ask(f"SELECT pg_backend_pid(), {notices.channel(self._table)}")
            if pid != self._wire.pid:
                raise ConfigurationError(BEHIND_A_POOLER)
            await self._wire.listen(channel, self._hear)
        await self._beat(self._wire)

    async def _go_on(self) -> None:
        while self._wire:
            await self._wire.wait(BEAT, lambda: False)
            await self._beat(self._wire)

    async def _beat(self, wire: Wire) -> None:
        asked_at, nonce = steady(), secrets.token_hex(8)
        self._await(notices.BEAT + nonce)
        async with asyncio.timeout(PATIENCE):
            _, pid, is_fit, server = await wire.ask(notices.beat(self._table, wire.placeholder), nonce)
            if pid != wire.pid or not is_fit:
                raise WireBroken("PostgreSQL is read-only, or its table tells nothing")
            if not await wire.wait(PATIENCE, lambda: self._has_come):
                raise TimeoutError
        self.server = server
        self._cache.vouch(asked_at)
        if self.trouble:
            self.trouble = None
            logger.info("the near cache answers again")

    def _hear(self, notice: str) -> None:
        self._has_come |= notice == self._awaited
        if not notice.startswith(notices.BEAT):  # of our own, and of all the others that listen
            notices.tell(self._cache, notice)

    def _await(self, notice: str) -> None:
        self._awaited, self._has_come = notice, False

    async def _try_out(self, trial: Trial) -> None:
        """Have another connection change something, and hear of it: behind a pooler it is somebody else who hears."""
        owner = secrets.token_hex(16)
        self._await(notices.about(notices.NOBODYS, owner))
        await trial(owner)
        if not (self._wire and await self._wire.wait(PATIENCE, lambda: self._has_come)):
            raise ConfigurationError(NOTHING_ARRIVES)

    async def _fail(self, problem: BaseException) -> None:
        self._cache.read_through()
        if not self.trouble:
            logger.warning("the near cache reads everything through: %s", type(problem).__name__)
        self.trouble = f"{type(problem).__name__}: {problem}"
        await self._let_go()

    async def _let_go(self) -> None:
        wire, engine, self._wire, self._engine = self._wire, self._engine, None, None
        if wire:
            wire.cut()
        if engine:
            await engine.dispose()


def remember_server(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Note with each new connection to which server it leads."""
    cursor = connection.cursor()
    cursor.execute(f"SELECT {notices.SERVER}")
    (entry.info[_SERVER],) = cursor.fetchone()  # type: ignore[misc]
    cursor.close()


def server_of(db: AsyncConnection) -> str | None:
    """Return to which server a connection leads."""
    return db.sync_connection.info.get(_SERVER) if db.sync_connection else None


_SERVER = "powauth_server"

BEHIND_A_POOLER = (
    "near_cache needs a direct connection to PostgreSQL, and there is a pooler in between (PgBouncer or the like) which"
    " loses notices: give the store the server's own address, or leave near_cache away"
)
NOTHING_ARRIVES = (
    "near_cache hears nothing of what PostgreSQL tells: another connection changed a session, and no notice of it came"
    " within a second. Is there a pooler in between? Give the store the server's own address, or leave near_cache away"
)
