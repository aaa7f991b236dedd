"""The one middleware: whatever answer leaves, errors and streams included, it carries the cookies of its visit."""

from collections.abc import Awaitable, Sequence
from typing import Any

from powauth.asgi.raw import ASGIApp, Message, Receive, Scope, Send
from powauth.asgi.visiting import KEY, WRITTEN
from powauth.auth import Auth
from powauth.visits import PRIVATE, Visit

Header = tuple[bytes, bytes]

REPLACED = b"cache-control"

_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})


class AuthMiddleware:
    """Writes the cookies of one `Auth`, on answers whose request asked for its session and on no others."""

    def __init__(self, app: ASGIApp, *, auth: Auth[Any]) -> None:
        self._app = app
        self._auth = auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back with cookies."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        visits: dict[str, Visit] = scope.setdefault(KEY, {})
        scope.setdefault(WRITTEN, set()).add(self._auth.name)
        name, plan = self._auth.name, self._auth.plan

        def send_with_cookies(message: Message) -> Awaitable[None]:
            if message["type"] in _STARTS:
                visit = visits.get(name)
                if visit is not None and visit.plan is plan:
                    message["headers"] = with_headers(message.get("headers", ()), visit.headers())
            return send(message)

        try:
            await self._app(scope, receive, send_with_cookies)
        finally:
            visit = visits.get(name)
            if visit is not None and visit.traces:
                await visit.announce()


def with_headers(present: Sequence[Header], added: Sequence[tuple[str, str]]) -> list[Header]:
    """Return headers with those of a visit: its Cache-Control replaces another one, the rest stands beside it."""
    if not added:
        return list(present)
    kept = [header for header in present if header[0].lower() != REPLACED]
    return kept + (_PRIVATE if added is PRIVATE else [_encoded(header) for header in added])


def _encoded(header: tuple[str, str]) -> Header:
    return header[0].encode(), header[1].encode("latin-1")


_PRIVATE = [_encoded(header) for header in PRIVATE]  # on nearly every answer, and nothing else
