"""What an ASGI server received, as a raw request."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from powauth.errors import TooLarge, Unreadable
from powauth.http import RawRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def raw_request(scope: Scope, receive: Receive | None = None) -> RawRequest:
    """Return the request of a scope. Its path is what `scope` says, never what the Host header says."""
    root = scope.get("root_path", "")
    path: str = scope["path"]
    client = scope.get("client")
    return RawRequest(
        method=scope.get("method", "GET"),
        path=path[len(root) :] if root and path.startswith(root) else path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
        client=client[0] if client else "",
        body=_body_reader(receive) if receive else _no_body,
    )


async def _no_body(most: int) -> bytes:  # noqa: ARG001  the shape of ReadBody
    return b""


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
