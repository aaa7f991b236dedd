"""Mail servers on this machine: one that behaves (aiosmtpd), one that misbehaves as it is told, a service on HTTP.

They run in the event loop of the test: no thread has to end.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from powauth.mail import Mail

HOST = "127.0.0.1"
USERNAME, PASSWORD = "shop", "gräßlich long & secret"


@cache
def authority() -> trustme.CA:
    """An authority that nobody knows but who asks here."""
    return trustme.CA()


def trusting(ca: trustme.CA | None = None) -> ssl.SSLContext:
    """Return what a client needs that trusts this authority."""
    context = ssl.create_default_context()
    (ca or authority()).configure_trust(context)
    return context


def certified(name: str = HOST) -> ssl.SSLContext:
    """Return what a server needs that calls itself so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(name).configure_cert(context)
    return context


@dataclass
class Delivered:
    """A mail as the server has it."""

    sender: str
    recipients: Sequence[str]
    options: Sequence[str]
    raw: bytes
    is_encrypted: bool
    username: str | None
    hello: str

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def mail(self) -> Mail:
        """What the mailer contract compares."""
        message = self.message
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        assert text
        id = str(message["Message-ID"]).strip("<>").partition("@")[0]
        written = str(html.get_content()) if html else ""
        return Mail(
            "",
            self.recipients[0],
            str(message["Subject"]),
            str(text.get_content()).replace("\r\n", "\n"),
            written,
            {},
            id=id,
        )


@dataclass
class MailServer:
    """A mail server that keeps what it was given."""

    port: int = 0
    delivered: list[Delivered] = field(default_factory=list[Delivered])
    tried: list[str] = field(default_factory=list[str])
    """Who tried to sign in."""
    on_data: Callable[[Delivered], Awaitable[str]] | None = None

    def check(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.tried.append(mechanism)
        is_right = (data.login.decode(), data.password.decode()) == (USERNAME, PASSWORD)
        return AuthResult(success=is_right, handled=False, auth_data=data)  # handled: nobody would tell the client

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's
        signed_in: Any = session.auth_data
        delivered = Delivered(
            envelope.mail_from or "",
            [str(to) for to in envelope.rcpt_tos],
            [str(option) for option in envelope.mail_options],
            envelope.content or b"",  # type: ignore[arg-type]
            bool(server.transport.get_extra_info("sslcontext")),
            signed_in.login.decode() if isinstance(signed_in, LoginPassword) else None,
            str(session.host_name),
        )
        answer = await self.on_data(delivered) if self.on_data else "250 OK"
        if answer.startswith("2"):
            self.delivered.append(delivered)
        return answer


@asynccontextmanager
async def mail_server(
    *, security: str = "starttls", needs_auth: bool = False, name: str = HOST, **settings: Any
) -> AsyncGenerator[MailServer]:
    """Run a mail server with STARTTLS, TLS from the beginning, or none."""
    known = MailServer()
    tls = None if security == "none" else certified(name)

    connections: list[SMTP] = []

    def smtp() -> SMTP:
        connection = SMTP(
            known,
            enable_SMTPUTF8=True,
            hostname="mail.example.com",
            tls_context=tls if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=known.check if needs_auth else None,
            auth_required=needs_auth,
            auth_require_tls=security == "starttls",
            **settings,
        )
        connections.append(connection)
        return connection

    loop = asyncio.get_running_loop()
    server = await loop.create_server(smtp, HOST, 0, ssl=tls if security == "tls" else None)
    known.port = server.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        server.close()
        for connection in connections:
            for transport in (connection.transport, connection._original_transport):
                if isinstance(transport, asyncio.WriteTransport):
                    transport.abort()  # left open where TLS was refused
        await server.wait_closed()
        await asyncio.sleep(0)


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Run a server that does what it is told, and give its port."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def answering(answers: dict[str, str], heard: list[str] | None = None) -> Script:
    """Return a server that answers commands by their first word; `STALL` says nothing more, `DROP` hangs up."""
    usual = {"EHLO": "250-mail.example.com\r\n250 SIZE", "DATA": "354 go on", ".": "250 taken", "QUIT": "221 bye"}

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(text: str) -> bool:
            if text == "STALL":
                await asyncio.sleep(3600)
            if text == "DROP":
                return False
            writer.write(f"{text}\r\n".encode())
            await writer.drain()
            return True

        known = {**usual, **answers}
        goes_on = await say(known.get("hello", "220 mail.example.com"))
        is_data = False
        while goes_on and (read := await reader.readline()):
            line = read.decode().strip()
            word = "." if is_data and line == "." else line.split(" ")[0].upper()
            if is_data and word != ".":
                continue
            if heard is not None:
                heard.append(line)
            is_data = word == "DATA" and known["DATA"].startswith("354")
            goes_on = await say(known.get(word, "250 OK"))
            if word == "QUIT":
                break

    return script


@dataclass(frozen=True)
class Posted:
    """What a service was sent."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def mail_service(
    answer: Callable[[Posted], tuple[str, str]], *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[int]:
    """Run a service on HTTP that answers with status and body. `STALL`, `DROP` and `DRIP` are no answers."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, said = answer(Posted(first.split(" ")[1], headers, body))
        if status == "STALL":
            await asyncio.sleep(3600)
        while status == "DRIP":
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.05)
        if status != "DROP":
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n{said}".encode()
            )
            await writer.drain()

    async with scripted(script, tls=tls) as port:
        yield port
