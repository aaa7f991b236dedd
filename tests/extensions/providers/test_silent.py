"""Signing in again without a click: once, the same person, by a navigation of a browser that did so before."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import Tenant, TenantsByHost
from powauth.extensions.remember_me import RememberMe
from powauth.oauth import TooSlow
from powauth.operations import lock_account
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from powauth.testing.site import Answer
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, state_of, who
from tests.house import PASSWORD, House, house, sign_up

pytestmark = pytest.mark.anyio

GO = {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
AWAY = "https://fake.example/authorize"
EVE = {"sub": "2", "email": "eve@example.com", "email_verified": True}


@pytest.fixture
async def home(tmp_path: Path, fake: Fake, other: Fake) -> AsyncGenerator[House]:
    every = (*extensions(fake, other, signs_in_silently=["fake"]),)
    async with house(tmp_path, extensions=every) as opened:
        yield opened


async def visit(site: Site, path: str = "/sign-in", **headers: str) -> Answer:
    """Go to the sign-in page, as a person's browser does."""
    return await site.get(path, headers={**GO, **{name.replace("_", "-"): value for name, value in headers.items()}})


async def return_(site: Site, path: str = "/sign-in") -> Answer:
    """Go to the sign-in page, and be led to the provider and back."""
    answer = await visit(site, path)
    assert answer.location.startswith(AWAY), answer.text
    return await come_back(site, state_of(answer.location))


def is_form(answer: Answer) -> bool:
    return answer.status == 200 and 'name="password"' in answer.text


def go_idle(home: House) -> None:
    home.clock.move(timedelta(minutes=31))


async def test_a_browser_whose_session_is_over_is_signed_in_again_and_led_to_where_it_wanted(
    site: Site, home: House
) -> None:
    await enter(site)
    go_idle(home)
    assert await who(site) is None
    assert (await return_(site, "/sign-in?next=/me")).location == "/me"
    assert await who(site) == "ada@example.com"
    go_idle(home)
    assert (await return_(site)).location == "/"


async def test_it_is_off_unless_the_provider_is_named(site: Site, home: House, tmp_path: Path, fake: Fake) -> None:
    await enter(site, "other")
    go_idle(home)
    assert is_form(await visit(site))
    (tmp_path / "off").mkdir()
    async with house(tmp_path / "off", extensions=extensions(fake)) as plain:
        browser = plain.site()
        answer = await enter(browser)
        assert not any("-provider=" in cookie for cookie in answer.cookies())
        go_idle(plain)
        assert is_form(await visit(browser))


async def test_the_cookie_is_signed_bounded_and_tells_nothing_of_the_person(site: Site, home: House) -> None:
    """S26."""
    answer = await enter(site)
    cookie = next(cookie for cookie in answer.cookies() if "-provider=" in cookie)
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Secure", "Max-Age=2592000", "__Host-"))
    assert "ada" not in cookie
    name = next(name for name in site.jar if name.endswith("-provider"))
    mine = site.jar[name]
    go_idle(home)
    for forged in (mine[:-2], "x" + mine, mine.replace(".", ".x"), "fake", ""):
        site.jar[name] = forged
        assert is_form(await visit(site))
    site.jar[name] = mine
    home.clock.move(timedelta(days=30))
    assert is_form(await visit(site))


async def test_whoever_is_led_on_once_sees_the_form_the_second_time(site: Site, home: House, fake: Fake) -> None:
    await enter(site)
    go_idle(home)
    kept = dict(site.jar)
    assert (await visit(site)).location.startswith(AWAY)
    assert is_form(await visit(site))
    site.jar = kept  # and whoever keeps the cookie gains nothing: the way is used up
    assert is_form(await visit(site))
    assert len(fake.memory.asks) == 2


@pytest.mark.parametrize("query", ["error=access_denied", "error=login_required", "code=bad", ""])
async def test_a_provider_that_brings_nobody_shows_the_form_and_is_not_asked_again(
    site: Site, home: House, query: str
) -> None:
    await enter(site)
    go_idle(home)
    state = state_of((await visit(site, "/sign-in?next=/me")).location)
    answer = await site.get(f"/providers/fake/callback?state={state}&{query}")
    assert (answer.status, answer.location) == (303, "/auth/sign-in?next=%2Fme")
    assert is_form(await visit(site, answer.location))
    assert await who(site) is None


async def test_a_provider_that_does_not_answer_shows_the_form(site: Site, home: House, fake: Fake) -> None:
    await enter(site)
    go_idle(home)
    fake.memory.raises = TooSlow("discovery")
    assert is_form(await visit(site))
    fake.memory.raises = None
    assert is_form(await visit(site))


async def test_a_session_that_is_lost_at_once_leads_nobody_round_and_round(site: Site, home: House) -> None:
    await enter(site)
    session = next(name for name in site.jar if name.endswith("-session"))
    del site.jar[session]
    assert is_form(await visit(site))
    home.clock.move(timedelta(minutes=2))
    await return_(site)
    del site.jar[session]
    assert is_form(await visit(site))


# ---- who else comes ----


async def test_another_person_at_the_provider_is_asked_who_they_are(site: Site, home: House, fake: Fake) -> None:
    """S47, S49: neither signed in as themselves behind the first one's back, nor as the first one, nor registered."""
    await enter(site.browser())
    await enter(site)
    go_idle(home)
    fake.memory.claims = dict(EVE)
    answer = await return_(site, "/sign-in?next=/me")
    assert answer.location == "/auth/sign-in?next=%2Fme"
    assert await who(site) is None
    page = await visit(site, answer.location)
    assert "Somebody else is signed in" in page.text
    async with home.auth.begin() as ctx:
        assert await ctx.accounts.by_email("eve@example.com") is None


async def test_a_person_who_has_an_account_is_not_switched_to_it(site: Site, home: House, fake: Fake) -> None:
    eve = site.browser()
    fake.memory.claims = dict(EVE)
    await enter(eve)
    fake.memory.claims = {"sub": "1", "email": "ada@example.com", "email_verified": True}
    await enter(site)
    go_idle(home)
    fake.memory.claims = dict(EVE)
    assert (await return_(site)).location == "/auth/sign-in"
    assert await who(site) is None


async def test_another_browser_finishes_no_silent_flow(site: Site, home: House) -> None:
    """S49."""
    await enter(site)
    other = site.browser()
    await enter(other)
    go_idle(home)
    state = state_of((await visit(site)).location)
    assert (await come_back(other, state)).status == 400
    assert await who(other) is None
    await come_back(site, state)
    assert await who(site) == "ada@example.com"


async def test_whoever_signed_in_meanwhile_stays_who_they_are(site: Site, home: House) -> None:
    eve = site.browser()
    await sign_up(eve, "eve@example.com")
    await enter(site)
    go_idle(home)
    state = state_of((await visit(site, "/sign-in?next=/me")).location)
    await site.post("/sign-in", email="eve@example.com", password=PASSWORD)
    assert (await come_back(site, state)).location == "/me"
    assert await who(site) == "eve@example.com"


# ---- what is no visit of a person ----


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_dest": "image", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"},
        {"accept": "application/json"},
    ],
)
async def test_only_a_person_who_goes_there_is_led_on(site: Site, home: House, headers: Mapping[str, str]) -> None:
    """S54: what a page embeds, a script asks or a browser asks ahead uses nothing up and begins nothing."""
    await enter(site)
    go_idle(home)
    answer = await visit(site, **headers)
    assert (answer.status, answer.cookies()) == (200, [])
    await return_(site)


async def test_a_browser_that_does_not_say_what_it_asks_for_is_shown_the_form(site: Site, home: House) -> None:
    await enter(site)
    go_idle(home)
    assert is_form(await site.get("/sign-in"))
    assert (await site.send("HEAD", "/sign-in", headers=GO)).status == 200
    assert is_form(await site.send("POST", "/sign-in", form={"email": "x"}, headers=GO)) is False
    await return_(site)


async def test_a_link_in_a_mail_leads_to_a_page_without_a_click(site: Site, home: House) -> None:
    """Another site may send a person to a page of ours: they come in as themselves, or not at all."""
    await enter(site)
    go_idle(home)
    answer = await visit(site, "/sign-in?next=/me", sec_fetch_site="cross-site")
    assert (await come_back(site, state_of(answer.location))).location == "/me"


async def test_a_program_that_wants_a_token_needs_somebody_who_does_something(tmp_path: Path, fake: Fake) -> None:
    app = "com.example.app:/signed-in"
    every = extensions(fake, signs_in_silently=["fake"])
    async with house(tmp_path, extensions=every, app_links=[app]) as home:
        site = home.site()
        await enter(site)
        go_idle(home)
        assert is_form(await visit(site, f"/sign-in?next={app}&code_challenge={'x' * 43}"))


async def test_whoever_has_something_to_read_is_shown_the_form(site: Site, home: House) -> None:
    await enter(site)
    home.clock.move(timedelta(minutes=2))
    await site.post("/sessions/end-others")
    del site.jar[next(name for name in site.jar if name.endswith("-session"))]
    page = await visit(site)
    assert is_form(page)
    assert "signed out" in page.text
    await return_(site)


async def test_no_next_leads_to_another_site(site: Site, home: House) -> None:
    """S55."""
    await enter(site)
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        go_idle(home)
        assert (await return_(site, f"/sign-in?next={evil}")).location == "/"
    go_idle(home)
    state = state_of((await visit(site, "/sign-in?next=https://evil.example/")).location)
    answer = await site.get(f"/providers/fake/callback?state={state}&error=access_denied")
    page = await visit(site, answer.location)
    assert "evil" not in page.text


# ---- what ends it ----


async def test_whoever_signs_out_stays_signed_out(site: Site, home: House) -> None:
    await enter(site)
    await site.post("/sign-out")
    go_idle(home)
    assert is_form(await visit(site))


async def test_whoever_signs_out_after_the_session_is_over_stays_signed_out(site: Site, home: House) -> None:
    await enter(site)
    kept = dict(site.jar)
    go_idle(home)
    await site.post("/sign-out")
    assert is_form(await visit(site))
    site.jar = kept
    assert is_form(await visit(site))


async def test_a_session_that_was_ended_from_elsewhere_does_not_come_back_by_itself(site: Site, home: House) -> None:
    """S31: one session or all others, still alive or over already."""
    lost, phone = site.browser(), site.browser()
    for browser in (site, lost, phone):
        await enter(browser)
        home.clock.move(timedelta(minutes=2))
    sessions = (await site.get("/sessions", headers={"accept": "application/json"})).json["sessions"]
    theirs = [found["id"] for found in sessions if not found["is_current"]]
    await site.post(f"/sessions/{theirs[0]}/end")
    assert [is_form(await visit(browser)) for browser in (lost, phone)].count(True) == 1
    go_idle(home)
    await return_(site)
    home.clock.move(timedelta(minutes=2))
    await site.get((await site.post("/sessions/end-others")).location)
    assert is_form(await visit(lost))
    assert is_form(await visit(phone))
    go_idle(home)
    await return_(site)


async def test_a_browser_that_is_on_its_way_is_called_back(site: Site, home: House) -> None:
    """S31: whoever ends all other sessions ends what is about to become one."""
    lost = site.browser()
    await enter(lost)
    home.clock.move(timedelta(minutes=25))
    await enter(site)
    home.clock.move(timedelta(minutes=10))
    state = state_of((await visit(lost)).location)
    await site.post("/sessions/end-others")
    assert (await come_back(lost, state)).location == "/auth/sign-in"
    assert await who(lost) is None


async def test_of_two_visits_at_once_one_is_led_on(site: Site, home: House) -> None:
    await enter(site)
    go_idle(home)
    answers = await asyncio.gather(*(visit(site) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 303]


async def test_a_changed_account_lets_no_browser_come_back_by_itself(site: Site, home: House) -> None:
    """S18, S45: whatever changes who may come in ends every way, also one that is gone just now."""
    async with home.auth.begin() as ctx:
        assert await ctx.accounts.by_email("ada@example.com") is None
    await enter(site)
    go_idle(home)
    state = state_of((await visit(site)).location)
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        await lock_account(ctx, account.handle, by="administrator")
    assert (await come_back(site, state)).location == "/auth/sign-in"
    assert await who(site) is None


async def test_a_locked_account_is_not_led_on(site: Site, home: House) -> None:
    """S45."""
    await enter(site)
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        await lock_account(ctx, account.handle, by="administrator")
    go_idle(home)
    assert is_form(await visit(site))


async def test_a_stolen_session_does_not_come_back_by_itself(site: Site, home: House) -> None:
    """Neither the owner's browser nor the thief's."""
    await enter(site)
    thief = site.browser()
    thief.jar = dict(site.jar)
    for _ in range(3):  # renewed twice: what the thief holds is two generations old
        home.clock.move(timedelta(minutes=16))
        await who(site)
    assert await who(thief) is None
    home.clock.move(timedelta(minutes=2))
    assert await who(site) is None
    for browser in (site, thief):
        assert is_form(await visit(browser))


async def test_whoever_signs_in_another_way_is_not_led_to_the_provider(site: Site, home: House) -> None:
    await sign_up(site.browser(), "eve@example.com")
    await enter(site)
    go_idle(home)
    await site.post("/sign-in", email="eve@example.com", password=PASSWORD)
    go_idle(home)
    assert is_form(await visit(site))


# ---- what it is worth ----


async def test_it_is_no_fresh_proof(site: Site, home: House) -> None:
    """S30: nobody was asked anything, so it is as old as the last time somebody was."""
    await enter(site)
    for _ in range(2):
        go_idle(home)
        await return_(site)
    session = (await site.get("/session", headers={"accept": "application/json"})).json["session"]
    assert session["proofs"][0]["factor"] == "provider:fake"
    assert session["proofs"][0]["at"] < session["created_at"]
    answer = await site.post("/providers/other")
    assert answer.location.startswith("/auth/prove")


async def test_a_second_factor_stands_before_the_session(tmp_path: Path, fake: Fake) -> None:
    """S32."""
    every = (*extensions(fake, signs_in_silently=["fake"]), CodeFactor())
    async with house(tmp_path, extensions=every) as home:
        site = home.site()
        await enter(site)
        await site.post("/test-code", code="123456")
        go_idle(home)
        assert (await return_(site)).location == "/auth/test-code"
        assert await who(site) is None
        await site.post("/test-code", code="123456")
        assert await who(site) == "ada@example.com"


async def test_whoever_has_a_step_to_take_is_not_led_away_from_it(tmp_path: Path, fake: Fake) -> None:
    every = (*extensions(fake, signs_in_silently=["fake"]), CodeFactor())
    async with house(tmp_path, extensions=every) as home:
        eve, site = home.site(), home.site()
        await sign_up(eve, "eve@example.com")
        await enter(site)
        await site.post("/test-code", code="123456")
        go_idle(home)
        answer = await site.post("/sign-in", email="eve@example.com", password=PASSWORD)
        assert answer.location == "/auth/test-code"
        assert is_form(await visit(site))
        await site.post("/test-code", code="123456")
        assert await who(site) == "eve@example.com"


async def test_a_remembered_browser_comes_back_by_what_remembers_it(tmp_path: Path, fake: Fake) -> None:
    every = (*extensions(fake, signs_in_silently=["fake"]), RememberMe())
    async with house(tmp_path, extensions=every) as home:
        site = home.site()
        await enter(site, remember=True)
        go_idle(home)
        assert (await visit(site, "/sign-in?next=/me")).location == "/me"
        assert len(fake.memory.asks) == 1
        await site.post("/sign-out")
        go_idle(home)
        assert is_form(await visit(site))


async def test_a_device_that_was_forgotten_is_not_signed_in_by_itself(tmp_path: Path, fake: Fake) -> None:
    """S31: neither by its session, which was over already, nor by the provider."""
    every = (*extensions(fake, signs_in_silently=["fake"]), RememberMe())
    async with house(tmp_path, extensions=every) as home:
        site, lost = home.site(), home.site()
        await enter(lost, remember=True)
        go_idle(home)
        await enter(site)
        (device,) = (await site.get("/sessions", headers={"accept": "application/json"})).json["devices"]
        await site.post(device["end_url"].removeprefix("/auth"))
        assert is_form(await visit(lost))
        home.clock.move(timedelta(minutes=2))
        assert is_form(await visit(lost))
        go_idle(home)
        await return_(site)


async def test_a_setting_that_cannot_be_is_refused_at_the_start(tmp_path: Path, fake: Fake) -> None:
    with pytest.raises(Exception, match="no provider is called nobody"):
        async with house(tmp_path, extensions=extensions(fake, signs_in_silently=["nobody"])):
            pass
    with pytest.raises(Exception, match="signs_in_silently is a list of names"):
        async with house(tmp_path, extensions=extensions(fake, signs_in_silently="fake")):
            pass
    with pytest.raises(Exception, match="strict profile: providers: signs_in_silently"):
        async with house(tmp_path, extensions=extensions(fake, signs_in_silently=["fake"]), profile="strict"):
            pass


async def test_a_way_to_one_tenant_leads_nowhere_in_another(tmp_path: Path, fake: Fake) -> None:
    """Their cookies may meet in one browser, where they share a domain."""
    red, blue = (Tenant(name, f"https://{name}.example/auth") for name in ("red", "blue"))
    tenants = TenantsByHost({"red.example": red, "blue.example": blue})
    at_red, at_blue = (
        {"host": f"{tenant.id}.example", "origin": f"https://{tenant.id}.example"} for tenant in (red, blue)
    )
    async with house(tmp_path, extensions=extensions(fake, signs_in_silently=["fake"]), tenant=tenants) as home:
        site = home.site()
        begun = await site.send("POST", "/providers/fake", form={}, headers=at_red)
        await site.get(f"/providers/fake/callback?code=good&state={state_of(begun.location)}", headers=at_red)
        go_idle(home)
        assert is_form(await site.get("/sign-in", headers={**GO, **at_blue}))
        assert (await site.get("/sign-in", headers={**GO, **at_red})).location.startswith(AWAY)
