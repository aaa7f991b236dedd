"""Serving: the demo's own provider as an application, to be mounted beside the demo's pages."""

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from powauth import Clock
from powauth.demo.provider.client import Client
from powauth.demo.provider.doors import Doors
from powauth.demo.provider.here import ThisMachineOnly
from powauth.demo.provider.memory import Memory
from powauth.demo.provider.pages import Pages
from powauth.demo.provider.requests import NotOurs, Refused
from powauth.demo.provider.tokens import CannotExchange, Signer
from powauth.demo.theme import Theme
from powauth.oauth import Malformed


def provider_app(client: Client, theme: Theme, clock: Clock) -> ASGIApp:
    """Return the provider, to be mounted under `PREFIX`."""
    memory = Memory(clock)
    pages, doors = Pages(client, theme, memory), Doors(client, memory, Signer())
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", doors.metadata),
            Route("/keys", doors.keys),
            Route("/authorize", pages.ask, methods=["GET"]),
            Route("/authorize", pages.decide, methods=["POST"]),
            Route("/token", doors.token, methods=["POST"]),
            Route("/userinfo", doors.userinfo),
            Route("/sign-out", pages.sign_out),
        ],
        exception_handlers={
            NotOurs: pages.not_ours,
            Refused: pages.refused,
            CannotExchange: doors.refused,
            Malformed: doors.refused,
        },
    )
    return ThisMachineOnly(app, urlsplit(client.origin).netloc)
