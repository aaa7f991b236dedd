"""Pool: connections to one server, each lent for one exchange, and taken back only if every answer was read."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from powauth.redis.failures import Lost, NotSent
from powauth.redis.urls import Address, Login

Command = tuple[bytes | str | int, ...]
Answer = Any
"""What RESP can say: bytes, an integer, nothing, a list of these, or a refusal, as the exception that it is."""

Connect = Callable[[Address], AbstractConnection]
Greet = Callable[[Address, AbstractConnection], Awaitable[None]]
"""Called with each new connection before anything is asked on it."""

# The connection has one of its own, which takes three times as long.
pack: Callable[[Command], bytes] = hiredis.pack_command  # type: ignore[assignment]  # its stub knows tuples of one only

LONGEST_LIFE = 300.0
"""Seconds after which a connection is made anew: a name may lead elsewhere by then, a primary may be none any more."""


class Pool:
    """Connections to one server.

    Whatever interrupts an exchange, a time-out or a visitor who leaves, costs the connection: on one that is kept, the
    next caller would read the answer that was meant for somebody else.
    """

    def __init__(
        self, address: Address, connect: Connect, *, size: int, needs_primary: bool, greet: Greet | None = None
    ) -> None:
        self.address = address
        self._greet = greet
        self._connect = connect
        self._needs_primary = needs_primary
        self._turns = asyncio.Semaphore(size)
        self._idle: list[tuple[AbstractConnection, float]] = []
        self._generation = 0
        self._is_closed = False
        self.has_broken = False
        """Whether a connection was found broken since somebody noted it: the server may be another one now."""

    async def exchange(self, commands: Sequence[Command]) -> list[Answer]:
        """Send these on one connection and return the answers. Raises `NotSent` or `Lost`."""
        async with self._turns:
            connection, ends = await self._lend()
            generation, is_whole = self._generation, False
            try:
                answers = await ask(connection, commands)
                is_whole = True
            except (RedisError, OSError) as error:
                self.has_broken = True
                raise Lost from error
            finally:
                if is_whole and not self._is_closed and now() < ends and generation == self._generation:
                    self._idle.append((connection, ends))
                else:
                    await connection.disconnect(nowait=True)
        return answers

    async def forget(self) -> None:
        """Close what is idle: it may be connected to what a server no longer is."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await connection.disconnect(nowait=True)

    async def renew(self) -> None:
        """Ask nothing more on any connection of before."""
        self._generation += 1
        await self.forget()

    async def close(self) -> None:
        """Close all connections, those that are lent as soon as they come back."""
        self._is_closed = True
        await self.forget()

    async def _lend(self) -> tuple[AbstractConnection, float]:
        while self._idle:
            connection, ends = self._idle.pop()
            generation, is_usable = self._generation, False
            try:
                is_usable = await is_quiet(connection) and generation == self._generation
            finally:  # whoever leaves while it is looked at takes it along
                if not is_usable:
                    self.has_broken = True
                    await connection.disconnect(nowait=True)
            if is_usable:
                return connection, ends
        lives = LONGEST_LIFE * random.uniform(0.5, 1)  # noqa: S311  so that processes do not all come back at once
        generation, connection = self._generation, await self._open()
        while generation != self._generation:  # somebody wants others than those of before
            await connection.disconnect(nowait=True)
            generation, connection = self._generation, await self._open()
        return connection, now() + lives

    async def _open(self) -> AbstractConnection:
        connection = self._connect(self.address)
        is_ready = False
        try:
            await connection.connect()  # type: ignore[no-untyped-call]  # redis gives it no types
            if self._needs_primary:
                (role,) = await ask(connection, [("ROLE",)])
                if isinstance(role, list) and role and role[0] != b"master":
                    raise NotSent(f"{self.address} is a replica")
            if self._greet:
                await self._greet(self.address, connection)
            is_ready = True
        except (RedisError, OSError) as error:
            raise NotSent(f"{self.address}") from error
        finally:
            if not is_ready:
                await connection.disconnect(nowait=True)
        return connection


def now() -> float:
    """Return the seconds of the event loop, which no change of the clock moves."""
    return asyncio.get_running_loop().time()


async def ask(connection: AbstractConnection, commands: Sequence[Command]) -> list[Answer]:
    """Send these and return what is answered; a refusal is an answer, too."""
    packed = b"".join([pack(command) for command in commands])
    await connection.send_packed_command(packed, check_health=False)
    answers: list[Answer] = []
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except ResponseError as refusal:
            answers.append(refusal)
    return answers


async def is_quiet(connection: AbstractConnection) -> bool:
    """Say whether a connection that rested is open still, and has nothing to say that nobody asked for."""
    # can_read is can_read_destructive since redis 8.0
    has_something = getattr(connection, "can_read", None) or connection.can_read_destructive
    try:
        return not await has_something()
    except (RedisError, OSError):
        return False


def connector(login: Login, *, database: int, patience: float) -> Connect:
    """Return what makes connections. Nothing is ever repeated by them: whoever calls knows what may be."""
    options: dict[str, Any] = {
        "username": login.username,
        "password": login.password,
        "db": database,
        "socket_timeout": None,  # the whole call has one
        "socket_connect_timeout": patience,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,  # all that is needed, from the oldest server and through every proxy; nothing comes unasked
    }
    if login.tls:
        options |= {
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_ca_certs": login.ca,
            "ssl_certfile": login.certificate,
            "ssl_keyfile": login.key,
        }

    def connect(address: Address) -> AbstractConnection:
        if not address.port:
            return UnixDomainSocketConnection(path=address.host, **options)
        kind = SSLConnection if login.tls else Connection
        return kind(host=address.host, port=address.port, **options)

    return connect
