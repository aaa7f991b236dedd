"""The OpenAPI document names every route, and nothing that it lets one send breaks anything: S58."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from fastapi import FastAPI, Request
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy.pool import NullPool

from powauth import Account
from powauth.asgi.raw import ASGIApp, Receive, Scope, Send
from powauth.fastapi import install
from powauth.routing import CallBack, FormPage, Get, Post
from powauth.testing import sign_in_as
from tests.ci import STEP
from tests.house import House
from tests.withstand.attack import ADA, inhabited, parked

EXAMPLES = 300
"""For each operation and each way of sending: 50 miss a planted NUL."""
BREATH = timedelta(seconds=0.7) / STEP
"""What each of them may take, once it was sent this often:"""
LEAST = 20 // STEP
PENDING = "__Host-powauth-pending"
CHECKS: Any = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Roaming:
    """Every request comes from another address, so that it is not the limits that answer; by turns Ada's and Eve's."""

    def __init__(self, app: ASGIApp, home: House, ada: Account, waiting: str) -> None:
        self._app = app
        self._home = home
        self._ada = ada
        self._waiting = waiting
        self._numbers = count(int(IPv4Address("192.0.2.0")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            number = next(self._numbers)
            cookies = await sign_in_as(self._home.auth, self._ada) if number % 2 else {PENDING: self._waiting}
            cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
            kept = [header for header in scope["headers"] if header[0] not in {b"origin", b"cookie"}]
            scope["headers"] = [*kept, (b"origin", b"https://example.com"), (b"cookie", cookie.encode())]
            scope["client"] = (str(IPv4Address(number)), 50000)
        await self._app(scope, receive, send)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A house whose connections belong to no event loop: each request of the attacker has its own."""
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        opened = inhabited(tmp_path, engine_settings={"poolclass": NullPool})
        yield runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))


@pytest.fixture
def app(home: House) -> FastAPI:
    made = FastAPI()
    install(made, home.auth)
    return made


class Enough(Exception):
    """The time is over, and nothing was found."""


def attack(app: ASGIApp, *, breath: timedelta = BREATH) -> int:
    """Send what the document allows, and what it does not; raise what breaks; say how much was sent."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    results = cast("Iterable[Any]", schema.get_all_operations())
    operations: list[Any] = [result.ok() for result in results]
    sent = sum(strike(operation, GenerationMode.POSITIVE, breath) for operation in operations)
    takes_something = [operation for operation in operations if operation.body]  # any text is a token, if a bad one
    return sent + sum(strike(operation, GenerationMode.NEGATIVE, breath) for operation in takes_something)


def strike(operation: Any, mode: GenerationMode, breath: timedelta) -> int:
    """Send what one operation is given in one way of making things up."""
    sent, until = 0, time.monotonic() + breath.total_seconds()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # what it finds is short enough, and making it shorter takes longer than all the rest
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        nonlocal sent
        if sent >= LEAST and time.monotonic() > until:
            raise Enough
        sent += 1
        answer = case.call()
        # Starlette mounts nothing under a path with a line break: then it is FastAPI that says 404, in its own words.
        case.validate_response(answer, checks=CHECKS[:1] if answer.status_code == 404 else CHECKS)

    with suppress(Enough):
        send()
    return sent


def test_the_document_is_valid_openapi_3_1_and_has_every_route(app: FastAPI, home: House) -> None:
    document = app.openapi()
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()
    found = {(path, method) for path, item in document["paths"].items() for method in item}
    pages = [bound.page for bound in home.auth.plan.pages.values()]
    looked_at = {(f"/auth{page.path}", "get") for page in pages if isinstance(page, (Get, FormPage, CallBack))}
    sent = {(f"/auth{page.path}", "post") for page in pages if isinstance(page, (Post, CallBack))}
    assert found == looked_at | sent
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids)) == len(found)


def test_the_document_says_where_one_has_to_be_signed_in(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert {"powauth_cookie": []} in paths["/auth/account"]["get"]["security"]
    assert {"powauth_bearer": []} in paths["/auth/sessions/{id}/end"]["post"]["security"]
    for path in ("/auth/sign-in", "/auth/sign-up", "/auth/test-code", "/auth/session"):
        assert not any("security" in operation for operation in paths[path].values()), path


def test_nothing_that_the_document_lets_one_send_breaks_anything(app: FastAPI, home: House) -> None:
    """S58: signed in, and between two factors; each answer is one that the document promises."""
    ada, waiting = asyncio.run(callers(home))
    assert attack(Roaming(app, home, ada, waiting)) >= LEAST * len(home.auth.plan.pages)


async def callers(home: House) -> tuple[Account, str]:
    async with home.auth.begin(writes=False) as ctx:
        ada = await ctx.accounts.by_email(ADA)
    assert ada is not None
    return ada, (await parked(home)).jar[PENDING]


def test_the_attacker_would_have_found_a_planted_crash() -> None:
    """The twin: a route that fails on a NUL in a text, and is otherwise like ours."""
    app = FastAPI()

    @app.post("/planted", openapi_extra={"requestBody": {"content": {"application/json": {"schema": PLANTED}}}})
    async def planted(request: Request) -> dict[str, str]:
        if b"\\u0000" in await request.body():
            raise ZeroDivisionError
        return {}

    with pytest.raises(ZeroDivisionError):
        attack(app, breath=timedelta(minutes=1))


PLANTED = {
    "type": "object",
    "properties": {"email": {"type": "string", "maxLength": 190}, "password": {"type": "string", "maxLength": 4096}},
}
