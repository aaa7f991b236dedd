"""The visits of one request: one per `Auth`, kept in its scope."""

from powauth.asgi.raw import ASGIRequest, Receive, Scope
from powauth.auth import Auth
from powauth.settings import U
from powauth.visits import Visit

KEY = "powauth"
"""Where a request's visits stand in its scope, by the name of the `Auth`."""
WRITTEN = "powauth.written"
"""Where the names of those stand whose cookies a middleware writes."""


def visit_of(scope: Scope, auth: Auth[U], receive: Receive | None = None) -> Visit:
    """Return the visit of a request; the first who asks makes it."""
    visits: dict[str, Visit] = scope.setdefault(KEY, {})
    visit = visits.get(auth.name)
    if visit is None or visit.plan is not auth.plan:
        visit = Visit(auth.plan, ASGIRequest(scope, receive), is_socket=scope["type"] == "websocket")
        visits[auth.name] = visit
    return visit
