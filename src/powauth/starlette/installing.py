"""`install`: pages, middleware, lifespan and answers to refusals, into a Starlette application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from powauth.asgi import AuthApp, AuthMiddleware, visit_of
from powauth.asgi.app import written
from powauth.auth import Auth
from powauth.edge import Edge
from powauth.errors import AuthError, ConfigurationError
from powauth.extensions.manage_account import ACCOUNT
from powauth.jinja import JinjaTemplates
from powauth.starlette.guards import Refused
from powauth.starlette.sockets import SocketRefused
from powauth.templates import Templates

CHANGE_PASSWORD = "/.well-known/change-password"  # W3C, "A Well-Known URL for Changing Passwords"


def install(app: Starlette, auth: Auth[Any], *, templates: Templates | None = None) -> None:
    """Put an `Auth` into an application: its pages under the path of `base_url`, middleware, lifespan.

    Raises `ConfigurationError` when one of the same name is in it already.
    """
    path = auth.plan.mount
    if any(isinstance(route, Mount) and route.path == path for route in app.routes):
        raise ConfigurationError(f"{path} is taken by another mount of this application: give base_url another path")
    edges: dict[str, Edge] = getattr(app.state, "powauth", {})
    if auth.name in edges:
        raise ConfigurationError(f"this application has an Auth called {auth.name!r}: give one of them another name")
    pages = templates or JinjaTemplates()
    app.state.powauth = {**edges, auth.name: auth.edge(pages)}
    ours = AuthApp(auth, pages)
    app.router.routes.append(Mount(path, ours, name=f"{auth.name}"))
    app.router.routes.append(Route(path, ours))  # or Starlette sends on to the same with a slash, at whatever Host says
    if ACCOUNT in auth.plan.pages and not edges:
        app.router.routes.append(Route(CHANGE_PASSWORD, _to(auth.plan.path(ACCOUNT)), name="change-password"))
    _surround(app, auth)
    app.add_exception_handler(Refused, _refusing(app))
    app.add_exception_handler(SocketRefused, _closed)
    if not edges:
        app.add_exception_handler(AuthError, _answering(app, auth))
    _compose_lifespan(app, auth, pages)


def _surround(app: Starlette, auth: Auth[Any]) -> None:
    """Put the middleware around everything: Starlette answers what nobody caught outside of all other middleware."""
    if app.middleware_stack is not None:
        raise ConfigurationError("this application has started already: install an Auth before that")
    build = app.build_middleware_stack
    vars(app)["build_middleware_stack"] = lambda: AuthMiddleware(build(), auth=auth)


def _to(path: str) -> Any:  # noqa: ANN401  an endpoint
    async def redirect(request: Request) -> Response:  # noqa: ARG001  the shape of an endpoint
        return RedirectResponse(path, status_code=303)

    return redirect


def _compose_lifespan(app: Starlette, auth: Auth[Any], templates: Templates) -> None:
    """Run Powauth inside the application's own lifespan: its engine is there before, and goes after."""
    own = app.router.lifespan_context

    @asynccontextmanager
    async def both(app: Any) -> AsyncGenerator[Any]:  # noqa: ANN401  the framework's own type
        async with own(app) as state, auth.lifespan(templates):
            yield state

    app.router.lifespan_context = both


async def _closed(socket: Any, refused: Exception) -> None:  # noqa: ANN401  the framework's own type
    """Leave a connection that was refused as it is, closed: strangers write no tracebacks into the log."""


def _refusing(app: Starlette) -> Any:  # noqa: ANN401  an exception handler
    async def answer(request: Request, refused: Exception) -> Response:
        if not isinstance(refused, Refused):
            raise refused
        return _answer(app, request, refused)

    return answer


def _answering(app: Starlette, auth: Auth[Any]) -> Any:  # noqa: ANN401  an exception handler
    async def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, AuthError):
            raise error
        return _answer(app, request, Refused(auth, error, visit_of(request.scope, auth)))

    return answer


def _answer(app: Starlette, request: Request, refused: Refused) -> Response:
    """Answer a guard's refusal: people go to sign-in and come back, programs get 401."""
    edges: dict[str, Edge] = app.state.powauth
    query = refused.visit.raw.query
    path = request.scope["path"] + (f"?{query}" if query else "")  # of the scope: in request.url the Host has a say
    status, headers, body = written(edges[refused.auth.name].refuse(refused.visit, refused.error, path))
    answer = Response(body, status)
    answer.raw_headers = [*headers, (b"content-length", str(len(body)).encode())]
    return answer
