"""What an ASGI server received, as a raw request."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from powauth.errors import TooLarge, Unreadable
from powauth.http import RawRequest, ReadBody, no_body

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


Headers = Sequence[tuple[bytes, bytes]]


class ASGIRequest(RawRequest):
    """A request that stays as it came until somebody asks: most pages need nothing of it but the cookie."""

    __slots__ = ("_by_name", "_peer", "_query_string", "_receive", "_received", "_root")

    def __init__(self, scope: Scope, receive: Receive | None) -> None:
        # The scope itself is not kept: it holds the visit that holds this, and only a collection would free the three.
        self._method = scope.get("method", "GET")
        self._path = scope["path"]
        self._root: str = scope.get("root_path", "")
        self._query_string: bytes = scope.get("query_string", b"")
        self._peer: tuple[str, int] | None = scope.get("client")
        self._receive = receive
        self._received: Headers = scope["headers"]
        self._by_name = dict(self._received)

    @property
    def path(self) -> str:
        """The path below the mount point."""
        return self._path.removeprefix(self._root)

    @property
    def query(self) -> str:
        """The query string, without its question mark."""
        return self._query_string.decode("latin-1")

    @property
    def client(self) -> str:
        """The peer's network address; empty where there is none."""
        return self._peer[0] if self._peer else ""

    @property
    def body(self) -> ReadBody:
        """Reads the body."""
        return _body_reader(self._receive) if self._receive else no_body

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """All headers, in the order in which they came."""
        return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._received)

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return the values of all headers of that name."""
        wanted = name.encode()
        value = self._by_name.get(wanted)
        if value is None:
            return ()
        if len(self._by_name) == len(self._received):  # no name came twice
            return (value.decode("latin-1"),)
        return tuple(value.decode("latin-1") for name, value in self._received if name == wanted)


def raw_request(scope: Scope, receive: Receive | None = None) -> RawRequest:
    """Return the request of a scope. Its path is what `scope` says, never what the Host header says."""
    return ASGIRequest(scope, receive)


def _body_reader(receive: Receive) -> Callable[[int], Awaitable[bytes]]:
    async def read(most: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Unreadable
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > most:
                raise TooLarge
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    return read
