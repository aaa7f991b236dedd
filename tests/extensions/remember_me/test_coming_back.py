"""A browser that was closed comes back as the same person, with the old proof, for as long as was promised."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import (
    Auth,
    Context,
    Done,
    Event,
    Extension,
    Get,
    Manifest,
    MemoryStore,
    Outcome,
    Request,
    SessionSettings,
    Tenant,
    on,
)
from powauth.errors import StoreUnavailable
from powauth.events import AuthenticationFailed
from powauth.extensions.lock import Lock
from powauth.extensions.prove import recent
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.remember_me.families import _MOST_TURNS, Families
from powauth.extensions.security_mails import SecurityMails
from powauth.forms import NoForm
from powauth.http import RawRequest
from powauth.operations import guard_account, lock_account
from powauth.stores import Entry, Key
from powauth.testing import FrozenClock, Site
from powauth.testing.factor import CodeFactor
from tests.extensions.remember_me.browser import (
    FETCHES,
    NAVIGATES,
    SENDS,
    close,
    copied,
    is_in,
    name_of,
    navigate,
    remembered,
    send,
)
from tests.extensions.remember_me.conftest import extensions
from tests.house import PASSWORD, SECRET, House, house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


async def open_vault(request: Request[NoForm], ctx: Context) -> Outcome:
    return Done(to="/gold")


class Vault(Extension):
    name = "vault"

    def manifest(self) -> Manifest:
        vault = Get(name="vault", path="/vault", show=open_vault, requires=recent(timedelta(minutes=5)))
        return Manifest(routes=(vault,), messages={"vault.title": "Vault"})


async def sessions(site: Site) -> list[dict[str, Any]]:
    accept, site.accept = site.accept, "application/json"
    listed: list[dict[str, Any]] = (await navigate(site, "/sessions")).json["sessions"]
    site.accept = accept
    return listed


def twin(site: Site) -> Site:
    """Return another tab: the same cookies, sent before an answer brought newer ones."""
    tab = site.browser()
    tab.headers, tab.jar = site.headers, dict(site.jar)
    return tab


# ---- one person ----


async def test_six_tabs_restored_at_once_are_one_person(home: House, site: Site) -> None:
    close(site)
    tabs = [twin(site) for _ in range(6)]
    answers = await asyncio.gather(*(navigate(tab) for tab in tabs))
    assert [answer.status for answer in answers] == [200] * 6
    assert len({tab.cookie for tab in tabs}) == len({remembered(tab) for tab in tabs}) == 1
    made = [session for session in await sessions(tabs[0]) if session["marks"]]
    assert len(made) == 1


@pytest.mark.parametrize("seconds", [0, 1, 59, 60])
async def test_whoever_comes_within_a_minute_gets_the_same_session(home: House, site: Site, seconds: int) -> None:
    close(site)
    late = twin(site)
    assert await is_in(site)
    home.clock.move(timedelta(seconds=seconds))
    assert await is_in(late)
    assert (late.cookie, remembered(late)) == (site.cookie, remembered(site))


async def test_after_a_minute_it_is_nobody(home: House, site: Site) -> None:
    close(site)
    late = twin(site)
    assert await is_in(site)
    home.clock.move(timedelta(seconds=61))
    assert not await is_in(late)


async def test_a_minute_counts_from_when_the_next_one_was_first_handed_out(home: House, site: Site) -> None:
    close(site)
    late, later = twin(site), twin(site)
    assert await is_in(site)
    home.clock.move(timedelta(seconds=50))
    assert await is_in(late)  # handed out a second time
    home.clock.move(timedelta(seconds=11))
    assert not await is_in(later)


async def test_a_session_that_was_proved_meanwhile_is_not_handed_out_to_a_late_tab(home: House, site: Site) -> None:
    close(site)
    late = twin(site)
    assert await is_in(site)
    assert (await send(site, "/prove", password=PASSWORD)).status == 303
    assert not await is_in(late)
    assert await is_in(site)


async def test_the_cookie_is_another_one_after_each_return(home: House, site: Site) -> None:
    seen = {remembered(site)}
    for number in range(2, 5):
        close(site)
        assert await is_in(site)
        home.clock.move(timedelta(hours=1))
        seen.add(remembered(site))
        assert len(seen) == number


# ---- which requests ----


@pytest.mark.parametrize(
    "headers",
    [
        NAVIGATES,
        FETCHES,
        {**NAVIGATES, "sec-fetch-site": "cross-site"},
        {**NAVIGATES, "sec-fetch-site": "same-site"},
        {**FETCHES, "sec-fetch-mode": "same-origin"},
    ],
)
async def test_a_person_who_goes_there_and_a_script_of_the_site_come_back(site: Site, headers: dict[str, str]) -> None:
    close(site)
    assert (await site.get("/account", headers=headers)).status == 200


async def test_a_form_of_the_site_comes_back(site: Site) -> None:
    close(site)
    assert (await send(site, "/prove", password=PASSWORD)).status == 303
    assert site.cookie


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**FETCHES, "sec-fetch-site": "cross-site"},
        {**FETCHES, "sec-fetch-site": "same-site"},
        {**FETCHES, "sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin"},
        {**NAVIGATES, "sec-fetch-dest": "iframe", "sec-fetch-site": "same-origin"},
        {**NAVIGATES, "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
        {**NAVIGATES, "sec-purpose": "prefetch"},
        {**NAVIGATES, "sec-purpose": "prefetch;prerender"},
        {**NAVIGATES, "purpose": "prefetch"},
        {**NAVIGATES, "authorization": "Bearer nonsense"},
    ],
)
async def test_nothing_else_uses_the_cookie(site: Site, headers: dict[str, str]) -> None:
    close(site)
    before = dict(site.jar)
    assert (await site.get("/account", headers=headers)).status in {303, 401}
    assert site.jar == before
    assert await is_in(site)


@pytest.mark.parametrize("path", ["/account/close", "/sign-out"])
async def test_another_site_s_form_uses_nothing(site: Site, path: str) -> None:
    close(site)
    before = dict(site.jar)
    headers = {**SENDS, "sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert (await site.send("POST", path, form={}, headers=headers)).status == 403
    assert site.jar == before
    assert await is_in(site)


async def test_a_websocket_does_not_use_the_cookie(home: House, site: Site) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in site.jar.items() if name == name_of(site))
    raw = RawRequest(method="GET", path="/", headers=(*NAVIGATES.items(), ("cookie", cookie)), client="127.0.0.1")
    assert await home.auth.visit(raw, is_socket=True).session() is None
    assert await home.auth.visit(raw).session() is not None


# ---- the old proof ----


async def test_the_session_says_how_old_its_proof_is(home: House, site: Site) -> None:
    proved_at = (await sessions(site))[0]["created_at"]
    home.clock.move(timedelta(days=3))
    close(site)
    site.accept = "application/json"
    session = (await navigate(site, "/session")).json["session"]
    assert session["proofs"] == [{"factor": "password", "at": proved_at}]
    assert session["created_at"] == home.clock.now().isoformat()


async def test_a_page_that_asks_for_a_recent_proof_asks_again_and_leads_back(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=extensions(Vault())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        assert (await navigate(site, "/vault")).location == "/gold"
        home.clock.move(timedelta(minutes=6))
        close(site)
        assert (await navigate(site, "/vault")).location == "/auth/prove?next=%2Fauth%2Fvault"
        await send(site, "/prove", password=PASSWORD)
        assert (await navigate(site, "/vault")).location == "/gold"


def cookie_of(site: Site) -> str:
    return "; ".join(f"{name}={value}" for name, value in site.jar.items())


async def test_proving_again_is_possible_and_makes_no_other_session_newer(home: House, site: Site) -> None:
    home.clock.move(timedelta(hours=1))
    close(site)
    assert (await send(site, "/prove", password=PASSWORD)).status == 303
    site.accept = "application/json"
    session = (await navigate(site, "/session")).json["session"]
    assert session["proofs"][0]["at"] == home.clock.now().isoformat()
    home.clock.move(timedelta(hours=1))
    close(site)
    session = (await navigate(site, "/session")).json["session"]
    assert session["proofs"][0]["at"] == (home.clock.now() - timedelta(hours=2)).isoformat()


async def test_a_second_factor_is_neither_skipped_nor_lowered(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=extensions(CodeFactor())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        await send(site, "/test-code", code="123456")
        close(site)
        site.accept = "application/json"
        session = (await navigate(site, "/session")).json["session"]
        assert [proof["factor"] for proof in session["proofs"]] == ["password", "test_code"]


async def test_who_was_remembered_with_less_than_is_asked_now_is_nobody_until_it_is_shown(tmp_path: Path) -> None:
    asked: list[str] = []

    class Sometimes(CodeFactor):
        def is_asked(self, email: str | None) -> bool:
            return email in asked

    async with house(tmp_path, extensions=extensions(Sometimes())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        cookie = remembered(site)
        asked.append(ADA)
        close(site)
        assert not await is_in(site)
        assert (site.cookie, remembered(site)) == (None, cookie)
        asked.clear()
        assert await is_in(site)


# ---- how long ----


async def test_a_device_is_forgotten_30_days_after_its_last_real_proof_however_often_it_is_used(
    home: House, site: Site
) -> None:
    ages: list[int] = []
    for _ in range(29):
        home.clock.move(timedelta(days=1))
        close(site)
        answer = await navigate(site)
        assert answer.status == 200
        ages.append(int(re.findall(rf"{name_of(site)}=.*Max-Age=(\d+)", "\n".join(answer.cookies()))[0]))
    assert ages == [day * 86400 for day in range(29, 0, -1)]
    home.clock.move(timedelta(days=1))
    close(site)
    assert not await is_in(site)
    assert remembered(site) is None


async def test_a_session_of_its_last_day_ends_with_it(home: House, site: Site) -> None:
    home.clock.move(timedelta(days=30) - timedelta(minutes=10))
    close(site)
    assert await is_in(site)
    home.clock.move(timedelta(minutes=9))
    assert await is_in(site)
    home.clock.move(timedelta(minutes=1))
    assert not await is_in(site)


async def test_the_last_step_of_a_sign_in_is_its_last_real_proof(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=extensions(CodeFactor())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        home.clock.move(timedelta(minutes=10))
        await send(site, "/test-code", code="123456")
        home.clock.move(timedelta(days=30) - timedelta(minutes=1))
        close(site)
        assert await is_in(site)


async def test_how_long_is_a_setting(tmp_path: Path) -> None:
    settings = (*extensions()[:-1], RememberMe(lifetime=timedelta(days=2)))
    async with house(tmp_path, extensions=settings) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        home.clock.move(timedelta(days=2) - timedelta(seconds=1))
        close(site)
        assert await is_in(site)
        home.clock.move(timedelta(seconds=1))
        close(site)
        assert not await is_in(site)


# ---- forged, another's ----


def changed(secret: str, at: int) -> str:
    return secret[:at] + ("A" if secret[at] != "A" else "B") + secret[at + 1 :]


class Counting(MemoryStore):
    """A store that counts what is read of remembered devices."""

    reads = 0

    async def get(self, key: Key) -> Entry | None:
        self.reads += key.kind.endswith(":remember")
        return await super().get(key)


@pytest.mark.parametrize("at", [0, 5, 30, 45, 60, 90])
async def test_a_forged_cookie_never_reaches_the_store(tmp_path: Path, at: int) -> None:
    clock = FrozenClock()
    store = Counting(clock)
    async with house(tmp_path, extensions=extensions(), clock=clock, store=store) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        store.reads = 0
        close(site)
        site.jar[name_of(site)] = changed(str(remembered(site)), at)
        assert not await is_in(site)
        assert store.reads == 0


@pytest.mark.parametrize("value", ["", "x", "A" * 92, "é", "%00", "null"])
async def test_nonsense_in_the_cookie_is_nobody(site: Site, value: str) -> None:
    close(site)
    site.jar[name_of(site)] = value
    assert not await is_in(site)


@pytest.mark.parametrize("settings", [{"name": "staff"}, {"secret": SECRET[::-1]}])
async def test_another_auth_s_cookie_opens_nothing(tmp_path: Path, settings: dict[str, Any]) -> None:
    clock = FrozenClock()
    store = MemoryStore(clock)
    async with house(tmp_path, extensions=extensions(), store=store, clock=clock) as one:
        site = one.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        given: dict[str, Any] = {
            "secret": SECRET,
            "database": one.auth.database,
            "base_url": one.auth.base_url,
            "extensions": extensions(),
            "store": store,
            "mailer": one.auth.mailer,
            "clock": clock,
            **settings,
        }
        other: Auth[Any] = Auth(**given)
        cookie = f"{other.plan.cookie_name('remember')}={remembered(site)}"
        raw = RawRequest(method="GET", path="/", headers=(*NAVIGATES.items(), ("cookie", cookie)), client="127.0.0.1")
        assert await other.visit(raw).session() is None
        assert await is_in(site)


async def test_another_tenant_s_cookie_opens_nothing(home: House, site: Site) -> None:
    acme = Families(home.auth.plan, Tenant("acme", "https://acme.example"))
    assert acme.read(remembered(site)) is None
    assert Families(home.auth.plan, home.auth.plan.single).read(remembered(site)) is not None


async def test_neither_the_store_nor_a_listing_holds_what_opens_a_device(home: House, site: Site) -> None:
    plan = home.auth.plan
    shown = Families(plan, plan.single).read(remembered(site))
    assert shown is not None
    page = (await navigate(site, "/sessions")).text
    assert shown.id not in page
    assert shown.handle not in page
    assert shown.id not in repr(shown)
    family = await Families(plan, plan.single).get(shown.handle, shown.id)
    assert family is not None
    assert family.id not in repr(family)


# ---- what stands against it ----


async def test_a_locked_account_comes_back_nowhere_and_the_cookie_goes(home: House, site: Site) -> None:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        await lock_account(ctx, account.handle)
    close(site)
    assert not await is_in(site)
    assert remembered(site) is None


async def test_a_guarded_account_is_come_back_to_by_browsers_that_it_knows(tmp_path: Path) -> None:
    failed: list[Event] = []

    async def hear(event: AuthenticationFailed, ctx: Context) -> None:
        failed.append(event)

    async with house(tmp_path, extensions=extensions(), hooks=(on(AuthenticationFailed, hear),)) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email(ADA)
            assert account
            await guard_account(ctx, account.handle)
        stranger = copied(site)
        for _ in range(3):
            assert not await is_in(stranger)
        assert failed == []  # a browser that comes back by itself guesses nothing
        close(site)
        assert await is_in(site)


class Broken(MemoryStore):
    """A store that can be out of reach."""

    is_down = False

    async def get(self, key: Key) -> Entry | None:
        if self.is_down and key.kind.endswith(":remember"):
            raise StoreUnavailable
        return await super().get(key)


async def test_while_the_store_is_silent_nobody_is_told_that_they_are_nobody(tmp_path: Path) -> None:
    clock = FrozenClock()
    store = Broken(clock)
    async with house(tmp_path, extensions=extensions(), clock=clock, store=store) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        close(site)
        cookie = remembered(site)
        store.is_down = True
        answer = await navigate(site)
        assert (answer.status, bool(answer.header("retry-after"))) == (503, True)
        assert remembered(site) == cookie
        store.is_down = False
        assert await is_in(site)


async def test_a_cookie_that_stands_for_nothing_any_more_goes(home: House, site: Site) -> None:
    kept = dict(site.jar)
    await send(site, "/sign-out")
    site.jar = kept
    close(site)
    assert not await is_in(site)
    assert remembered(site) is None


async def test_an_answer_that_comes_after_a_minute_brings_no_cookies(home: House, site: Site) -> None:
    headers = (*NAVIGATES.items(), ("cookie", cookie_of(site)))
    close(site)
    headers = (*NAVIGATES.items(), ("cookie", cookie_of(site)))
    for seconds, expected in ((60, 3), (61, 0)):
        visit = home.auth.visit(RawRequest(method="GET", path="/", headers=headers, client="127.0.0.1"))
        assert await visit.session()
        home.clock.move(timedelta(seconds=seconds))
        assert sum(name == "set-cookie" for name, _ in visit.headers()) == expected
        headers = (*NAVIGATES.items(), ("cookie", f"{name_of(site)}={newest(home, site, visit)}"))


def newest(home: House, site: Site, visit: Any) -> str:
    return str(visit._returned[1]["remember"].value)


async def test_turning_ever_so_often_within_a_minute_accuses_nobody(home: House, site: Site) -> None:
    first = twin(site)
    close(first)
    for _ in range(_MOST_TURNS + 2):
        close(site)
        assert await is_in(site)
    assert not await is_in(first)
    assert len(site.outbox) == 0
    assert await is_in(site)


async def test_a_store_that_lost_a_write_serves_what_was_handed_out(home: House, site: Site) -> None:
    families = Families(home.auth.plan, home.auth.plan.single)
    shown = families.read(remembered(site))
    assert shown
    before = await families.get(shown.handle, shown.id)
    assert before
    for _ in range(3):
        close(site)
        assert await is_in(site)
    await families.put(before)  # the replica that took over had only this
    home.clock.move(timedelta(hours=1))
    close(site)
    assert await is_in(site)
    close(site)
    assert await is_in(site)
    assert len(site.outbox) == 0


async def test_coming_back_is_no_new_device(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=extensions(Lock(), SecurityMails())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        site.outbox.clear()
        home.clock.move(timedelta(days=1))
        close(site)
        assert await is_in(site)
        await site.deliver()
        assert site.outbox.kinds() == []


async def test_sessions_that_it_made_count_as_every_session_does(tmp_path: Path) -> None:
    few = SessionSettings(most_per_account=2)
    async with house(tmp_path, extensions=extensions(), sessions=few) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        for _ in range(4):
            home.clock.move(timedelta(minutes=2))
            close(site)
            assert await is_in(site)
        assert len(await sessions(site)) == 2


def test_it_may_stand_anywhere_in_the_list() -> None:
    assert RememberMe.after == ()
    assert isinstance(RememberMe(), Extension)
