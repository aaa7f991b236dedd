"""A network between servers that a test can split and heal: each is known to the others by a port of ours."""

import asyncio
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servers import HOST


@dataclass(eq=False)
class Member:
    """A server, from where it speaks, and where it is heard."""

    port: int
    source: str
    client: int = 0
    bus: int = 0


@dataclass
class Network:
    """Carries what servers, and whoever uses them, say to servers; runs in a thread of its own."""

    loop: asyncio.AbstractEventLoop
    members: list[Member] = field(default_factory=list[Member])
    listeners: list[asyncio.Server] = field(default_factory=list[asyncio.Server])
    apart: set[int] = field(default_factory=set[int])
    carried: set[tuple[str, Member, asyncio.StreamWriter]] = field(
        default_factory=set[tuple[str, Member, asyncio.StreamWriter]]
    )

    def join(self, port: int) -> list[str]:
        """Let a server take part; return the options that make it."""
        member = Member(port, source=f"127.0.1.{len(self.members) + 1}")
        member.client = self._do(self._listen(member, port))
        member.bus = self._do(self._listen(member, port + 10000))
        self.members.append(member)
        return [
            "--cluster-announce-ip", HOST, "--cluster-announce-port", str(member.client),
            "--cluster-announce-bus-port", str(member.bus), "--bind-source-addr", member.source,
        ]  # fmt: skip

    def announced(self, port: int) -> int:
        """Return the port by which others know the server with this one."""
        return next(member.client for member in self.members if member.port == port)

    def bus(self, announced: int) -> int:
        """Return the port at which the others talk to it."""
        return next(member.bus for member in self.members if member.client == announced)

    def split(self, *ports: int) -> None:
        """Cut these servers off from all others, and from whoever uses them."""
        self._do(self._cut(set(ports)))

    def heal(self) -> None:
        """Let all reach all."""
        self._do(self._cut(set()))

    def end(self) -> None:
        """Let go of everything."""
        self._do(self._end())

    async def _end(self) -> None:
        for listener in self.listeners:
            listener.close()
        for _, _, writer in tuple(self.carried):
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others, timeout=5) if others else None
        await asyncio.sleep(0)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _listen(self, member: Member, port: int) -> int:
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._carry(member, port, reader, writer)

        listener = await asyncio.start_server(carry, HOST, 0)
        self.listeners.append(listener)
        found: int = listener.sockets[0].getsockname()[1]
        return found

    async def _cut(self, ports: set[int]) -> None:
        self.apart = ports
        for source, member, writer in tuple(self.carried):
            if not self._may_pass(source, member):
                writer.transport.abort()

    def _may_pass(self, source: str, to: Member) -> bool:
        speaker = next((member for member in self.members if member.source == source), None)
        return ((speaker.port if speaker else 0) in self.apart) == (to.port in self.apart)

    async def _carry(
        self, member: Member, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        source = writer.get_extra_info("peername")[0]
        if not self._may_pass(source, member):
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.transport.abort()
            return
        ends = {(source, member, writer), (source, member, back)}
        self.carried |= ends
        await asyncio.gather(_copy(reader, back), _copy(there, writer), return_exceptions=True)
        self.carried -= ends


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    finally:
        writer.transport.abort()


@contextmanager
def network() -> Generator[Network]:
    """Run a network, and end it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    found = Network(loop)
    try:
        yield found
    finally:
        found.end()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
