"""A guard for a whole mount: an ASGI application behind it is reached by signed-in people only."""

import asyncio
from typing import Any

from powauth.asgi.app import written
from powauth.asgi.raw import ASGIApp, Receive, Scope, Send
from powauth.asgi.visiting import visit_of
from powauth.auth import Auth
from powauth.errors import AuthError
from powauth.guards import Guard
from powauth.routing import Requirement
from powauth.templates import Templates

LOOK_EVERY = 4.0
"""Seconds between two looks at a WebSocket's session: it ends within five seconds of it."""
ENDED = 4401
"""The close code of a WebSocket whose session is over; 4000 to 4999 are for applications (RFC 6455 §7.4.2)."""


class Guarded:
    """An application of any kind, for signed-in people only: `app.mount("/admin", Guarded(admin, auth))`."""

    def __init__(
        self,
        app: ASGIApp,
        auth: Auth[Any],
        *,
        require: Requirement | None = None,
        templates: Templates | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._app = app
        self._auth = auth
        self._guard = Guard(auth, require)
        self._edge = auth.edge(templates)
        self._look_every = look_every

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let somebody through, or answer: sign-in for people, 401 for programs."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        visit = visit_of(scope, self._auth)
        try:
            await self._guard.account(visit)
        except AuthError as error:
            await self._refuse(scope, send, error)
            return
        if scope["type"] == "websocket":
            await self._watched(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a WebSocket go on as long as its session does."""
        connection = asyncio.ensure_future(self._app(scope, receive, send))
        try:
            while not connection.done() and await self._is_on(scope):
                await asyncio.wait({connection}, timeout=self._look_every)
            if not connection.done():
                await send({"type": "websocket.close", "code": ENDED})
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
        if not connection.cancelled():
            connection.result()

    async def _is_on(self, scope: Scope) -> bool:
        visit = visit_of(scope, self._auth)
        try:
            session = await visit.session()
            return session is not None and await self._guard.goes_on(visit, session)
        except Exception:  # noqa: BLE001  whatever it is: what cannot be asked is not granted
            return False

    async def _refuse(self, scope: Scope, send: Send, error: AuthError) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        query = scope.get("query_string", b"").decode("latin-1")
        path = scope["path"] + (f"?{query}" if query else "")
        status, headers, body = written(self._edge.refuse(visit_of(scope, self._auth), error, path))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
