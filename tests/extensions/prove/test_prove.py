"""A fresh proof where a page asks for one."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import Context, Done, Extension, Get, Manifest, Outcome, Request
from powauth.extensions.prove import Prove, recent
from powauth.forms import NoForm
from powauth.testing import Site
from tests.house import PASSWORD, House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio


async def open_vault(request: Request[NoForm], ctx: Context) -> Outcome:
    return Done(data={"gold": ctx.session.handle}, to="/gold")


VAULT = Get(name="vault", path="/vault", show=open_vault, requires=recent(timedelta(minutes=5)))


class Vault(Extension):
    name = "vault"
    requires = (Prove,)

    def manifest(self) -> Manifest:
        return Manifest(routes=(VAULT,), messages={"vault.title": "Vault"})


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(*all_extensions(), Vault())) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await sign_up(site)
    return site


async def test_a_fresh_sign_in_is_proof_enough(site: Site) -> None:
    assert (await site.get("/vault")).location == "/gold"


async def test_a_stale_proof_is_asked_for_again_and_leads_back(home: House, site: Site) -> None:
    """S30."""
    home.clock.move(timedelta(minutes=6))
    answer = await site.get("/vault?x=1")
    assert (answer.status, answer.location) == (303, "/auth/prove?next=%2Fauth%2Fvault%3Fx%3D1")
    assert 'value="/auth/vault?x=1"' in (await site.get(answer.location)).text
    answer = await site.post("/prove", password=PASSWORD, next="/auth/vault?x=1")
    assert answer.location == "/auth/vault?x=1"
    assert (await site.get("/vault")).location == "/gold"


async def test_a_program_is_told_which_action_is_required(home: House, site: Site) -> None:
    """S30."""
    home.clock.move(timedelta(minutes=6))
    program = site.program()
    program.jar = dict(site.jar)
    answer = await program.get("/vault")
    assert (answer.status, answer.code) == (401, "action_required")
    assert answer.json["action"] == {"name": "prove.prove", "url": "https://example.com/auth/prove"}
    assert (await program.post("/prove", password=PASSWORD)).status == 200
    assert (await program.get("/vault")).status == 200


async def test_a_program_with_a_token_gets_a_new_one_for_its_proof(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-up", email="bob@example.com", password=PASSWORD, transport="bearer")
    program.bearer = answer.json["token"]
    home.clock.move(timedelta(minutes=6))
    assert (await program.get("/vault")).status == 401
    program.bearer = (await program.post("/prove", password=PASSWORD)).json["token"]
    assert (await program.get("/vault")).status == 200


async def test_a_wrong_password_proves_nothing(home: House, site: Site) -> None:
    home.clock.move(timedelta(minutes=6))
    assert (await site.post("/prove", password="wrong")).status == 422
    assert (await site.get("/vault")).location.startswith("/auth/prove")


async def test_the_former_cookie_never_gets_the_new_proof(home: House, site: Site) -> None:
    """S23, S29."""
    home.clock.move(timedelta(minutes=6))
    tab = site.browser()
    tab.jar = dict(site.jar)
    await site.post("/prove", password=PASSWORD)
    answer = await tab.get("/vault")
    assert answer.location.startswith("/auth/prove")
    assert answer.cookies() == []


async def test_a_session_that_was_ended_meanwhile_is_not_revived_by_a_proof(home: House, site: Site) -> None:
    tab = site.browser()
    tab.jar = dict(site.jar)
    await site.post("/sign-out")
    assert (await tab.post("/prove", password=PASSWORD)).status == 401
