"""Nobody signs up, and everybody who was given an account comes in."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from examples.opening import Opener
from powauth.cli import main
from powauth.testing import Site

pytestmark = pytest.mark.anyio
ADA, PASSWORD = "ada@example.com", "four quiet green owls"


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("no_sign_up") as opened:
        yield opened


async def test_there_is_no_page_no_route_no_link_and_no_entry_in_the_document(made: Any) -> None:
    site = Site(made.auth, made.app)
    for visitor in (site, site.program()):
        assert (await visitor.get("/auth/sign-up")).status == 404
        assert (await visitor.post("/auth/sign-up", email=ADA, password=PASSWORD)).status == 404
    assert "sign-up" not in (await site.get("/sign-in")).text
    assert not [path for path in (await site.get("/openapi.json")).json["paths"] if "sign-up" in path]


async def test_an_account_that_a_script_made_gets_a_password_by_mail(made: Any) -> None:
    site = Site(made.auth, made.app)
    await made.hire(ADA)
    await site.deliver()
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).status == 401  # it has none yet
    assert (await site.post(site.outbox.link, password=PASSWORD)).location == "/auth/sign-in"
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).location == "/"


def test_the_command_line_makes_accounts(program: Opener) -> None:
    opened = program.load("no_sign_up")

    def run(*args: str, typed: str = "") -> str:
        result = CliRunner().invoke(main, [*args, "--app", "examples.no_sign_up.app:auth"], input=typed)
        assert result.exit_code == 0, result.output
        return result.output

    with TestClient(opened.app):  # which makes the tables
        pass
    assert ADA in run("accounts", "create", "--email", ADA, "--password-stdin", typed=PASSWORD)
    assert ADA in run("accounts", "list")
