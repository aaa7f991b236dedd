"""What ends a remembered device, and what ends with it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import Context, Event, Extension, Manifest, MemoryStore, on
from powauth.accounts import Account
from powauth.events import SessionEnded
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.remember_me.families import Families
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.operations import close_account, factor_added, lock_account, unlock_account
from powauth.session import Proof
from powauth.testing import FrozenClock, Site
from tests.extensions.remember_me.browser import close, copied, is_in, navigate, remembered, send, sign_in
from tests.extensions.remember_me.conftest import extensions
from tests.house import PASSWORD, House, house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
NEW_PASSWORD = "five loud red foxes"


async def listed(site: Site) -> Any:
    accept, site.accept = site.accept, "application/json"
    answer = await navigate(site, "/sessions")
    site.accept = accept
    return answer.json


@pytest.fixture
async def laptop(home: House, site: Site) -> Site:
    """Another browser of Ada's, remembered as well."""
    laptop = home.site(client="192.0.2.7")
    await sign_in(laptop, PASSWORD, remember=True)
    return laptop


# ---- signing out ----


async def test_signing_out_forgets_the_device_and_removes_its_cookie(site: Site) -> None:
    thief = copied(site)
    answer = await send(site, "/sign-out")
    assert answer.status == 303
    assert (site.cookie, remembered(site)) == (None, None)
    assert not await is_in(thief)


async def test_signing_out_after_the_session_was_over_forgets_the_device(home: House, site: Site) -> None:
    home.clock.move(timedelta(days=1))
    thief = copied(site)
    await send(site, "/sign-out")
    assert (site.cookie, remembered(site)) == (None, None)
    assert not await is_in(thief)


async def test_signing_out_ends_every_session_of_the_device(home: House, site: Site) -> None:
    first = site.browser()
    first.jar = dict(site.jar)
    close(site)
    assert await is_in(site)
    await send(site, "/sign-out")
    first.jar.pop(home.auth.plan.cookie_name("remember"))
    assert not await is_in(first)


async def test_signing_out_leaves_other_devices(site: Site, laptop: Site) -> None:
    await send(site, "/sign-out")
    close(laptop)
    assert await is_in(laptop)


async def test_ada_is_not_signed_out_by_bob_in_another_browser(home: House, site: Site) -> None:
    bob = home.site()
    await send(bob, "/sign-up", email="bob@example.com", password=PASSWORD, remember=True)
    await send(bob, "/sign-out")
    close(site)
    assert await is_in(site)


# ---- the devices page ----


async def test_the_devices_page_lists_remembered_devices(home: House, site: Site, laptop: Site) -> None:
    home.clock.move(timedelta(hours=2))
    close(site)
    data = await listed(site)
    first, second = data["devices"]
    assert (first["is_current"], second["is_current"]) == (True, False)
    assert first["used_at"] == home.clock.now().isoformat()
    assert second["used_at"] == second["created_at"] == (home.clock.now() - timedelta(hours=2)).isoformat()
    assert second["ends_at"] == (home.clock.now() - timedelta(hours=2) + timedelta(days=30)).isoformat()
    assert (second["device"], second["client"]) == ("Firefox on Linux", "192.0.2.7")
    assert [session["marks"] for session in data["sessions"]] == [["remember_me.made"]]
    page = (await navigate(site, "/sessions")).text
    assert "Remembered devices" in page
    assert '<span class="badge plain">Remembered</span>' in page
    assert page.count("Forget</button>") == 2
    assert f'action="{second["end_url"]}"' in page


async def test_a_device_is_listed_to_its_owner_alone(home: House, site: Site) -> None:
    bob = home.site()
    await send(bob, "/sign-up", email="bob@example.com", password=PASSWORD)
    assert (await listed(bob))["devices"] == []
    url = (await listed(site))["devices"][0]["end_url"]
    assert (await send(bob, url)).status == 404
    close(site)
    assert await is_in(site)


async def test_forgetting_another_device_signs_it_out_at_once(site: Site, laptop: Site) -> None:
    device = (await listed(site))["devices"][1]
    assert (await send(site, device["end_url"])).location == "/auth/sessions"
    assert "That device is forgotten and signed out." in (await navigate(site, "/sessions")).text
    assert not await is_in(laptop)
    close(laptop)
    assert not await is_in(laptop)
    assert await is_in(site)
    assert (await send(site, device["end_url"])).status == 404


async def test_forgetting_this_device_signs_it_out(site: Site) -> None:
    thief = copied(site)
    assert (await send(site, (await listed(site))["devices"][0]["end_url"])).location == "/"
    assert (site.cookie, remembered(site)) == (None, None)
    assert not await is_in(thief)


async def test_a_program_forgets_a_device(home: House, site: Site) -> None:
    program = home.site().program()
    fields = {"email": ADA, "password": PASSWORD, "transport": "bearer"}
    program.bearer = (await program.post("/sign-in", **fields)).json["token"]
    device = (await program.get("/sessions")).json["devices"][0]
    assert (await program.post(device["end_url"])).status == 204
    assert not await is_in(site)


async def test_nobody_forgets_a_device_who_is_signed_out_or_on_another_site(home: House, site: Site) -> None:
    url = (await listed(site))["devices"][0]["end_url"]
    assert (await send(home.site(), url)).status == 401
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert (await site.send("POST", url, form={}, headers=elsewhere)).status == 403
    assert len((await listed(site))["devices"]) == 1


@pytest.mark.parametrize("which", ["the one at which the box was ticked", "one that came back"])
async def test_ending_a_session_of_a_device_in_the_list_forgets_the_device(
    home: House, site: Site, laptop: Site, which: str
) -> None:
    if which == "one that came back":
        home.clock.move(timedelta(hours=2))
        close(laptop)
        assert await is_in(laptop)
        close(site)
    session = next(one for one in (await listed(site))["sessions"] if not one["is_current"])
    assert (await send(site, session["end_url"])).status == 303
    assert not await is_in(laptop)
    close(laptop)
    assert not await is_in(laptop)
    assert remembered(laptop) is None
    assert await is_in(site)


async def test_ending_a_session_that_no_device_made_forgets_none(home: House, site: Site) -> None:
    other = home.site()
    await sign_in(other, PASSWORD)
    session = next(one for one in (await listed(site))["sessions"] if not one["is_current"])
    await send(site, session["end_url"])
    assert not await is_in(other)
    close(site)
    assert await is_in(site)


async def test_signing_out_everywhere_else_forgets_every_other_device_and_keeps_this_one(
    home: House, site: Site, laptop: Site
) -> None:
    home.clock.move(timedelta(hours=2))  # the laptop's session is over: it would come back
    close(site)
    before = await listed(site)
    thief = copied(site)
    assert (await send(site, "/sessions/end-others")).status == 303
    assert not await is_in(laptop)
    assert not await is_in(thief)  # whatever was handed out of this one before is worth nothing
    assert await is_in(site)
    after = await listed(site)
    mine = {key: value for key, value in before["devices"][0].items() if key != "used_at"}
    assert {key: value for key, value in after["devices"][0].items() if key != "used_at"} == mine
    assert len(after["devices"]) == 1
    close(site)
    assert await is_in(site)
    assert site.outbox.kinds() == []


async def test_a_former_session_of_this_device_ends_with_everywhere_else(home: House, site: Site) -> None:
    first = site.browser()
    first.jar = {name: value for name, value in site.jar.items() if name.endswith("-session")}
    close(site)
    assert await is_in(site)
    await send(site, "/sessions/end-others")
    assert not await is_in(first)
    assert await is_in(site)


async def test_signing_out_everywhere_else_without_being_remembered_forgets_all(home: House, site: Site) -> None:
    other = home.site()
    await sign_in(other, PASSWORD)
    await send(other, "/sessions/end-others")
    assert await is_in(other)
    assert not await is_in(site)
    assert (await listed(other))["devices"] == []


# ---- changes of the account ----


async def change_password(ctx: Context, account: Account, site: Site) -> None:
    fields = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await send(site, "/account/password", **fields)).status == 303


async def change_email(ctx: Context, account: Account, site: Site) -> None:
    assert (await send(site, "/account/email", email="new@example.com", current_password=PASSWORD)).status == 303


async def lock(ctx: Context, account: Account, site: Site) -> None:
    await lock_account(ctx, account.handle)


async def lock_and_unlock(ctx: Context, account: Account, site: Site) -> None:
    await lock_account(ctx, account.handle)
    await unlock_account(ctx, account.handle)


async def add_factor(ctx: Context, account: Account, site: Site) -> None:
    await factor_added(ctx, account, Proof(account.handle, account.epoch, "totp", ctx.now))


async def erase(ctx: Context, account: Account, site: Site) -> None:
    await close_account(ctx, account)


Change = Callable[[Context, Account, Site], Awaitable[None]]
CHANGES: list[Change] = [change_password, change_email, lock, lock_and_unlock, add_factor, erase]


async def done(home: House, change: Change, site: Site) -> None:
    by_page = change in {change_password, change_email}
    async with home.auth.begin(writes=not by_page) as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        await ctx.release() if by_page else None
        await change(ctx, account, site)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_of_the_account_forgets_every_device(
    home: House, site: Site, laptop: Site, change: Change
) -> None:
    """S18."""
    thief = copied(site)
    handle = await handle_of(home)
    await done(home, change, site)
    for browser in (laptop, thief):
        close(browser)
        assert not await is_in(browser)
        assert remembered(browser) is None
    close(site)
    assert not await is_in(site)
    assert await Families(home.auth.plan, home.auth.plan.single).list(handle) == ()


async def handle_of(home: House) -> Any:
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        return account.handle


class Clinging(MemoryStore):
    """A store that fails to remove remembered devices: what the commit decided has to do without."""

    async def delete_all(self, kind: str, owner: str, *, keep: Any = ()) -> int:
        return 0 if kind.endswith(":remember") else await super().delete_all(kind, owner, keep=keep)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_device_that_somehow_remained_opens_nothing(tmp_path: Path, change: Change) -> None:
    clock = FrozenClock()
    async with house(tmp_path, extensions=extensions(), clock=clock, store=Clinging(clock)) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        thief = copied(site)
        await done(home, change, site)
        assert not await is_in(thief)
        assert thief.jar == {}
        if change is change_password:  # whoever changed it is not signed out by the thief's attempt
            assert (await listed(site))["devices"] == []


async def test_whoever_changes_the_password_stays_signed_in_and_is_not_remembered(site: Site) -> None:
    await send(site, "/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    assert remembered(site) is None
    assert await is_in(site)
    close(site)
    assert not await is_in(site)


async def test_locking_somebody_leaves_the_administrator_s_own_cookie(home: House, site: Site) -> None:
    admin = home.site()
    await send(admin, "/sign-up", email="root@example.com", password=PASSWORD, remember=True)
    caller = {"remember": str(remembered(admin))}
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        object.__setattr__(ctx, "caller", ctx.caller.__class__(cookies=caller))
        await lock_account(ctx, account.handle)
        assert ctx.cookies == {}
    close(admin)
    assert await is_in(admin)


# ---- told once, and without the devices page ----


class Ear(Extension):
    """Hears what ends."""

    name = "ear"

    def manifest(self) -> Manifest:
        return Manifest(hooks=(on(Event, hear),))


heard: list[Event] = []


async def hear(event: Event, ctx: Context) -> None:
    heard.append(event)


@pytest.mark.parametrize("path", ["/sign-out", "/sessions/end-others", "/account/password", "/sign-in"])
async def test_each_end_is_told_once(tmp_path: Path, path: str) -> None:
    fields = {
        "/account/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        "/sign-in": {"email": ADA, "password": PASSWORD},
    }
    async with house(tmp_path, extensions=extensions(Ear())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        for _ in range(2):
            close(site)
            assert await is_in(site)
        close(site) if path == "/sign-in" else None
        heard.clear()
        answer = await site.post(path, **fields.get(path, {}))
        assert answer.status == 303
        ended = [event.session for event in heard if isinstance(event, SessionEnded)]
        assert len(ended) == len(set(ended)) == {"/sessions/end-others": 2, "/account/password": 2}.get(path, 3)
        forgotten = [type(event).__name__ for event in heard].count("DeviceForgotten")
        assert forgotten == (path != "/sessions/end-others")


async def test_it_works_without_the_devices_page(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(SignUp(), SignIn(), RememberMe())) as home:
        site = home.site()
        await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)
        close(site)
        site.accept = "application/json"
        assert (await navigate(site, "/session")).json["session"]
        assert SessionList not in home.auth.plan.extensions
        await site.send("POST", "/sign-out", json={}, headers={"sec-fetch-site": "same-origin"})
        assert remembered(site) is None
