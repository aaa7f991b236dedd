"""Native applications: from an app link through a provider to a token, with PKCE of their own (RFC 8252, RFC 7636)."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.extensions.sign_in.test_exchange import CHALLENGE, LINK, VERIFIER
from tests.house import House, house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(tmp_path: Path, fake: Fake) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=extensions(fake), app_links=[LINK]) as opened:
        yield opened


def code_in(location: str) -> str:
    assert location.startswith(f"{LINK}?code="), location
    return parse_qs(urlsplit(location).query)["code"][0]


async def exchanged(home: House, code: str, verifier: str = VERIFIER) -> Site:
    """Return the program, with its token if it got one."""
    program = home.site().program()
    answer = await program.post("/session/exchange", code=code, verifier=verifier)
    program.bearer = answer.json.get("token")
    return program


async def test_a_program_signs_in_with_a_provider_and_gets_a_token(home: House) -> None:
    browser = home.site()
    page = await browser.get(f"/sign-in?next={LINK}&code_challenge={CHALLENGE}")
    assert 'formaction="/auth/providers/fake"' in page.text
    answer = await enter(browser, next=LINK, code_challenge=CHALLENGE)
    assert browser.cookie is None  # what the program asked for is no session of the browser's
    program = await exchanged(home, code_in(answer.location))
    session = (await program.get("/session")).json
    assert session["account"]["email"] == "ada@example.com"
    assert [proof["factor"] for proof in session["session"]["proofs"]] == ["provider:fake"]


async def test_who_is_known_already_gets_one_too_and_the_code_is_good_once(home: House) -> None:
    """S17."""
    await enter(home.site())
    code = code_in((await enter(home.site(), next=LINK, code_challenge=CHALLENGE)).location)
    assert (await exchanged(home, code)).bearer
    assert not (await exchanged(home, code)).bearer


async def test_who_only_sees_the_link_gets_nothing(home: House) -> None:
    """Another application may have registered the same scheme: it lacks the verifier, and uses the code up."""
    code = code_in((await enter(home.site(), next=LINK, code_challenge=CHALLENGE)).location)
    assert not (await exchanged(home, code, "x" * 43)).bearer
    assert not (await exchanged(home, code)).bearer


async def test_the_code_of_a_provider_s_flow_is_good_for_a_minute(home: House) -> None:
    code = code_in((await enter(home.site(), next=LINK, code_challenge=CHALLENGE)).location)
    home.clock.move(timedelta(seconds=61))
    assert not (await exchanged(home, code)).bearer


@pytest.mark.parametrize("link", ["", "com.evil.app:/signed-in", "https://evil.example", "/account", LINK + "/more"])
async def test_no_flow_is_begun_for_a_link_that_is_not_registered(home: House, link: str) -> None:
    """S55."""
    answer = await home.site().post("/providers/fake", next=link, code_challenge=CHALLENGE)
    assert answer.status == 403


async def test_without_a_challenge_an_app_link_is_no_target(home: House) -> None:
    """S55: nobody is signed in to a program that did not ask."""
    browser = home.site()
    answer = await enter(browser, next=LINK)
    assert LINK not in answer.location
    assert "code=" not in answer.location


async def test_the_gates_stand_before_the_code_of_a_provider_s_flow(tmp_path: Path, fake: Fake) -> None:
    """S32."""
    async with house(tmp_path, extensions=(*extensions(fake), CodeFactor()), app_links=[LINK]) as home:
        browser = home.site()
        answer = await enter(browser, next=LINK, code_challenge=CHALLENGE)
        assert answer.location == "/auth/test-code"
        answer = await browser.post("/test-code", code="123456")
        program = await exchanged(home, code_in(answer.location))
        assert {proof["factor"] for proof in (await program.get("/session")).json["session"]["proofs"]} == {
            "provider:fake",
            "test_code",
        }


async def test_what_a_provider_left_open_keeps_where_the_program_waits(home: House, fake: Fake) -> None:
    del fake.memory.claims["email"]
    browser = home.site()
    answer = await enter(browser, next=LINK, code_challenge=CHALLENGE)
    assert answer.location == "/auth/providers/fake/complete"
    answer = await browser.post(answer.location, email="ada@example.com")
    assert (await exchanged(home, code_in(answer.location))).bearer


async def test_a_token_connects_nothing(home: House) -> None:
    """The browser that would come back has none: it could be anybody's."""
    program = await exchanged(home, code_in((await enter(home.site(), next=LINK, code_challenge=CHALLENGE)).location))
    assert (await program.post("/providers/fake")).status == 403


async def test_a_program_with_a_token_finishes_no_browser_s_flow(home: House) -> None:
    """S49: a bearer token stands for a session, and cookies beside it count for nothing."""
    program = await exchanged(home, code_in((await enter(home.site(), next=LINK, code_challenge=CHALLENGE)).location))
    browser = home.site()
    state = await set_out(browser)
    program.jar = dict(browser.jar)
    assert (await come_back(program, state)).status == 400
    await come_back(browser, state)
    assert await who(browser) == "ada@example.com"
