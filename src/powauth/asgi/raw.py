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
    """A request whose headers are read as they are asked for: most pages need none but the cookie."""

    __slots__ = ("_by_name", "_received")
    _received: Headers
    _by_name: dict[bytes, bytes]

    def __init__(
        self, *, method: str, path: str, query: str, client: str, body: ReadBody, received: Headers
    ) -> None:
        super().__init__(method, path, query, client=client, body=body)
        object.__setattr__(self, "_received", received)
        object.__setattr__(self, "_by_name", dict(received))

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name."""
        values = self.header_values(name)
        return values[0] if values else None

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return the values of all headers of that name."""
        key = name.encode()
        if key not in self._by_name:
            return ()
        return tuple([value.decode("latin-1") for found, value in self._received if found == key])

def raw_request(scope: Scope, receive: Receive | None = None) -> RawRequest:
    """Return the request of a scope. Its path is what `scope` says, never what the Host header says."""
    root = scope.get("root_path", "")
    path: str = scope["path"]
    client = scope.get("client")
    return ASGIRequest(
        method=scope.get("method", "GET"),
        path=path[len(root) :] if root and path.startswith(root) else path,
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
