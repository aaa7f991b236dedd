"""A server on this machine that answers as providers' documentation says, under their real addresses."""

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from powauth.oauth import Documents, HttpRequest, HttpResponse, Network, Tools
from powauth.oauth.httpx2 import Httpx2
from powauth.oauth.joserfc import Joserfc
from powauth.testing import FrozenClock

LONGEST = 20_000  # bytes that an answer may have here
SLOW = b"slow"
"""An answer that does not come."""


@dataclass(frozen=True)
class Asked:
    """What the server was asked."""

    method: str
    address: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]


@dataclass
class Loopback:
    """Documented answers by address, and what was asked."""

    port: int = 0
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[Asked] = field(default_factory=list[Asked])
    over: threading.Event = field(default_factory=threading.Event)
    clock: FrozenClock = field(default_factory=FrozenClock)

    def tools(self, timeout: timedelta = timedelta(seconds=10)) -> Tools:
        """Return tools whose requests come here, by HTTP, whatever they are addressed to."""
        http = Rerouted(self.port, Httpx2(timeout=timeout, longest=LONGEST))
        return Tools(http=http, jose=Joserfc(), clock=self.clock, documents=Documents())

    def last(self, address: str) -> Asked:
        return next(asked for asked in reversed(self.asked) if asked.address == address)


@dataclass(frozen=True)
class Rerouted:
    """An `Http` that asks this machine instead of a provider."""

    port: int
    http: Httpx2

    async def send(self, request: HttpRequest) -> HttpResponse:
        assert request.url.startswith("https://")
        assert request.network is Network.PUBLIC
        here = f"http://127.0.0.1:{self.port}/{request.url.removeprefix('https://')}"
        return await self.http.send(replace(request, url=here, network=Network.LOOPBACK))


class Handler(BaseHTTPRequestHandler):
    """Answers by the address that stands in the path."""

    site: ClassVar[Loopback]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        address = f"https:/{parts.path}"
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.site.asked.append(Asked(self.command, address, _pairs(parts.query), headers, _pairs(body)))
        self._answer(self.site.answers.get(address, (404, {"error": "not_found"})))

    do_POST = do_GET  # noqa: N815  the library names them so

    def _answer(self, answer: Any) -> None:
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        if content is SLOW:
            self.site.over.wait(20)
            return
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  so does the library
        """Say nothing."""


def _pairs(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


@contextmanager
def serving() -> Generator[Loopback]:
    """Give a server until the block ends."""
    site = Loopback()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"site": site}))
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
