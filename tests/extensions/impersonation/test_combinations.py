"""Acting as somebody beside everything else: sessions that end amid it, invitations, handlers of one's own."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth import Account, Caller, PasswordChanged
from powauth.session import Proof
from powauth.starlette import begin, current_session, install
from powauth.starlette import sign_in as enter
from powauth.testing import Site
from tests.extensions.remember_me.browser import FETCHES, NAVIGATES, SENDS
from tests.house import PASSWORD, House, house, let, settle, sign_in, whole_house

pytestmark = pytest.mark.anyio

SESSION = "__Host-powauth-session"
ACTOR = "__Host-powauth-actor"
MINUTE = timedelta(minutes=1)
ADMIN, MEMBER, EVE = "grace@example.com", "ada@example.com", "eve@example.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        for email in (ADMIN, MEMBER, EVE):
            await settle(opened.site(), email)
        await let(opened, ADMIN, "admin")
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    """The administrator's browser, in which they act as a member."""
    site = home.site(app_of(home))
    await sign_in(site, ADMIN)
    answer = await site.post("/impersonate", email=MEMBER, reason="request 7")
    assert answer.status == 303, answer.text
    return site


def app_of(home: House) -> Starlette:
    async def own(request: Request) -> JSONResponse:
        session = await current_session(home.auth)(request)
        return JSONResponse({"handle": session.handle})

    async def unit(request: Request) -> JSONResponse:
        async with begin(home.auth, request) as ctx:
            return JSONResponse({"email": (await ctx.account()).email})

    async def other(request: Request) -> JSONResponse:
        eve = await account(home, EVE)
        await enter(home.auth, request, Proof(eve.handle, eve.epoch, "ours", home.clock.now()))
        return JSONResponse({})

    app = Starlette(
        routes=[
            Route("/own", own, methods=["POST"]),
            Route("/unit", unit, methods=["POST"]),
            Route("/other", other, methods=["POST"]),
        ]
    )
    install(app, home.auth)
    return app


async def account(home: House, email: str) -> Account:
    async with home.auth.begin(writes=False) as ctx:
        found = await ctx.accounts.by_email(email)
    assert found is not None
    return found


async def who(site: Site) -> str | None:
    answer = await site.get("/session", headers={**FETCHES, "accept": "application/json"})
    return answer.json["account"]["email"] if answer.json["account"] else None


async def run_out(home: House, site: Site) -> None:
    """Let the time end in which somebody may act; the administrator's own session goes on."""
    home.clock.move(25 * MINUTE)
    assert await who(site) == MEMBER
    home.clock.move(25 * MINUTE)
    assert await who(site) == MEMBER
    home.clock.move(11 * MINUTE)


@pytest.mark.parametrize("path", ["/sessions/end-others", "/own", "/unit"])
@pytest.mark.parametrize("how", [SENDS, FETCHES], ids=["form", "script"])
async def test_what_was_meant_for_the_account_is_not_done_to_the_administrators(
    home: House, site: Site, path: str, how: dict[str, str]
) -> None:
    """S66: the time is over while a form of the account's is open. Sent, it does nothing; then they are themselves."""
    await run_out(home, site)
    answer = await site.send("POST", path, form={}, headers=how)
    assert answer.status == 401, (answer.status, answer.text[:200])
    assert await who(site) == ADMIN


async def test_stopping_after_the_time_is_over_brings_the_administrator_back(home: House, site: Site) -> None:
    """S66."""
    await run_out(home, site)
    answer = await site.send("POST", "/impersonate/end", form={}, headers=SENDS)
    assert answer.status == 303
    assert await who(site) == ADMIN
    assert ACTOR not in site.jar


async def test_signing_out_after_the_time_is_over_signs_the_administrator_out(home: House, site: Site) -> None:
    """S23, S66."""
    await run_out(home, site)
    put_aside = site.jar[ACTOR]
    answer = await site.send("POST", "/sign-out", form={}, headers=SENDS)
    assert answer.status == 303
    assert {SESSION, ACTOR} & set(site.jar) == set()
    thief = home.site()
    thief.jar[SESSION] = put_aside
    assert await who(thief) is None


async def test_a_sign_in_of_the_applications_own_leaves_nothing_of_the_administrator(home: House, site: Site) -> None:
    """S24, S66."""
    acting, put_aside = site.jar[SESSION], site.jar[ACTOR]
    assert (await site.send("POST", "/other", form={}, headers=SENDS)).status == 200
    assert await who(site) == EVE
    assert ACTOR not in site.jar
    for secret in (acting, put_aside):
        thief = home.site()
        thief.jar[SESSION] = secret
        assert await who(thief) is None


async def test_whoever_acts_neither_invites_nor_accepts(home: House, site: Site) -> None:
    """S66, S67."""
    assert (await site.post("/invitations", email="new@example.com")).status == 403
    eve = home.site()
    await sign_in(eve, EVE)
    await eve.post("/invitations", email=MEMBER)
    link = next(mail.parts["url"] for mail in reversed(site.outbox.mails) if mail.to == MEMBER)
    assert (await site.get(link)).status == 200
    assert (await site.post(f"{link}/accept")).status == 403
    owner = home.site()
    await sign_in(owner, MEMBER, PASSWORD)
    assert (await owner.post(f"{link}/accept")).status == 303


async def test_a_remembered_administrator_comes_back_as_themselves_and_does_nothing_to_themselves(home: House) -> None:
    """S66: the same by the other cookie that lets a browser come back."""
    site = home.site(app_of(home))
    await site.post("/sign-in", email=ADMIN, password=PASSWORD, remember=True)
    await site.post("/impersonate", email=MEMBER, reason="request 7")
    home.clock.move(90 * MINUTE)
    answer = await site.send("POST", "/sessions/end-others", form={}, headers=SENDS)
    assert answer.status == 401
    assert (await site.get("/account", headers=NAVIGATES)).status == 200
    assert await who(site) == ADMIN


async def test_the_owner_is_not_told_from_where_an_administrator_works(home: House) -> None:
    """S66: the mail does not tell who it was; neither do the lists tell where to find them."""
    support = home.site().browser(client="203.0.113.7")
    await sign_in(support, ADMIN)
    await support.post("/impersonate", email=MEMBER, reason="request 7")
    owner = home.site().program(client="198.51.100.3")
    await sign_in(owner, MEMBER)
    member = await account(home, MEMBER)
    async with home.auth.begin() as ctx:
        (acting,) = [session for session in await ctx.sessions.list(member.handle) if session.actor]
    async with home.auth.begin(caller=Caller(session=acting, client="203.0.113.7")) as ctx:
        await ctx.emit(PasswordChanged(account=member))
    activity = (await owner.get("/activity")).json["activity"]
    assert any(entry["by_somebody_else"] for entry in activity)
    listed = (await owner.get("/sessions")).json["sessions"]
    assert any(session["marks"] for session in listed)
    assert "203.0.113.7" not in str([activity, listed])
    assert "198.51.100.3" in str(activity)
    assert "198.51.100.3" in str(listed)
