"""Acting as somebody: who may, what they cannot, how it ends, and that both names are kept."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from powauth import (
    Account,
    Caller,
    ConfigurationError,
    Context,
    Detour,
    Event,
    Form,
    OwnerOnly,
    Session,
    SessionEnded,
    SessionStarted,
    SignedIn,
    SigningIn,
    Text,
    on,
)
from powauth.extensions import sign_in as sign_in_extension
from powauth.extensions.audit.records import AuditRecord
from powauth.extensions.impersonation import IN_PERSON, Impersonated, Impersonation, ImpersonationEnded
from powauth.extensions.impersonation.operations import begin
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove, recent
from powauth.extensions.roles import Roles, revoke
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.guards import Guard
from powauth.http import RawRequest
from powauth.jinja import JinjaTemplates
from powauth.operations import change_password, close_account, factor_added, lock_account, step_up, verify_current
from powauth.session import Proof
from powauth.starlette import current_account, current_session, install, page_context
from powauth.testing import Answer, Site
from tests.house import PASSWORD, House, all_extensions, house, let, settle, sign_in, whole_house

pytestmark = pytest.mark.anyio

SESSION = "__Host-powauth-session"
ACTOR = "__Host-powauth-actor"
MINUTE = timedelta(minutes=1)
ADMIN, MEMBER = "grace@example.com", "ada@example.com"


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
async def home(tmp_path: Path, heard: list[Event]) -> AsyncGenerator[House]:
    async def hear(event: Event, ctx: Context) -> None:
        heard.append(event)

    async with house(tmp_path, extensions=whole_house(), hooks=(on(Event, hear),)) as opened:
        for email in (ADMIN, MEMBER):
            await settle(opened.site(), email)
        await let(opened, ADMIN, "admin")
        await let(opened, MEMBER, "member")
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    """The administrator's browser."""
    site = home.site()
    await sign_in(site, ADMIN)
    await site.get("/account")
    return site


async def act(site: Site, email: str = MEMBER, reason: str = "request 7") -> Answer:
    return await site.post("/impersonate", email=email, reason=reason)


async def who(site: Site) -> str | None:
    """Return whose account a browser is signed in to."""
    site.accept, former = "application/json", site.accept
    account = (await site.get("/session")).json["account"]
    site.accept = former
    return account["email"] if account else None


async def account(home: House, email: str) -> Account:
    async with home.auth.begin() as ctx:
        found = await ctx.accounts.by_email(email)
    assert found is not None
    return found


async def sessions(home: House, email: str) -> tuple[Session, ...]:
    async with home.auth.begin(writes=False) as ctx:
        return await ctx.sessions.list((await account(home, email)).handle)


async def take(home: House, email: str, name: str) -> None:
    async with home.auth.begin() as ctx:
        found = await ctx.accounts.by_email(email)
        assert found is not None
        await revoke(ctx, found, name, may_be_last=True)


class Profile(Form):
    name: Annotated[str, Text(max=80)]


def app_of(home: House) -> Starlette:
    """Return an application with pages of its own."""

    def page(guard: Any) -> Any:
        async def endpoint(request: Request) -> JSONResponse:
            await guard(request)
            return JSONResponse({})

        return endpoint

    environment = Environment(autoescape=True)
    JinjaTemplates().extend(environment)
    template = environment.from_string(
        '{{ acting_banner(banner) }} member: {{ has_role("member") }}, editor: {{ has_role("editor") }}'
    )

    async def drawn(request: Request) -> HTMLResponse:
        return HTMLResponse(template.render(await page_context(request, home.auth)))

    app = Starlette(
        routes=[
            Route("/page", page(current_session(home.auth))),
            Route("/in-person", page(current_account(home.auth, require=IN_PERSON))),
            Route("/vault", page(current_session(home.auth, require=recent(timedelta(minutes=5))))),
            Route("/template", drawn),
        ]
    )
    install(app, home.auth)
    return app


# ---- who may ----


async def test_an_administrator_acts_as_somebody_and_comes_back_without_a_password(home: House, site: Site) -> None:
    """S66."""
    answer = await act(site)
    assert (answer.status, answer.location) == (303, "/")
    assert await who(site) == MEMBER
    answer = await site.post("/impersonate/end")
    assert (answer.status, answer.location) == (303, "/")
    assert await who(site) == ADMIN
    assert ACTOR not in site.jar
    assert [session.actor for session in await sessions(home, MEMBER)] == [None]


@pytest.mark.parametrize("role", ["editor", "member", None])
async def test_only_who_has_the_role_sees_the_page_or_begins(home: House, role: str | None) -> None:
    """S66."""
    await settle(home.site(), "eve@example.com")
    if role:
        await let(home, "eve@example.com", role)
    site = home.site()
    await sign_in(site, "eve@example.com")
    assert (await site.get("/impersonate")).status == 403
    assert (await act(site)).status == 403
    assert await who(site) == "eve@example.com"


async def test_nobody_acts_as_an_equal_a_higher_one_or_themselves(home: House, site: Site, tmp_path: Path) -> None:
    """S66."""
    await settle(home.site(), "other@example.com")
    await let(home, "other@example.com", "admin")
    for email in ("other@example.com", ADMIN):
        assert (await act(site, email)).status == 403
    assert await who(site) == ADMIN
    (tmp_path / "two").mkdir()
    extensions = (*all_extensions(), Roles(roles=("support", "admin")), Impersonation(by=("support",)))
    async with house(tmp_path / "two", extensions=extensions) as second:
        for email, role in (("sue@example.com", "support"), ("bob@example.com", "admin")):
            await second.site().post("/sign-up", email=email, password=PASSWORD)
            await let(second, email, role)
        support = second.site()
        await sign_in(support, "sue@example.com")
        assert (await act(support, "bob@example.com")).status == 403
        assert await who(support) == "sue@example.com"


async def test_it_begins_with_a_recent_proof_and_a_reason(home: House, site: Site) -> None:
    """S30, S66."""
    answer = await act(site, reason="")
    assert answer.status == 422
    home.clock.move(6 * MINUTE)
    for answer in (await act(site), await site.get("/impersonate?email=ada@example.com")):
        assert answer.status == 303
        assert answer.location.startswith("/auth/prove?next=%2Fauth%2Fimpersonate")
    assert await who(site) == ADMIN


async def test_somebody_unknown_is_told_on_the_form(site: Site) -> None:
    answer = await act(site, "nobody@example.com")
    assert answer.status == 422
    assert "There is no such account." in answer.text


async def test_nobody_acts_as_a_locked_or_closed_account(home: House, site: Site) -> None:
    """S45, S66."""
    async with home.auth.begin() as ctx:
        await lock_account(ctx, (await account(home, MEMBER)).handle)
    assert (await act(site)).status == 403
    assert await who(site) == ADMIN


async def test_a_gate_that_wants_one_more_step_refuses_and_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """S32, S66."""

    async def gate(event: SigningIn, ctx: Context) -> Detour | None:
        return Detour(sign_in_extension.NEW) if event.actor else None

    extensions = (*all_extensions(), Roles(), Impersonation())
    async with house(tmp_path, extensions=extensions, hooks=(on(SigningIn, gate),)) as home:
        for email in (ADMIN, MEMBER):
            await home.site().post("/sign-up", email=email, password=PASSWORD)
        await let(home, ADMIN, "admin")
        site = home.site()
        await sign_in(site, ADMIN)
        assert (await act(site)).status == 403
        assert await who(site) == ADMIN
        assert len(await sessions(home, MEMBER)) == 1


async def test_nobody_acts_as_somebody_through_somebody(home: House, site: Site) -> None:
    """S66."""
    await settle(home.site(), "eve@example.com")
    await act(site)
    answer = await act(site, "eve@example.com")
    assert answer.status == 403
    assert await who(site) == MEMBER


async def test_what_could_be_done_by_nobody_is_refused_at_start(tmp_path: Path) -> None:
    """S57."""
    for wrong in (
        Impersonation(by=("boss",)),
        Impersonation(lifetime=timedelta(0)),
        Impersonation(fresh=timedelta(0)),
        Impersonation(by=()),
    ):
        with pytest.raises(ConfigurationError):
            async with house(tmp_path, extensions=(*all_extensions(), Roles(), wrong)):
                pass


async def test_an_administrator_begins_thirty_times_an_hour_at_most(home: House, site: Site) -> None:
    """S44."""
    for _ in range(30):
        assert (await act(site)).status == 303
        await site.post("/impersonate/end")
    assert (await act(site)).status == 429
    assert await who(site) == ADMIN


# ---- what is kept ----


async def test_both_names_and_the_reason_are_announced(home: House, site: Site, heard: list[Event]) -> None:
    """S66."""
    heard.clear()
    await act(site)
    begun = next(event for event in heard if isinstance(event, Impersonated))
    assert (begun.account.email, begun.actor.email, begun.reason) == (MEMBER, ADMIN, "request 7")
    assert any(isinstance(event, SessionStarted) and event.session == begun.session for event in heard)
    assert not any(isinstance(event, SignedIn) for event in heard)
    await site.post("/impersonate/end")
    ended = next(event for event in heard if isinstance(event, ImpersonationEnded))
    assert (ended.handle, ended.actor, ended.session) == (begun.account.handle, begun.actor.handle, begun.session)
    assert SessionEnded(handle=begun.account.handle, session=begun.session) in heard


async def test_the_audit_has_both_names_the_reason_and_what_was_done_meanwhile(home: House, site: Site) -> None:
    """S66, S68."""
    await act(site)
    await site.post("/impersonate/end")
    grace, ada = await account(home, ADMIN), await account(home, MEMBER)
    async with home.auth.begin() as ctx:
        rows = {row.event: row for row in await ctx.records(AuditRecord).find(where={"actor": grace.handle})}
    begun, ended = rows["impersonation.impersonated"], rows["impersonation.impersonation_ended"]
    assert (begun.account, begun.behalf, begun.details["reason"]) == (ada.handle, ada.handle, "request 7")
    assert (ended.account, ended.behalf) == (ada.handle, ada.handle)
    assert rows["session_ended"].behalf == ada.handle
    assert not {"acting", "account_described"} & set(rows)


async def test_the_owner_is_left_alone_but_sees_in_the_list_that_it_was_not_them(home: House, site: Site) -> None:
    """S31, S66."""
    owner = home.site()
    await sign_in(owner, MEMBER)
    former = await sessions(home, MEMBER)
    site.outbox.clear()
    home.clock.move(MINUTE)
    await act(site)
    await site.get("/account")
    now = await sessions(home, MEMBER)
    assert [session for session in now if session.actor is None] == list(former)
    assert site.outbox.mails == []
    page = await owner.get("/sessions")
    assert page.text.count("Not you: support") == 1
    assert [cookie for cookie in site.jar if "device" in cookie] == ["__Host-powauth-device"]
    async with home.auth.begin() as ctx:
        visit_known = ctx.plan.signer.unseal("device", site.jar["__Host-powauth-device"], now=ctx.now)
    assert (await account(home, MEMBER)).handle not in str(visit_known)


async def test_the_owner_ends_it_from_their_list(home: House, site: Site) -> None:
    """S31."""
    owner = home.site()
    await sign_in(owner, MEMBER)
    await act(site)
    (acting,) = [session for session in await sessions(home, MEMBER) if session.actor]
    assert (await owner.post(f"/sessions/{acting.public_id}/end")).status == 303
    assert await who(site) is None


async def test_the_owner_is_told_by_mail_where_that_is_set_without_who_it_was_or_why(tmp_path: Path) -> None:
    extensions = (*all_extensions(), Roles(), Impersonation(tells_owner=True))
    async with house(tmp_path, extensions=extensions) as home:
        for email in (ADMIN, MEMBER):
            await home.site().post("/sign-up", email=email, password=PASSWORD)
        await let(home, ADMIN, "admin")
        site = home.site()
        site.headers["accept-language"] = "de"
        await sign_in(site, ADMIN)
        await act(site)
        assert site.mail.to == MEMBER
        assert site.mail.subject == "Somebody looked at your account at Example"
        assert ADMIN not in site.mail.text + site.mail.html
        assert "request 7" not in site.mail.text + site.mail.html


# ---- banner ----


async def test_every_page_says_whom_one_acts_as_and_has_the_button_that_ends_it(home: House, site: Site) -> None:
    """S66."""
    assert "acting-banner" not in (await site.get("/account")).text
    await act(site)
    for path in ("/account", "/sessions"):
        text = (await site.get(path)).text
        assert "You act as ada@example.com." in text
        assert 'action="/auth/impersonate/end"' in text
        assert "<title>You act as ada@example.com." in text
    refused = await site.post("/account/password", current_password=PASSWORD, new_password="seven small brass keys")
    assert refused.status == 403
    for answer in (refused, await site.get("/impersonate"), await site.get("/nowhere")):
        assert "You act as somebody else." in answer.text, answer.status
        assert 'action="/auth/impersonate/end"' in answer.text
    await site.post("/impersonate/end")
    assert "acting-banner" not in (await site.get("/account")).text


# ---- no change of credentials ----


async def test_core_refuses_what_is_the_owners_alone_whoever_calls_it(home: House, site: Site) -> None:
    """S29, S66."""
    await act(site)
    (acting,) = [session for session in await sessions(home, MEMBER) if session.actor]
    ada = await account(home, MEMBER)
    proof = Proof(ada.handle, ada.epoch, "password", home.clock.now())
    for change in (
        lambda ctx: change_password(ctx, ada, "seven small brass keys"),
        lambda ctx: close_account(ctx, ada),
        lambda ctx: factor_added(ctx, ada, proof),
        lambda ctx: lock_account(ctx, ada.handle),
        lambda ctx: step_up(ctx, proof),
        lambda ctx: verify_current(ctx, ada, PASSWORD, field="password"),
        lambda ctx: begin(ctx, ada, reason="again"),
    ):
        with pytest.raises(OwnerOnly):
            async with home.auth.begin(caller=Caller(session=acting)) as ctx:
                await change(ctx)
    assert await account(home, MEMBER) == ada


async def test_what_is_no_credential_may_be_changed_for_somebody(tmp_path: Path) -> None:
    """Such as a name: that is what support is for."""
    extensions = (SignUp(), SignIn(), ManageAccount(profile=Profile), Prove(), Roles(), Impersonation())
    async with house(tmp_path, extensions=extensions) as home:
        for email in (ADMIN, MEMBER):
            await home.site().post("/sign-up", email=email, password=PASSWORD)
        await let(home, ADMIN, "admin")
        site = home.site()
        await sign_in(site, ADMIN)
        await act(site)
        assert (await site.post("/account/profile", name="Ada L.")).status == 303
        async with home.auth.begin() as ctx:
            user = await ctx.accounts.user(await account(home, MEMBER))
        assert user.name == "Ada L."


# ---- how it ends ----


async def test_it_ends_after_an_hour_and_the_administrator_is_back(home: House, site: Site) -> None:
    """S66."""
    await act(site)
    for _ in range(3):
        home.clock.move(19 * MINUTE)
        assert await who(site) == MEMBER
    home.clock.move(4 * MINUTE)
    assert await who(site) is None
    site.headers |= {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert ADMIN in (await site.get("/account")).text
    assert ACTOR not in site.jar


async def test_it_never_outlives_the_administrators_own_session(home: House) -> None:
    """S66."""
    site = home.site()
    await sign_in(site, ADMIN)
    (own, *_) = await sessions(home, ADMIN)
    while own.ends_at - home.clock.now() > timedelta(minutes=40):
        home.clock.move(timedelta(minutes=20))
        await site.get("/account")
    await site.post("/prove", password=PASSWORD)
    await act(site)
    (acting,) = [session for session in await sessions(home, MEMBER) if session.actor]
    assert acting.ends_at == own.ends_at


async def test_acting_counts_as_use_of_the_administrators_session(home: House, site: Site) -> None:
    await act(site)
    for _ in range(5):
        home.clock.move(10 * MINUTE)
        assert await who(site) == MEMBER
    await site.post("/impersonate/end")
    assert await who(site) == ADMIN


@pytest.mark.parametrize("how", ["role", "lock", "password", "close", "elsewhere", "higher"])
async def test_it_ends_at_the_next_request_when_the_administrator_may_no_longer(
    home: House, site: Site, how: str
) -> None:
    """S27, S65, S66."""
    await act(site)
    assert await who(site) == MEMBER
    grace = await account(home, ADMIN)
    if how == "role":
        await take(home, ADMIN, "admin")
    elif how == "higher":
        await let(home, MEMBER, "admin")
    elif how == "elsewhere":
        phone = home.site()
        await sign_in(phone, ADMIN)
        await phone.post("/sessions/end-others")
    else:
        async with home.auth.begin() as ctx:
            if how == "lock":
                await lock_account(ctx, grace.handle)
            elif how == "password":
                await change_password(ctx, grace, "seven small brass keys")
            else:
                await close_account(ctx, grace)
    assert (await site.get("/account")).status == 303
    assert [session for session in await sessions(home, MEMBER) if session.actor] == []
    assert await who(site) is None


async def test_a_connection_that_lasts_ends_as_well_and_keeps_no_session_going(home: House, site: Site) -> None:
    """S25, S66."""
    await act(site)
    (acting,) = [session for session in await sessions(home, MEMBER) if session.actor]
    visit, guard = home.auth.visit(RawRequest("GET", "/feed"), is_socket=True), Guard(home.auth)
    (own, *_) = await sessions(home, ADMIN)
    home.clock.move(5 * MINUTE)
    assert await guard.goes_on(visit, acting)
    assert (await sessions(home, ADMIN))[0].seen_at == own.seen_at
    await take(home, ADMIN, "admin")
    assert not await guard.goes_on(visit, acting)


async def test_an_applications_own_page_that_asks_for_a_session_only_looks_at_it_too(home: House, site: Site) -> None:
    """S66."""
    acting = home.site(app_of(home))
    await act(site)
    acting.jar = dict(site.jar)
    assert (await acting.get("/page")).status == 200
    await take(home, ADMIN, "admin")
    assert (await acting.get("/page")).status == 303


async def test_a_page_of_the_applications_own_can_keep_whoever_acts_out(home: House, site: Site) -> None:
    """S66."""
    app = app_of(home)
    acting, owner = home.site(app).program(), home.site(app).program()
    await act(site)
    acting.jar = dict(site.jar)
    await sign_in(owner, MEMBER)
    assert [(await visitor.get("/page")).status for visitor in (acting, owner)] == [200, 200]
    refused = await acting.get("/in-person")
    assert (refused.status, refused.code) == (403, "owner_only")
    refused = await acting.get("/vault")
    assert (refused.status, refused.code) == (403, "owner_only")
    assert [(await owner.get(path)).status for path in ("/in-person", "/vault")] == [200, 200]


async def test_an_applications_own_templates_are_given_the_banner_and_the_roles(home: House, site: Site) -> None:
    """S66."""
    acting = home.site(app_of(home))
    await act(site)
    acting.jar = dict(site.jar)
    text = (await acting.get("/template")).text
    assert "You act as ada@example.com." in text
    assert "member: True, editor: False" in text
    await site.post("/impersonate/end")
    acting.jar = dict(site.jar)
    text = (await acting.get("/template")).text
    assert "acting-banner" not in text
    assert "member: True, editor: True" in text


async def test_signing_out_signs_both_out(home: House, site: Site) -> None:
    """S23, S66."""
    await act(site)
    put_aside = site.jar[ACTOR]
    await site.post("/sign-out")
    assert SESSION not in site.jar
    assert ACTOR not in site.jar
    thief = home.site()
    thief.jar[SESSION] = put_aside
    assert await who(thief) is None


async def test_whoever_signs_in_afterwards_finds_nothing_of_the_administrator(home: House, site: Site) -> None:
    """S24, S66."""
    await act(site)
    home.clock.move(31 * MINUTE)
    site.jar.pop(SESSION)
    put_aside = site.jar[ACTOR]
    await sign_in(site, MEMBER)
    assert ACTOR not in site.jar
    thief = home.site()
    thief.jar[SESSION] = put_aside
    assert await who(thief) is None


async def test_coming_back_needs_the_administrators_session_to_go_on(home: House, site: Site) -> None:
    """S66."""
    await act(site)
    async with home.auth.begin() as ctx:
        await ctx.sessions.end_others((await account(home, ADMIN)).handle, keep=None)
    answer = await site.post("/impersonate/end")
    assert answer.status == 303
    assert await who(site) is None
    assert {SESSION, ACTOR} & set(site.jar) == set()


async def test_a_cookie_of_somebody_else_brings_nobody_back(home: House, site: Site) -> None:
    """S66: whoever can plant a cookie leads nobody into their own account by it."""
    await settle(home.site(), "eve@example.com")
    eve = home.site()
    await sign_in(eve, "eve@example.com")
    await act(site)
    site.jar[ACTOR] = str(eve.cookie)
    await site.post("/impersonate/end")
    assert await who(site) is None


async def test_the_former_cookie_of_the_administrator_is_dead_a_minute_later(home: House, site: Site) -> None:
    """S23."""
    former = site.cookie
    await act(site)
    home.clock.move(timedelta(seconds=61))
    thief = home.site()
    thief.jar[SESSION] = str(former)
    assert await who(thief) is None
    assert await who(site) == MEMBER


async def test_an_answer_to_an_earlier_request_puts_no_cookie_in_the_place_of_the_accounts(
    home: House, site: Site
) -> None:
    """Two tabs: one that was slow hands out nothing newer."""
    home.clock.move(4 * MINUTE)
    slow = home.site()
    slow.jar = dict(site.jar)
    await act(site)
    answer = await slow.get("/account")
    assert answer.status == 200
    assert answer.cookies() == []


async def test_beginning_twice_at_once_begins_once(home: House, site: Site) -> None:
    twin = home.site()
    twin.jar = dict(site.jar)
    assert (await act(site)).status == 303
    assert (await act(twin)).status in {303, 401}
    assert len([session for session in await sessions(home, MEMBER) if session.actor]) == 1


async def test_ending_twice_is_no_error_and_ending_nothing_is_refused(home: House, site: Site) -> None:
    assert (await site.post("/impersonate/end")).status == 403
    assert await who(site) == ADMIN
    assert (await home.site().post("/impersonate/end")).status == 303


# ---- programs ----


async def test_a_program_gets_a_token_of_its_own_and_keeps_the_administrators(home: House) -> None:
    """S66."""
    own = home.site().program()
    answer = await own.post("/sign-in", email=ADMIN, password=PASSWORD, transport="bearer")
    own.bearer = answer.json["token"]
    begun = await own.post("/impersonate", email=MEMBER, reason="request 7")
    assert begun.json["account"]["email"] == MEMBER
    assert begun.json["session"]["actor"] == (await account(home, ADMIN)).handle
    acting = home.site().program()
    acting.bearer = begun.json["token"]
    assert acting.bearer != own.bearer
    assert (await who(acting), await who(own)) == (MEMBER, ADMIN)
    refused = await acting.post("/account/close", current_password=PASSWORD)
    assert (refused.status, refused.code) == (403, "owner_only")
    assert (await acting.post("/impersonate/end")).status == 204
    assert (await who(acting), await who(own)) == (None, ADMIN)
