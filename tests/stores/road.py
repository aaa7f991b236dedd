"""The way to a server, which a test can cut and mend, and one call of every verb."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

from powauth.stores import Key, Store
from powauth.testing.store_contract import KEY
from powauth.testing.store_races import later


class Road:
    """The way to a server, which a test can cut and mend."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._server = (host, port)
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._answers = True
        self.port = 0

    async def mend(self) -> None:
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._listener
        self._listener.close()
        for writer in self._open:
            writer.transport.abort()
        await self._listener.wait_closed()

    @property
    def leads_to(self) -> int:
        """The port of the server at its end."""
        return self._server[1]

    def lead_to(self, port: int) -> None:
        """Lead whoever comes from now on to another server."""
        self._server = (self._server[0], port)

    def stall(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def swallow(self) -> None:
        """Let everything reach the server, and no answer come back: the way breaks when one would."""
        self._answers = False

    def answer(self) -> None:
        self._answers = True

    @property
    def count(self) -> int:
        """How many connections there are."""
        return len(self._open) // 2

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A loop that ends takes these along; on Python 3.11 a stream complains of a handler that is cancelled.
        with suppress(OSError, asyncio.CancelledError):
            try:
                there, back = await asyncio.open_connection(*self._server)
            except OSError:
                writer.transport.abort()
                return
            self._open |= {writer, back}
            with suppress(OSError):
                await asyncio.gather(self._copy(reader, back), self._copy(there, writer, is_answer=True))
            self._open -= {writer, back}
            for end in (writer, back):
                end.close()

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        while part := await reader.read(65536):
            await self._flows.wait()
            if is_answer and not self._answers:
                writer.transport.abort()
                break
            writer.write(part)
        writer.close()


Call = Callable[[Store], Awaitable[object]]

CALLS: list[Call] = [
    lambda store: store.get(KEY),
    lambda store: store.put(KEY, b"1", expires_at=later()),
    lambda store: store.add(KEY, b"1", expires_at=later()),
    lambda store: store.replace(KEY, b"1", version=1, expires_at=later()),
    lambda store: store.increment(KEY, expires_at=later()),
    lambda store: store.list(KEY.kind, KEY.owner),
    lambda store: store.delete_all(KEY.kind, "grace"),
    lambda store: store.purge(),
    lambda store: store.delete(Key("session", "grace", "1")),
    lambda store: store.take(KEY),
]
