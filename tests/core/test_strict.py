"""`profile="strict"`: of two choices the harder one, and what cannot be made harder is refused."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import ConfigurationError, Cookies, Detour, InvalidCredentials, Proof, SessionSettings
from powauth.extensions.prove import Prove
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.operations import Entered, sign_in, step_up
from powauth.session import MAILBOX
from tests.house import BASE_URL, House, house, sign_up

pytestmark = pytest.mark.anyio

LONG = SessionSettings(idle=timedelta(days=3), absolute=timedelta(days=60))
OWLS = "four quiet green owls"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, profile="strict", sessions=LONG) as opened:
        yield opened


async def test_a_password_has_fifteen_characters(home: House) -> None:
    answer = await home.site().post("/sign-up", email="ada@example.com", password="fourteen chars")
    assert answer.status == 422
    await sign_up(home.site(), password="fifteen charact")


async def test_a_session_lives_no_longer_than_aal2_recommends(home: House) -> None:
    """SP 800-63B §2.2.3: an hour without a request, a day in any case."""
    site = home.site()
    await sign_up(site)
    home.clock.move(timedelta(minutes=59))
    assert (await site.get("/account")).status == 200
    home.clock.move(timedelta(minutes=61))
    assert (await site.get("/account")).status == 303

    await site.post("/sign-in", email="ada@example.com", password=OWLS)
    for _ in range(47):
        home.clock.move(timedelta(minutes=30))
        assert (await site.get("/account")).status == 200
    home.clock.move(timedelta(minutes=30))
    assert (await site.get("/account")).status == 303


async def test_shorter_settings_stay_as_they_are() -> None:
    short = SessionSettings(idle=timedelta(minutes=5), absolute=timedelta(hours=1))
    assert short.strict() == short
    assert SessionSettings().strict() == SessionSettings()


@pytest.mark.parametrize(("profile", "is_in"), [("standard", True), ("strict", False)])
async def test_a_mailbox_signs_nobody_in(tmp_path: Path, profile: str, *, is_in: bool) -> None:
    """SP 800-63B §3.1.3.1; alone, beside a password, and as a step up."""
    async with house(tmp_path, profile=profile) as home:
        site = home.site()
        await sign_up(site)
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email("ada@example.com")
            assert account is not None
        mail = Proof(account.handle, account.epoch, MAILBOX, home.clock.now())
        word = Proof(account.handle, account.epoch, "password", home.clock.now())
        for proofs in ((mail,), (word, mail)):
            assert await admitted(home, proofs) is is_in
        assert await admitted(home, (word,))
        assert await raised(home, mail) is is_in


async def admitted(home: House, proofs: tuple[Proof, ...]) -> bool:
    try:
        async with home.auth.begin() as ctx:
            return not isinstance(await sign_in(ctx, proofs, transport="cookie"), Detour)
    except InvalidCredentials:
        return False


async def raised(home: House, proof: Proof) -> bool:
    """Say whether a session that is on can be raised by this proof."""
    word = Proof(proof.handle, proof.epoch, "password", home.clock.now())
    try:
        async with home.auth.begin() as ctx:
            assert isinstance(await sign_in(ctx, (word,), transport="cookie"), Entered)
            await step_up(ctx, proof)
    except InvalidCredentials:
        return False
    return True


async def refusals(folder: Path, **settings: Any) -> tuple[str, ...]:
    try:
        async with house(folder, **settings):
            return ()
    except ConfigurationError as error:
        return error.problems


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cookies": Cookies(domain="example.com")}, "every sub-domain"),
        ({"origins": ["http://app.example.com"]}, "not encrypted"),
        (
            {"extensions": (SignUp(), SignIn(), SessionList(), Prove(), RememberMe())},
            "without anybody showing a factor",
        ),
    ],
)
async def test_what_cannot_be_made_harder_is_refused_at_start(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    """S57."""
    assert BASE_URL.startswith("https:")
    assert await refusals(tmp_path, **settings) == ()
    (problem,) = await refusals(tmp_path, profile="strict", **settings)
    assert problem.startswith("strict profile: ")
    assert said in problem
