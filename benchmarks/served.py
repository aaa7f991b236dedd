"""What a server process serves: an application, and the cookies of those who are signed in to it."""

import time
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class Served:
    """An application with a page `/me`, and a cookie for each session."""

    app: Starlette
    cookies: list[str]


async def seconds_of_cpu(_: Request) -> Response:
    return PlainTextResponse(str(time.process_time()))


cpu = Route("/cpu", seconds_of_cpu)
"""Tells what the process has used so far: other programs on the machine do not add to that."""
