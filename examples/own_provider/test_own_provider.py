"""A provider that is a class of an application's own, there and back through npm's imitation of Linear."""

from collections.abc import AsyncGenerator, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from examples.opening import Opener
from powauth.oauth import Malformed
from powauth.oauth.standard import tools
from powauth.testing import Site
from tests.oauth.browser import Browser
from tests.oauth.paper import Paper, coming_back
from tests.oauth.paper import said as says

pytestmark = pytest.mark.anyio
ORIGIN = "http://localhost:17399"
BACK = f"{ORIGIN}/auth/providers/linear/callback"
CLIENT = {"LINEAR_ID": "lin-id", "LINEAR_SECRET": "lin-secret"}


@pytest.fixture
async def made(program: Opener, emulate_port: Callable[[str], int]) -> AsyncGenerator[Any]:
    at = f"http://localhost:{emulate_port('linear')}"
    async with program("own_provider", AUTH_BASE_URL=f"{ORIGIN}/auth", LINEAR_AT=at, **CLIENT) as opened:
        yield opened


async def test_somebody_comes_back_and_proves_the_address_that_the_provider_does_not_vouch_for(made: Any) -> None:
    site = Site(made.auth, made.app)
    assert "Continue with Linear" in (await site.get("/sign-in")).text
    away = await site.post("/providers/linear")
    back = await Browser(pick="linear@example.test", back=BACK).visit(away.location)
    came = await site.get(f"/providers/linear/callback?{urlencode(dict(back.params))}")
    assert came.location == "/auth/confirm-email"
    await site.deliver()
    await site.post(site.outbox.link)
    away = await site.post("/providers/linear")
    back = await Browser(pick="linear@example.test", back=BACK).visit(away.location)
    await site.get(f"/providers/linear/callback?{urlencode(dict(back.params))}")
    account = (await site.get("/session", headers={"accept": "application/json"})).json["account"]
    assert account["email"] == "linear@example.test"


async def test_the_value_asks_linear_and_says_what_it_lacks(program: Opener) -> None:
    made = program.load("own_provider", **CLIENT)
    assert made.linear.problems() == ()
    begun = await made.linear.begin(tools(), redirect_uri="https://example.com/auth/providers/linear/callback")
    assert begun.url.startswith("https://linear.app/oauth/authorize?")
    assert "lin-secret" not in repr(made.linear)
    assert made.Linear(client_id="", client_secret="").problems()


async def test_an_answer_of_another_shape_is_nobody(program: Opener) -> None:
    made = program.load("own_provider", **CLIENT)
    paper = Paper()
    paper.answers["/oauth/token"] = says({"access_token": "a", "token_type": "Bearer"})
    odd: tuple[Any, ...] = ({"data": {"viewer": {"name": "Ada"}}}, {"data": None}, {"errors": []})
    for answer in odd:
        paper.answers["/graphql"] = says(answer)
        begun = await made.linear.begin(paper.tools, redirect_uri=BACK)
        with pytest.raises(Malformed):
            await made.linear.complete(paper.tools, begun.flow, coming_back(begun))
