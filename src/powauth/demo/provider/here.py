"""Here: the demo's own provider answers this machine only."""

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from powauth.oauth.guard import is_this_machine


class ThisMachineOnly:
    """Answers only who is on this machine and calls it by its name.

    Another name that leads here (DNS rebinding) finds nothing, and neither does a neighbour, should somebody serve the
    demo to a network.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that there is nothing."""
        caller = (scope.get("client") or ("", 0))[0]
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        is_here = is_this_machine(caller) and hosts == [self._host]
        await (self._app if is_here else Response(status_code=404))(scope, receive, send)
