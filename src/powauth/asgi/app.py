"""An ASGI application with all pages of one `Auth`, to be mounted at the path of its `base_url`."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from powauth.asgi.middleware import with_headers
from powauth.asgi.raw import Receive, Scope, Send, raw_request
from powauth.asgi.visiting import KEY, WRITTEN
from powauth.auth import Auth
from powauth.http import File, Html, Json, Redirect, Response
from powauth.templates import Templates

Headers = list[tuple[bytes, bytes]]


class AuthApp:
    """All pages of one `Auth`."""

    def __init__(self, auth: Auth[Any], templates: Templates | None = None) -> None:
        self._auth = auth
        self._edge = auth.edge(templates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        # A visit of this request's own: its path is the one below the mount point.
        visit = self._auth.visit(raw_request(scope, receive))
        has_middleware = self._auth.name in scope.get(WRITTEN, ())
        scope.setdefault(KEY, {})[self._auth.name] = visit
        response = await self._edge.answer(visit)
        status, headers, body = written(response)
        if not has_middleware:
            headers = with_headers(headers, visit.headers())
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        await visit.announce()


def written(response: Response) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of an answer."""
    headers = _encoded(response.headers)
    if isinstance(response, Html):
        return response.status, [*headers, _type("text/html; charset=utf-8")], response.body.encode()
    if isinstance(response, Json):
        type_ = "application/problem+json" if response.problem else "application/json"
        return response.status, [*headers, _type(type_)], _json(response.data)
    if isinstance(response, Redirect):
        return response.status, [*headers, (b"location", response.to.encode("latin-1"))], b""
    if isinstance(response, File):
        return response.status, [*headers, _type(response.type)], response.body
    return response.status, headers, b""


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(value)


def _type(value: str) -> tuple[bytes, bytes]:
    return b"content-type", value.encode()


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
