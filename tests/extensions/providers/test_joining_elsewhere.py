"""“I have an account already”, for programs; how the page that asks names people; and two who say yes at once."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from powauth.extensions.providers.waiting import name_of
from powauth.oauth import Claims, Identity, Tokens
from powauth.testing import Site
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter, who
from tests.extensions.providers.joins import HERE, JOIN, MINE, connected, join, shown
from tests.extensions.sign_in.test_exchange import CHALLENGE, LINK, VERIFIER
from tests.house import house, sign_in, sign_up

pytestmark = pytest.mark.anyio


async def test_a_program_is_led_the_same_way(known: Site) -> None:
    json = {"accept": "application/json"}
    page = (await known.get("/providers/fake/complete", headers=json)).json
    assert page["mine_url"] == f"https://example.com{HERE.replace('join', 'mine')}"
    answer = await known.send("POST", MINE, json={}, headers=json)
    assert answer.json["join_url"] == f"https://example.com{HERE}"
    assert answer.json["sign_in_url"].startswith("https://example.com/auth/sign-in?next=")
    await sign_in(known)
    page = (await known.get(JOIN, headers=json)).json
    assert (page["provider"], page["identity"], page["account"]) == ("fake", "ada@example.com", "ada@example.com")
    answer = await known.send("POST", JOIN, json={"shown": page["shown"]}, headers=json)
    assert (answer.status, answer.json) == (200, {"provider": "fake"})
    assert await connected(known) == ["fake"]


async def test_a_native_application_gets_its_code_and_leaves_no_session_behind(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=extensions(fake), app_links=[LINK]) as home:
        site = home.site()
        await sign_up(site.browser())
        answer = await enter(site, next=LINK, code_challenge=CHALLENGE)
        assert answer.location == "/auth/providers/fake/complete"
        await sign_in(site)
        answer = await join(site)
        assert answer.location.startswith(f"{LINK}?code=")
        assert await who(site) is None
        program = site.program()
        code = parse_qs(urlsplit(answer.location).query)["code"][0]
        program.bearer = (await program.post("/session/exchange", code=code, verifier=VERIFIER)).json["token"]
        assert (await program.get("/account")).json["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "ada@example.com", "email_verified": True, "name": "Eve"}, "ada@example.com"),
        ({"email": "ada@example.com", "name": "Ada"}, "Ada (7)"),
        ({"email": "ada@example.com"}, "ada@example.com (7)"),
        ({"preferred_username": "ada@example.com", "email_verified": True}, "ada@example.com (7)"),
        ({"name": "A\u202eda\n\nYou are safe"}, "AdaYou are safe (7)"),
        ({"name": "x" * 500}, "x" * 79 + "… (7)"),
        ({}, "7"),
    ],
)
def test_a_chosen_name_passes_for_nobody_else(claims: dict[str, object], name: str) -> None:
    """S49: the subject stands beside what its owner chose, and nothing in it turns or breaks a line."""
    said = Claims.read({"sub": "7", **claims})
    tokens = Tokens(access_token="a")
    assert name_of(Identity(provider="fake", issuer="https://fake.example", claims=said, tokens=tokens)) == name


async def test_of_two_who_say_yes_at_once_one_connects(database_url: str, tmp_path: Path, fake: Fake) -> None:
    """S17."""
    async with house(tmp_path, url=database_url, extensions=extensions(fake)) as home, asyncio.timeout(60):
        site = home.site()
        await sign_up(site.browser())
        await enter(site)
        await sign_in(site)
        asked = shown(await site.get(JOIN))
        twins = [site.browser() for _ in range(3)]
        for twin in twins:
            twin.jar = dict(site.jar)
        site.outbox.clear()
        answers = await asyncio.gather(*(twin.post(JOIN, shown=asked) for twin in twins))
        assert min(answer.status for answer in answers) == 303
        assert [mail.kind for mail in site.outbox.mails] == ["providers.connected"]
