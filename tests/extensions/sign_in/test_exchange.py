"""A program begins in a browser and ends with a token: the code, its challenge, and who may not use it."""

import base64
import hashlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.house import PASSWORD, House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio

LINK = "com.example.app:/signed-in"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, Appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, app_links=[LINK]) as opened:
        await sign_up(opened.site())
        yield opened


async def code_of(home: House, site: Site, **changes: str) -> str:
    form = {"email": "ada@example.com", "password": PASSWORD, "next": LINK, "code_challenge": CHALLENGE}
    answer = await site.post("/sign-in", **{**form, **changes})
    assert answer.status == 303
    assert answer.location.startswith(f"{LINK}?code=")
    return parse_qs(urlsplit(answer.location).query)["code"][0]


def test_the_challenge_is_the_one_of_the_specification() -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    assert digest == CHALLENGE


async def test_a_program_turns_the_code_into_a_token(home: House) -> None:
    site = home.site()
    code = await code_of(home, site)
    assert site.cookie is None
    program = home.site().program()
    answer = await program.post("/session/exchange", code=code, verifier=VERIFIER)
    assert answer.status == 200
    program.bearer = answer.json["token"]
    assert (await program.get("/account")).json["email"] == "ada@example.com"


async def test_the_form_carries_what_the_program_gave(home: House) -> None:
    page = await home.site().get(f"/sign-in?next={LINK}&code_challenge={CHALLENGE}")
    assert f'value="{CHALLENGE}"' in page.text
    assert f'value="{LINK}"' in page.text


async def test_a_code_is_good_once(home: House) -> None:
    program = home.site().program()
    code = await code_of(home, home.site())
    await program.post("/session/exchange", code=code, verifier=VERIFIER)
    again = await program.post("/session/exchange", code=code, verifier=VERIFIER)
    assert (again.status, again.code) == (400, "invalid_token")


async def test_a_code_with_a_wrong_verifier_is_used_up(home: House) -> None:
    program = home.site().program()
    code = await code_of(home, home.site())
    assert (await program.post("/session/exchange", code=code, verifier=VERIFIER[::-1])).status == 400
    assert (await program.post("/session/exchange", code=code, verifier=VERIFIER)).status == 400


async def test_a_code_is_good_for_a_minute(home: House) -> None:
    code = await code_of(home, home.site())
    home.clock.move(timedelta(seconds=61))
    assert (await home.site().program().post("/session/exchange", code=code, verifier=VERIFIER)).status == 400


async def test_a_form_cannot_exchange_a_code(home: House) -> None:
    code = await code_of(home, home.site())
    assert (await home.site().post("/session/exchange", code=code, verifier=VERIFIER)).status == 400


@pytest.mark.parametrize("link", ["", "com.evil.app:/signed-in", "https://evil.example", "/account", LINK + "/more"])
async def test_a_code_goes_to_registered_addresses_only(home: House, link: str) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD, "next": link, "code_challenge": CHALLENGE}
    answer = await home.site().post("/sign-in", **form)
    assert answer.status == 403


async def test_a_challenge_that_is_no_digest_is_refused(home: House) -> None:
    form = {"email": "ada@example.com", "password": PASSWORD, "next": LINK, "code_challenge": "plain"}
    assert (await home.site().post("/sign-in", **form)).status == 403


async def test_a_change_of_password_makes_the_code_worthless(home: House) -> None:
    code = await code_of(home, home.site())
    site = home.site()
    await site.post("/sign-in", email="ada@example.com", password=PASSWORD)
    await site.post("/account/password", current_password=PASSWORD, new_password="five loud red foxes")
    assert (await home.site().program().post("/session/exchange", code=code, verifier=VERIFIER)).status == 400


async def test_the_gates_stand_before_the_code(tmp_path: Path) -> None:
    """S32."""
    extensions = (*all_extensions(), CodeFactor())
    async with house(tmp_path, extensions=extensions, app_links=[LINK]) as home:
        site = home.site()
        await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
        site = home.site()
        form = {"email": "ada@example.com", "password": PASSWORD, "next": LINK, "code_challenge": CHALLENGE}
        assert (await site.post("/sign-in", **form)).location == "/auth/test-code"
        answer = await site.post("/test-code", code="123456")
        code = parse_qs(urlsplit(answer.location).query)["code"][0]
        answer = await home.site().program().post("/session/exchange", code=code, verifier=VERIFIER)
        factors = [proof["factor"] for proof in answer.json["session"]["proofs"]]
        assert factors == ["password", "test_code"]
