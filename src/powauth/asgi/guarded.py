"""A guard for a whole mount: an ASGI application behind it is reached by signed-in people only."""

from typing import Any

from powauth.asgi.app import written
from powauth.asgi.raw import ASGIApp, Receive, Scope, Send
from powauth.asgi.visiting import visit_of
from powauth.auth import Auth
from powauth.errors import AuthError
from powauth.guards import Guard
from powauth.routing import Requirement
from powauth.templates import Templates


class Guarded:
    """An application of any kind, for signed-in people only: `app.mount("/admin", Guarded(admin, auth))`."""

    def __init__(
        self,
        app: ASGIApp,
        auth: Auth[Any],
        *,
        require: Requirement | None = None,
        templates: Templates | None = None,
    ) -> None:
        self._app = app
        self._auth = auth
        self._guard = Guard(auth, require)
        self._edge = auth.edge(templates)

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
        await self._app(scope, receive, send)

    async def _refuse(self, scope: Scope, send: Send, error: AuthError) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        query = scope.get("query_string", b"").decode("latin-1")
        path = scope["path"] + (f"?{query}" if query else "")
        status, headers, body = written(self._edge.refuse(visit_of(scope, self._auth), error, path))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
