"""WebSockets: a connection that ends with its session."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic

from starlette.websockets import WebSocket, WebSocketState

from powauth.asgi import visit_of
from powauth.asgi.guarded import ENDED, LOOK_EVERY
from powauth.auth import Auth
from powauth.errors import AuthError
from powauth.guards import Guard, check_requirement
from powauth.routing import Requirement
from powauth.session import Session
from powauth.settings import U

REFUSED = 1008
"""The close code of a handshake that is refused: policy violation (RFC 6455 §7.4.1)."""


class SocketRefused(Exception):
    """Nobody is signed in, or another site opened the connection; it is closed already."""


@dataclass(frozen=True)
class CurrentSocket(Generic[U]):
    """The session of a WebSocket; the connection is closed within five seconds of the session's end.

    @app.websocket("/feed")
    async def feed(socket: WebSocket) -> None:
        async with current_socket(auth).open(socket) as session:
            await socket.accept()
            ...
    """

    auth: Auth[U]
    require: Requirement | None = None
    look_every: float = LOOK_EVERY

    def __post_init__(self) -> None:
        check_requirement(self.auth, self.require)

    @asynccontextmanager
    async def open(self, socket: WebSocket) -> AsyncGenerator[Session]:
        """Give the session while the connection lasts. Raises `SocketRefused` once the connection is closed."""
        session = await self._admitted(socket)
        watcher = asyncio.create_task(self._watch(socket, session))
        try:
            yield session
        finally:
            watcher.cancel()

    async def _admitted(self, socket: WebSocket) -> Session:
        visit = visit_of(socket.scope, self.auth)
        try:
            await Guard(self.auth, self.require).account(visit)
            session = await visit.session()
        except AuthError as error:
            await socket.close(REFUSED)
            raise SocketRefused(error.code) from error
        if session is None:
            await socket.close(REFUSED)
            raise SocketRefused
        return session

    async def _watch(self, socket: WebSocket, session: Session) -> None:
        while await self._is_on(socket, session):  # noqa: ASYNC110  the store tells nobody; it has to be asked
            await asyncio.sleep(self.look_every)
        if socket.application_state is not WebSocketState.DISCONNECTED:
            await socket.close(ENDED)

    async def _is_on(self, socket: WebSocket, session: Session) -> bool:
        """Say whether the session goes on; a store that does not answer ends the connection, too."""
        visit = visit_of(socket.scope, self.auth)
        try:
            return await Guard(self.auth, self.require).goes_on(visit, session)
        except Exception:  # noqa: BLE001  whatever it is: what cannot be asked is not granted
            return False


def current_socket(auth: Auth[U], *, require: Requirement | None = None) -> CurrentSocket[U]:
    """Return what opens WebSockets for signed-in people, checks their origin, and closes them in time."""
    return CurrentSocket(auth, require)
