"""Whatever comes to the call-back, in whatever state, and whatever the provider says then: never a 500 or a sign-in."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from powauth.extensions.providers import Providers
from powauth.oauth import OAuth1
from powauth.providers import GitHub
from powauth.testing import Answer, Site
from tests.ci import STEP
from tests.extensions.providers.fake import state_of
from tests.house import House, all_extensions, house, sign_up
from tests.oauth.paper import ISSUER, SECRET, Paper, form, openid
from tests.oauth.test_nonsense import ANSWERS

pytestmark = pytest.mark.anyio

many = settings(max_examples=150 // STEP, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
clients = (str(IPv4Address(number)) for number in count(int(IPv4Address("198.18.0.0"))))
"""A new address for every example, so that it is not the limits that answer."""
MINE = "\N{WHITE STAR}"
"""Stands for the state of the browser's own flow."""

PROVIDERS = ("paper", "posted", "github", "bird")
NAMES = st.sampled_from(
    ["state", "state", "code", "error", "iss", "oauth_token", "oauth_verifier", "denied", "user", "id_token", "scope"]
) | st.text(max_size=8)
ODD = ["", "\0", "\r\nset-cookie: x=y", "a" * 3000, "\ud800", "\u202e", "good", "access_denied", "true", "null", "[]"]
VALUES = st.just(MINE) | st.sampled_from(ODD) | st.text(st.characters(codec=None), max_size=20)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=5)
RAW = st.binary(max_size=60).map(lambda sent: quote_from_bytes(sent, safe="=&;%+[]"))
STATES = st.sampled_from(["stranger", "under way", "used up", "connecting", "proving"])


@dataclass(frozen=True)
class Scene:
    """A house with providers of every protocol on paper, and the browser of somebody who is signed in."""

    home: House
    paper: Paper
    ada: Site

    async def browser(self, state: str, provider: str) -> tuple[Site, str]:
        """Return a browser in such a state, and the state that its flow would come back with."""
        site = self.home.site(client=next(clients))
        if state == "stranger":
            return site, "x" * 43
        purpose = {"connecting": "connect", "proving": "prove"}.get(state, "")
        if purpose:
            site.jar = dict(self.ada.jar)
        answer = await site.post(f"/providers/{provider}", purpose=purpose)
        if answer.status == 403:  # a provider that proves nothing
            return site, "x" * 43
        known = "oauth-token" if provider == "bird" else state_of(answer.location)
        if state == "used up":
            await site.get(f"/providers/{provider}/callback?{urlencode({'state': known, 'error': 'access_denied'})}")
        return site, known

    async def is_fine(self, answer: Answer, site: Site) -> bool:
        """Say whether an answer is one that may be, and nobody was let in or connected by it."""
        async with self.home.engine.connect() as db:
            accounts = (await db.execute(text("SELECT count(*) FROM users"))).scalar_one()
        session = next((cookie for cookie in answer.cookies() if "-session=" in cookie), None)
        return answer.status in {303, 400, 403, 405, 413, 415, 503} and accounts == 1 and session is None


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    paper = Paper()
    paper.answers["/request_token"] = form(
        {"oauth_token": "oauth-token", "oauth_token_secret": "s", "oauth_callback_confirmed": "true"}
    )
    doors = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("request_token", "authorization", "access_token")}
    bird = OAuth1(name="bird", consumer_key="k", consumer_secret="s", userinfo_endpoint=f"{ISSUER}/me", **doors)  # type: ignore[arg-type]
    hub = GitHub(
        client_id="id",
        client_secret=SECRET,
        token_endpoint=f"{ISSUER}/token",
        userinfo_endpoint=f"{ISSUER}/me",
        emails_endpoint=f"{ISSUER}/emails",
    )
    providers = Providers(
        providers=[openid(), openid(name="posted", response_mode="form_post"), hub, bird], tools=paper.tools
    )
    async with house(tmp_path, extensions=(*all_extensions(), providers), clock=paper.clock) as home:
        ada = home.site()
        await sign_up(ada)
        yield Scene(home, paper, ada)


def filled(pairs: list[tuple[str, str]], state: str) -> list[tuple[str, str]]:
    return [(name, state if value == MINE else value) for name, value in pairs]


def encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="surrogatepass")


@given(STATES, st.sampled_from(PROVIDERS), PAIRS, ANSWERS)
@example("under way", "github", [("state", MINE), ("code", "x")], None)
@example("proving", "paper", [("state", MINE), ("code", "x")], None)
@example("connecting", "bird", [("oauth_token", MINE), ("oauth_verifier", "x")], None)
@many
async def test_whatever_comes_in_the_query_signs_nobody_in(
    scene: Scene, state: str, provider: str, pairs: list[tuple[str, str]], says: Any
) -> None:
    """S58: and whatever the provider says of a code."""
    for door in ("/token", "/access_token", "/emails"):
        scene.paper.answers.pop(door, None)
        if says is not None:
            scene.paper.answers[door] = says
    site, mine = await scene.browser(state, provider)
    query = encoded(filled(pairs, mine))
    assert await scene.is_fine(await site.get(f"/providers/{provider}/callback?{query}"), site)


@given(STATES, RAW)
@many
async def test_a_query_that_is_none_signs_nobody_in(scene: Scene, state: str, query: str) -> None:
    """S58."""
    site, _ = await scene.browser(state, "paper")
    assert await scene.is_fine(await site.get(f"/providers/paper/callback?{query}"), site)


@given(
    state=STATES,
    pairs=PAIRS | st.none(),
    raw=st.binary(max_size=80),
    provider=st.sampled_from(PROVIDERS),
    is_json=st.booleans(),
    says=ANSWERS,
)
@many
async def test_whatever_is_posted_signs_nobody_in_also_when_the_browser_asks_for_it(
    scene: Scene,
    *,
    state: str,
    pairs: list[tuple[str, str]] | None,
    raw: bytes,
    provider: str,
    is_json: bool,
    says: Any,
) -> None:
    """S58, S54: as a form, as JSON, as neither."""
    scene.paper.answers["/token"] = says
    site, mine = await scene.browser(state, provider)
    kind = "application/json" if is_json else "application/x-www-form-urlencoded"
    sent = filled(pairs, mine) if pairs is not None else []
    body = (json.dumps(dict(sent)) if is_json else encoded(sent)).encode() if pairs is not None else raw
    headers = {"content-type": kind, "sec-fetch-site": "cross-site", "origin": "https://id.example.com"}
    stranger = site.browser(client=next(clients))
    answer = await stranger.send("POST", f"/providers/{provider}/callback", body=body, headers=headers)
    assert await scene.is_fine(answer, stranger)
    assert answer.cookies() == []
    if answer.status == 303:
        assert await scene.is_fine(await site.get(answer.location), site)
