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
    """A request whose headers stay as they came until somebody asks: most pages need none but the cookie."""

    __slots__ = ("_by_name", "_received")

    def __init__(self, method: str, path: str, *, query: str, client: str, body: ReadBody, received: Headers) -> None:
        super().__init__(method, path, query=query, client=client, body=body)
        self._received = received
        self._by_name = dict(received)

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
    root = scope.get("root_path", "")
    path: str = scope["path"]
    client = scope.get("client")
    return ASGIRequest(
        scope.get("method", "GET"),
        path[len(root) :] if root and path.startswith(root) else path,
        query=scope.get("query_string", b"").decode("latin-1"),
        client=client[0] if client else "",
        body=_body_reader(receive) if receive else no_body,
        received=scope["headers"],
    )


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
