"""The demo's own provider, by HTTP: it serves the demo on this machine and nobody else."""

import base64
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount

from powauth.demo.provider import PREFIX, Client, client_of, provider_app
from powauth.demo.theme import Theme
from powauth.oauth.pkce import challenge
from powauth.testing import FrozenClock
from tests.demo.test_demo import ORIGIN, PEOPLE, client, demo

pytestmark = pytest.mark.anyio
BACK = f"{ORIGIN}/auth/providers/demo/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


class Blank:
    """A theme that draws nothing."""

    def elsewhere(self, name: str, title: str, application: str, status: int = 200, /, **data: object) -> HTMLResponse:
        return HTMLResponse(f"knows {here.person.name}" if (here := cast("Any", data.get("here"))) else name, status)


@pytest.fixture
def known() -> Client:
    return Client(origin=ORIGIN, redirect_uri=BACK)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def browser(known: Client, clock: FrozenClock) -> AsyncGenerator[httpx2.AsyncClient]:
    app = Starlette(routes=[Mount(PREFIX, provider_app(known, cast("Theme", Blank()), clock))])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=ORIGIN, headers={"origin": ORIGIN}
    ) as opened:
        yield opened


def address(known: Client, **changes: str) -> str:
    """Return where the demo sends a browser."""
    asked = {
        "client_id": known.id,
        "redirect_uri": known.redirect_uri,
        "response_type": "code",
        "scope": "openid profile email",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": challenge(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{PREFIX}/authorize?{urlencode({name: value for name, value in asked.items() if value})}"


def said(answer: httpx2.Response) -> dict[str, str]:
    """Return what a browser is sent back with."""
    target = answer.headers["location"]
    assert target.startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}


async def code(browser: httpx2.AsyncClient, known: Client, who: str = "grace", **changes: str) -> str:
    """Be somebody, and return the code."""
    return said(await browser.post(address(known, **changes), data={"who": who}))["code"]


async def exchange(browser: httpx2.AsyncClient, known: Client, value: str, **changes: str) -> httpx2.Response:
    """Exchange a code, as the demo does."""
    fields = {"grant_type": "authorization_code", "code": value, "redirect_uri": BACK, "code_verifier": VERIFIER}
    secret = changes.pop("secret", known.secret)
    basic = base64.b64encode(f"{known.id}:{secret}".encode()).decode()
    headers = {"authorization": f"Basic {basic}"}
    return await browser.post(f"{PREFIX}/token", data={**fields, **changes}, headers=headers)


# ---- whom it serves ----


async def test_only_a_demo_on_this_machine_has_a_provider() -> None:
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        assert client_of(f"http://{host}/auth")
    for host in ("demo.example.com", "192.168.0.7:8000", "0.0.0.0:8000", "127.0.0.1.example.com"):
        assert client_of(f"http://{host}/auth") is None


async def test_each_start_makes_another_secret_and_shows_it_nowhere(known: Client) -> None:
    assert known.secret != Client(origin=ORIGIN, redirect_uri=BACK).secret
    assert known.secret not in repr(known)
    assert known.secret not in repr(known.as_provider())


async def test_neighbours_and_other_names_find_nothing(tmp_path: Path) -> None:
    path = f"{PREFIX}/.well-known/openid-configuration"
    async with demo(tmp_path) as app, client(app, PEOPLE) as person:
        assert (await person.get(path)).json()["issuer"] == f"{ORIGIN}{PREFIX}"
        for host in ("localhost:8000", "evil.example:8000", "127.0.0.1"):
            assert (await person.get(path, headers={"host": host})).status_code == 404
        neighbour = httpx2.ASGITransport(app=app, client=("192.0.2.7", 1234))
        async with httpx2.AsyncClient(transport=neighbour, base_url=ORIGIN) as other:
            assert (await other.get(path)).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "another"}, {"client_id": ""}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": ""},
     {"redirect_uri": f"{BACK}/.."}],
)  # fmt: skip
async def test_whoever_is_not_the_demo_gets_nobody_sent_anywhere(
    browser: httpx2.AsyncClient, known: Client, changes: dict[str, str]
) -> None:
    for answer in (
        await browser.get(address(known, **changes)),
        await browser.post(address(known, **changes), data={"who": "grace"}),
        await browser.get(address(known) + "&redirect_uri=https://evil.example/"),
    ):
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_another_site_approves_nothing(browser: httpx2.AsyncClient, known: Client) -> None:
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": ORIGIN},
        {"origin": "null"},
    ):
        assert (await browser.post(address(known), data={"who": "grace"}, headers=headers)).status_code == 403


# ---- what it is asked ----


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_request_that_does_not_hold_goes_back_with_its_error(
    browser: httpx2.AsyncClient, known: Client, changes: dict[str, str], error: str
) -> None:
    back = said(await browser.get(address(known, **changes)))
    assert back == {"error": error, "state": "a-state", "iss": known.issuer}


async def test_a_browser_that_is_known_need_not_be_asked_unless_a_fresh_sign_in_is_wanted(
    browser: httpx2.AsyncClient, known: Client, clock: FrozenClock
) -> None:
    await code(browser, known)
    assert "code" in said(await browser.get(address(known, prompt="none")))
    clock.move(timedelta(minutes=2))
    assert said(await browser.get(address(known, prompt="none", max_age="60")))["error"] == "login_required"
    assert (await browser.get(address(known))).text == "knows Grace Hopper"
    assert (await browser.get(address(known, prompt="login"))).text == "provider"  # asked, as a stranger is
    assert (await browser.post(address(known, prompt="login"), data={"who": "here"})).status_code == 200
    out = await browser.get(f"{PREFIX}/sign-out?post_logout_redirect_uri=https://evil.example/")
    assert out.headers["location"] == f"{ORIGIN}/"
    assert said(await browser.get(address(known, prompt="none")))["error"] == "login_required"


async def test_somebody_has_a_name_of_80_letters_at_most(browser: httpx2.AsyncClient, known: Client) -> None:
    for fields in ({"name": ""}, {"name": "x" * 81}, {"name": "Ada", "email": "x" * 255}):
        assert (await browser.post(address(known), data={"who": "typed", **fields})).status_code == 400
    assert (await browser.post(address(known), data={"who": "nobody-knows"})).status_code == 400


# ---- what it gives ----


async def test_what_it_signs_holds_and_says_what_was_granted(
    browser: httpx2.AsyncClient, known: Client, clock: FrozenClock
) -> None:
    answer = (await exchange(browser, known, await code(browser, known, scope="openid email"))).json()
    keys = KeySet.import_key_set((await browser.get(f"{PREFIX}/keys")).json())
    assert "d" not in keys.keys[0].as_dict()
    claims: dict[str, Any] = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
    now = int(clock.now().timestamp())
    expected = {"iss": known.issuer, "aud": known.id, "sub": "grace", "nonce": "a-nonce", "auth_time": now}
    assert {name: claims[name] for name in expected} == expected
    bearer = {"authorization": f"Bearer {answer['access_token']}"}
    person = (await browser.get(f"{PREFIX}/userinfo", headers=bearer)).json()
    assert person == {"sub": "grace", "email": "grace@provider.example", "email_verified": True}
    clock.move(timedelta(minutes=11))
    assert (await browser.get(f"{PREFIX}/userinfo", headers=bearer)).status_code == 401


async def test_a_code_is_good_once_for_a_minute_and_for_who_asked(
    browser: httpx2.AsyncClient, known: Client, clock: FrozenClock
) -> None:
    async def refused(value: str, **changes: str) -> str:
        answer = await exchange(browser, known, value, **changes)
        assert answer.status_code in {400, 401}
        return str(answer.json()["error"])

    used = await code(browser, known)
    assert (await exchange(browser, known, used)).status_code == 200
    assert await refused(used) == "invalid_grant"
    for changes in ({"code_verifier": "another"}, {"code_verifier": "é"}, {"redirect_uri": "https://evil.example/"}):
        tried = await code(browser, known)
        assert await refused(tried, **changes) == "invalid_grant"
        assert await refused(tried) == "invalid_grant"  # a code that somebody tried is worth nothing any more
    old = await code(browser, known)
    clock.move(timedelta(seconds=61))
    assert await refused(old) == "invalid_grant"
    assert await refused(await code(browser, known), secret="guessed") == "invalid_client"
    assert await refused("x", grant_type="password") == "unsupported_grant_type"
