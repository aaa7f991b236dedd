"""Link: the one connection on which a primary says, unasked, what changes in it."""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hiredis
from redis.exceptions import ResponseError

from powauth.redis.failures import Lost, NotSent, Refused
from powauth.redis.pool import Answer, Command, pack
from powauth.redis.urls import Address, Login

Hear = Callable[[Sequence[bytes] | None], None]
"""Called with the names of what changed, and with `None` when everything did."""


class Link(asyncio.Protocol):
    """A connection in RESP3, where what nobody asked for is told from answers.

    What is told is heard as soon as it is read, in the very turn of the event loop: a request that is read from the
    network at the same time is served later.
    """

    def __init__(self, address: Address, *, hear: Hear, lost: Callable[[], None]) -> None:
        self.address = address
        self.run_id: bytes | None = None
        """By which a process of a server differs from all others, and from itself after a restart."""
        self._hear = hear
        self._lost = lost
        self._reader: Any = hiredis.Reader(replyError=ResponseError, notEnoughData=MORE)
        self._asked: deque[asyncio.Future[Answer]] = deque()
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it is connected, as far as one knows without asking."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, *commands: Command) -> Sequence[Answer]:
        """Return what is answered. Raises `Lost`; `Refused` at the first refusal."""
        if self._transport is None or self._transport.is_closing():
            raise Lost
        futures = [asyncio.get_running_loop().create_future() for _ in commands]
        self._asked.extend(futures)
        self._transport.write(b"".join([pack(command) for command in commands]))
        answers = await asyncio.gather(*futures)
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise Refused(answer) from answer
        return answers

    def close(self) -> None:
        """Break it off, unheard."""
        self._lost = _nothing
        self._hear = _nobody
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be told that it stands."""
        self._transport = transport  # type: ignore[assignment]  # of a stream, as all of ours are

    def data_received(self, data: bytes) -> None:
        """Hear what is told, and hand answers to whoever asked."""
        try:
            self._reader.feed(data)
            while (said := self._reader.gets()) is not MORE:
                self._take(said)
        except (hiredis.ProtocolError, IndexError):
            if self._transport:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let whoever waits know, and the feed first."""
        self._transport = None
        self._lost()
        while self._asked:
            if not (future := self._asked.popleft()).done():
                future.set_exception(Lost(exc))

    def _take(self, said: Answer) -> None:
        if isinstance(said, hiredis.PushNotification):
            told: list[Any] = [*said]
            if told and told[0] == b"invalidate":
                self._hear(told[1])
            return
        future = self._asked.popleft()
        if not future.done():  # otherwise whoever asked has gone
            future.set_result(said)


MORE = object()


def _nothing() -> None:
    pass


def _nobody(_: Sequence[bytes] | None) -> None:
    pass


class Linking:
    """Makes links, and begins each: who it is, what it wants to hear."""

    def __init__(self, login: Login, *, prefix: bytes, patience: float) -> None:
        self._login = login
        self._prefix = prefix
        self._patience = patience
        self._tls: ssl.SSLContext | None = None

    async def link(self, address: Address, *, hear: Hear, lost: Callable[[], None]) -> Link:
        """Return a link on which everything from now on is told. Raises `NotSent`; `Refused` where it cannot be had."""
        link = Link(address, hear=hear, lost=lost)
        is_ready = False
        try:
            async with asyncio.timeout(self._patience):
                await self._connect(link)
                await link.ask(self._hello())
                track: Command = ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._prefix)
                _, info = await link.ask(track, ("INFO", "server"))
            link.run_id = run_id(info)
            if link.run_id is None:
                raise Refused(ResponseError("NORUNID nothing tells this server from another"))
            is_ready = True
        except (OSError, Lost, TimeoutError) as error:  # of which those of TLS are some
            raise NotSent(f"{address}") from error
        finally:
            if not is_ready:
                link.close()
        return link

    def _connect(self, link: Link) -> Awaitable[Any]:
        loop, (host, port) = asyncio.get_running_loop(), link.address
        if not port:
            return loop.create_unix_connection(lambda: link, host)
        if not self._login.tls:
            return loop.create_connection(lambda: link, host, port)
        self._tls = self._tls or tls(self._login)
        return loop.create_connection(lambda: link, host, port, ssl=self._tls, server_hostname=host)

    def _hello(self) -> Command:
        if self._login.password is None:
            return ("HELLO", 3)
        return ("HELLO", 3, "AUTH", self._login.username or "default", self._login.password)


def run_id(info: Answer) -> bytes | None:
    """Return by what a server is told from all others, as INFO has it."""
    lines = info.splitlines() if isinstance(info, bytes) else ()
    return next((line for line in lines if line.startswith(b"run_id:")), None)


def tls(login: Login) -> ssl.SSLContext:
    """Return what the pool's connections have: the certificate holds, and names the host."""
    context = ssl.create_default_context()
    if login.ca:
        context.load_verify_locations(login.ca)
    if login.certificate:
        context.load_cert_chain(login.certificate, login.key)
    return context
