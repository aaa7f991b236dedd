"""Whoever has a second factor gets a challenge and never a session without it: S32, at every way in there is."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth import (
    Context,
    Detour,
    Extension,
    FormPage,
    Manifest,
    NoForm,
    Proof,
    Resumed,
    Tenant,
    TenantsByHost,
    change_password,
    lock_account,
    on,
)
from powauth import Request as PageRequest
from powauth.events import AuthenticationFailed, SigningIn
from powauth.extensions.sign_in import SignIn
from powauth.routing import PARKED
from powauth.signing import decode, encode
from powauth.starlette import install, sign_in
from powauth.testing import Site
from powauth.testing.factor import CODE, CodeFactor
from tests.house import PASSWORD, House, all_extensions, house
from tests.withstand.attack import (
    ADA,
    EVE,
    READS_HTML,
    READS_JSON,
    SENDS_HTML,
    SENDS_JSON,
    Wire,
    fields,
    gets,
    inhabited,
    parked,
    posts,
    sessions,
    sets_session,
    signed_in,
    urlencoded,
    variants,
)

pytestmark = pytest.mark.anyio

COOKIE = "__Host-powauth-pending"
STEP = "/test-code"
LINK = "com.example.app:/signed-in"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, Appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
KNOWN: dict[str, str] = {"email": EVE, "password": PASSWORD, "current_password": PASSWORD, "new_password": PASSWORD * 2}


async def finishes(site: Site) -> bool:
    """Whether the right code now completes a sign-in."""
    answer = await site.post(STEP, code="123456")
    return sets_session(answer, site.auth)


# ---- every way in ----


@pytest.mark.parametrize("transport", ["cookie", "bearer"])
@pytest.mark.parametrize("sends", [SENDS_HTML, SENDS_JSON], ids=["HTML", "JSON"])
async def test_no_route_gives_a_session_to_whoever_knows_the_password_alone(
    home: House, sends: Any, transport: str
) -> None:
    """S32: every route of every extension, all of Eve's knowledge in every field, with and without a parked sign-in."""
    before = sessions(home)
    for site in (home.site(), await parked(home)):
        for path, page in posts(home.auth):
            asked = {known.name: KNOWN.get(known.name, "") for known in fields(home.auth, page)}
            values = {**asked, "code": "wrong", "transport": transport}
            body = json.dumps(values).encode() if sends is SENDS_JSON else urlencoded(**values)
            answer = await Wire(site).send("POST", path, (*sends, *Wire(site).cookies()), body)
            assert answer.status < 500
            assert not sets_session(answer, home.auth), path
    assert sessions(home) == before


async def test_a_person_is_sent_to_the_step_and_then_signed_in(home: House) -> None:
    site = await parked(home)
    assert site.cookie is None
    assert (await site.get(STEP)).status == 200
    assert (await site.post(STEP, code="000000")).status == 422
    assert (await site.post(STEP, code="123456")).location == "/"
    assert COOKIE not in site.jar
    assert (await site.get("/account")).status == 200


async def test_a_program_with_cookies_is_told_the_step_and_its_address(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-in", email=EVE, password=PASSWORD)
    assert (answer.status, answer.code) == (401, "action_required")
    assert answer.json["action"] == {"name": "test_factor.code", "url": "https://example.com/auth/test-code"}
    assert "pending" not in answer.json
    finished = await program.post(STEP, code="123456")
    assert finished.json["account"]["email"] == EVE
    assert {proof["factor"] for proof in finished.json["session"]["proofs"]} == {"password", "test_code"}


async def test_a_program_without_cookies_carries_the_step_itself(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-in", email=EVE, password=PASSWORD, transport="bearer")
    assert (answer.status, answer.code, answer.cookies()) == (401, "action_required", [])
    assert answer.json["action"]["name"] == "test_factor.code"
    secret = answer.json["pending"]
    assert (await program.post(STEP, code="123456")).status == 401
    assert (await program.post(STEP, code="000000", pending=secret)).status == 422
    finished = await program.post(STEP, code="123456", pending=secret)
    assert (finished.status, finished.cookies()) == (200, [])
    program.bearer = finished.json["token"]
    assert (await program.get("/account")).json["email"] == EVE


async def test_a_browser_cannot_finish_what_a_program_without_cookies_began(home: House) -> None:
    program = home.site().program()
    secret = (await program.post("/sign-in", email=EVE, password=PASSWORD, transport="bearer")).json["pending"]
    site = home.site()
    site.jar[COOKIE] = secret
    before = sessions(home)
    answer = await site.post(STEP, code="123456")
    assert answer.status == 403
    assert sessions(home) == before


async def test_signing_up_meets_the_same_gate(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(*all_extensions(), CodeFactor())) as home:
        site = home.site()
        assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).location == "/auth/test-code"
        assert sessions(home) == set()
        program = home.site().program()
        assert (
            await program.post("/sign-up", email=EVE, password=PASSWORD, transport="bearer")
        ).code == "action_required"
        assert sessions(home) == set()
        assert await finishes(site)


async def test_a_code_for_a_program_is_not_handed_out_before_the_step(tmp_path: Path) -> None:
    async with inhabited(tmp_path, app_links=[LINK]) as home:
        site = home.site()
        begun = await site.post("/sign-in", email=EVE, password=PASSWORD, next=LINK, code_challenge=CHALLENGE)
        assert begun.location == "/auth/test-code"
        finished = await site.post(STEP, code="123456")
        assert finished.location.startswith(f"{LINK}?code=")
        assert site.cookie is None
        program = home.site().program()
        code = finished.location.partition("code=")[2]
        assert (await program.post(STEP, code="123456", pending=code)).status == 401
        assert "token" in (await program.post("/session/exchange", code=code, verifier=VERIFIER)).json


async def test_an_account_that_is_locked_meanwhile_exchanges_no_code(tmp_path: Path) -> None:
    """S45: at the redemption as at the start."""
    async with inhabited(tmp_path, app_links=[LINK]) as home:
        form = {"email": ADA, "password": PASSWORD, "next": LINK, "code_challenge": CHALLENGE}
        code = (await home.site().post("/sign-in", **form)).location.partition("code=")[2]
        await lock(home, ADA)
        answer = await home.site().program().post("/session/exchange", code=code, verifier=VERIFIER)
        assert answer.code in {"invalid_token", "invalid_credentials"}
        assert not sets_session(answer, home.auth)


async def test_an_application_that_signs_in_by_itself_is_told_of_the_step(home: House) -> None:
    async def enter(request: Request) -> JSONResponse:
        async with home.auth.begin(writes=False) as ctx:
            account = await ctx.accounts.by_email((await request.body()).decode())
            assert account is not None
            proof = Proof(account.handle, account.epoch, "mine", ctx.now)
        result = await sign_in(home.auth, request, proof)
        return JSONResponse({"detour": isinstance(result, Detour)})

    app = Starlette(routes=[Route("/enter", enter, methods=["GET", "POST"])])
    install(app, home.auth)
    site = home.site(app)
    assert (await site.send("POST", "/enter", body=EVE.encode())).json == {"detour": True}
    assert site.cookie is None
    assert (await site.send("GET", "/enter", body=ADA.encode())).status == 403
    assert (
        await site.send("POST", "/enter", body=ADA.encode(), headers={"origin": "https://evil.example"})
    ).status == 403
    assert (await site.send("POST", "/enter", body=ADA.encode())).json == {"detour": False}
    assert site.cookie is not None


async def test_an_application_that_signs_in_by_itself_leaves_a_trace_of_a_refusal(tmp_path: Path) -> None:
    heard: list[str] = []

    async def listen(event: AuthenticationFailed, ctx: Context) -> None:
        heard.append(event.factor)

    async with inhabited(tmp_path, hooks=[on(AuthenticationFailed, listen)]) as home:

        async def enter(request: Request) -> JSONResponse:
            async with home.auth.begin(writes=False) as ctx:
                account = await ctx.accounts.by_email(ADA)
                assert account is not None
                proof = Proof(account.handle, account.epoch + 1, "mine", ctx.now)
            return JSONResponse({"in": bool(await sign_in(home.auth, request, proof))})

        app = Starlette(routes=[Route("/enter", enter, methods=["POST"])])
        install(app, home.auth)
        answer = await home.site(app).program().send("POST", "/enter")
        assert (answer.status, answer.code, heard) == (401, "invalid_credentials", ["mine"])


async def test_a_step_up_adds_no_factor_that_was_not_shown(home: House) -> None:
    """S29."""
    site = await signed_in(home)
    await site.post("/prove", password=PASSWORD)
    data = (await site.get("/session", headers={"accept": "application/json"})).json
    assert [proof["factor"] for proof in data["session"]["proofs"]] == ["password"]


# ---- a parked sign-in grants nothing ----


async def test_with_a_parked_sign_in_alone_every_other_page_is_as_for_strangers(home: House) -> None:
    site = await parked(home)
    cookies = Wire(site).cookies()
    others = [path for path, page in posts(home.auth) if path != STEP and page.path != "/sign-in"]
    for reads, sends in ((READS_HTML, SENDS_HTML), (READS_JSON, SENDS_JSON)):
        for path in gets(home.auth):
            if path != STEP:
                for_stranger = await Wire(home.site()).send("GET", path, reads)
                assert await Wire(site).send("GET", path, (*reads, *cookies)) == for_stranger, path
        for path in others:
            for_stranger = await Wire(home.site()).send("POST", path, sends)
            assert await Wire(site).send("POST", path, (*sends, *cookies)) == for_stranger, path
    assert await finishes(site)


async def test_a_secret_that_was_changed_anywhere_opens_nothing(home: House) -> None:
    site = await parked(home)
    secret = site.jar[COOKIE]
    program = home.site().program()
    for changed in variants(secret):
        home.clock.move(timedelta(seconds=2))
        site.jar[COOKIE] = changed
        assert (await site.get(STEP)).location.startswith("/auth/sign-in"), changed
        assert (await program.post(STEP, code="123456", pending=changed)).status == 401, changed
    site.jar[COOKIE] = secret
    assert await finishes(site)


async def test_the_secret_of_one_account_opens_nothing_of_anothers(home: House) -> None:
    site = await parked(home)
    async with home.auth.begin(writes=False) as ctx:
        ada = await ctx.accounts.by_email(ADA)
    data = decode(site.jar[COOKIE])
    assert ada is not None
    assert data is not None
    site.jar[COOKIE] = encode(bytes.fromhex(ada.handle) + data[16:])
    assert not await finishes(site)


async def test_the_secret_of_another_auth_opens_nothing(tmp_path: Path) -> None:
    """The same secret and the same store: the name alone tells them apart."""
    (tmp_path / "other").mkdir()
    async with inhabited(tmp_path, name="shop") as shop:
        settings = {"name": "admin", "clock": shop.clock, "store": shop.auth.plan.store}
        async with inhabited(tmp_path / "other", **settings) as admin:
            mine, theirs = await parked(shop), admin.site()
            theirs.jar["__Host-admin-pending"] = mine.jar["__Host-shop-pending"]
            assert not await finishes(theirs)
            assert await finishes(mine)


async def test_the_secret_of_another_tenant_opens_nothing(tmp_path: Path) -> None:
    hosts = {name: Tenant(name, f"https://{name}.example/auth") for name in ("red", "blue")}
    tenants = TenantsByHost({f"{name}.example": tenant for name, tenant in hosts.items()})
    async with house(tmp_path, extensions=(*all_extensions(), CodeFactor()), tenant=tenants) as home:
        red, blue = (
            {"host": "red.example", "origin": "https://red.example"},
            {"host": "blue.example", "origin": "https://blue.example"},
        )
        site = home.site()
        for host in (red, blue):
            await site.send("POST", "/sign-up", form={"email": EVE, "password": PASSWORD}, headers=host)
        secret = site.jar[COOKIE]
        await site.send("POST", STEP, form={"code": "123456"}, headers=red)
        assert site.cookie is None
        site.jar[COOKIE] = secret
        await site.send("POST", STEP, form={"code": "123456"}, headers=blue)
        assert site.cookie is not None


async def test_after_fifteen_minutes_it_is_over(home: House) -> None:
    late, in_time = await parked(home), await parked(home)
    home.clock.move(timedelta(minutes=15) - timedelta(seconds=1))
    assert await finishes(in_time)
    home.clock.move(timedelta(seconds=1))
    assert not await finishes(late)


async def test_it_is_good_once(home: House) -> None:
    site = await parked(home)
    secret = site.jar[COOKIE]
    assert await finishes(site)
    thief = home.site()
    thief.jar[COOKIE] = secret
    assert not await finishes(thief)


async def test_of_many_who_finish_at_once_one_is_signed_in(home: House) -> None:
    secret = (await parked(home)).jar[COOKIE]
    browsers = [home.site() for _ in range(10)]
    for browser in browsers:
        browser.jar[COOKIE] = secret
    before = sessions(home)
    assert sum(await asyncio.gather(*(finishes(browser) for browser in browsers))) == 1
    assert len(sessions(home) - before) == 1


async def test_a_password_that_changes_meanwhile_ends_it(home: House) -> None:
    site = await parked(home)
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(EVE)
        assert account is not None
        await change_password(ctx, account, "nine slow orange hares")
    assert not await finishes(site)
    assert not await finishes(site)


async def test_an_account_that_is_locked_meanwhile_ends_it(home: House) -> None:
    """S45."""
    site = await parked(home)
    await lock(home, EVE)
    assert not await finishes(site)


async def lock(home: House, email: str) -> None:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        assert account is not None
        await lock_account(ctx, account.handle)


async def test_a_new_sign_in_ends_it_whoevers_it_is(home: House) -> None:
    for email in (ADA, EVE):
        site = await parked(home)
        old = site.jar[COOKIE]
        await site.post("/sign-in", email=email, password=PASSWORD)
        assert site.jar.get(COOKIE) != old
        thief = home.site()
        thief.jar[COOKIE] = old
        assert not await finishes(thief)


async def test_a_sign_in_that_fails_leaves_it(home: House) -> None:
    site = await parked(home)
    assert (await site.post("/sign-in", email=ADA, password="wrong")).status == 401
    assert await finishes(site)


async def test_whoever_is_signed_in_is_sent_on_from_a_step_that_is_not_theirs(home: House) -> None:
    site = await signed_in(home)
    assert (await site.get(STEP)).location == "/"
    assert (await site.post(STEP, code="123456")).location == "/"
    assert (await site.get(STEP, headers={"accept": "application/json"})).status == 409
    assert (await site.get("/account")).status == 200


async def test_a_stranger_is_sent_from_a_step_to_sign_in(home: House) -> None:
    site = home.site()
    assert (await site.get(STEP)).location == "/auth/sign-in?next=%2Fauth%2Ftest-code"
    assert (await site.program().get(STEP)).code == "not_signed_in"


# ---- a step that is not taken ----


class Nagging(Extension):
    """Asks for a step that can be passed without doing anything."""

    name = "nagging"
    requires = (SignIn,)

    def manifest(self) -> Manifest:
        return Manifest(
            routes=(NAG,),
            hooks=(on(SigningIn, nag),),
            messages={"nag.title": "Once more", "nag.submit": "Continue"},
        )


async def skip(request: PageRequest[NoForm], ctx: Context) -> Resumed:
    return Resumed()


NAG = FormPage(name="nag", path="/nag", form=NoForm, submit=skip, requires=PARKED)


async def nag(event: SigningIn, ctx: Context) -> Detour | None:
    return Detour(NAG) if event.account.email == EVE else None


@pytest.fixture
async def nagging(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(*all_extensions(), Nagging(), CodeFactor(asks=(EVE,)))) as home:
        await home.site().post("/sign-up", email=EVE, password=PASSWORD)
        yield home


async def test_a_step_that_asks_again_without_a_new_proof_is_an_error_and_no_loop(nagging: House) -> None:
    site, program = nagging.site(), nagging.site().program()
    assert (await site.post("/sign-in", email=EVE, password=PASSWORD)).location == "/auth/nag"
    assert (await site.post("/nag")).status == 403
    assert COOKIE not in site.jar
    secret = (await program.post("/sign-in", email=EVE, password=PASSWORD, transport="bearer")).json["pending"]
    answer = await program.post("/nag", pending=secret)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert sessions(nagging) == set()


def test_the_page_of_the_factor_asks_for_a_parked_sign_in() -> None:
    assert CODE.requires == PARKED
