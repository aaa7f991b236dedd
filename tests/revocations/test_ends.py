"""What was ended stays ended, although the store lost it: it stands in the database as well."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.extensions.remember_me import RememberMe
from powauth.testing import FrozenClock, Site
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, state_of, who
from tests.extensions.providers.test_silent import GO
from tests.house import PASSWORD, House, all_extensions, house, sign_in, sign_up
from tests.revocations.forgetful import ForgetfulStore
from tests.revocations.pages import (
    ADA,
    NEW_PASSWORD,
    as_program,
    browser,
    copied,
    handle_of,
    sign_out,
    status,
)

pytestmark = pytest.mark.anyio


# ---- every end ----


async def end_others(site: Site) -> None:
    other = site.browser()
    await sign_in(other)
    assert (await other.post("/sessions/end-others")).status == 303


async def end_it_from_another(site: Site) -> None:
    other = site.browser()
    await sign_in(other)
    listed = (await as_program(other).get("/sessions")).json["sessions"]
    (mine,) = [session["id"] for session in listed if not session["is_current"]]
    assert (await other.post(f"/sessions/{mine}/end")).status == 303


async def change_password(site: Site) -> None:
    other = site.browser()
    await sign_in(other)
    answer = await other.post("/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    assert answer.status == 303


async def sign_in_anew(site: Site) -> None:
    await site.post("/sign-out")
    await sign_in(site)


async def close(site: Site) -> None:
    assert (await site.post("/account/close", current_password=PASSWORD)).status == 303


ENDS: dict[str, Callable[[Site], Awaitable[None]]] = {
    "sign_out": sign_out,
    "end_others": end_others,
    "end_it_from_another": end_it_from_another,
    "change_password": change_password,
    "sign_in_anew": sign_in_anew,
    "close": close,
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_was_ended_stays_ended_although_the_store_lost_it(
    home: House, store: ForgetfulStore, end: str
) -> None:
    site = browser(home)
    await sign_up(site)
    ended = copied(site)
    fail_over = store.copy()
    await ENDS[end](site)
    fail_over()
    assert await status(ended) == 401
    assert (await as_program(ended).get("/session")).json["session"] is None


@pytest.mark.parametrize("end", ENDS)
async def test_without_the_table_what_was_ended_lives_again(tmp_path: Path, clock: FrozenClock, end: str) -> None:
    """The twin: the same store, and nothing beside it that remembers."""
    store = ForgetfulStore(clock)
    store.may_lose_writes = False
    async with house(tmp_path, store=store, clock=clock) as home:
        site = browser(home)
        await sign_up(site)
        ended = copied(site)
        fail_over = store.copy()
        await ENDS[end](site)
        fail_over()
        assert await status(ended) == 200


async def test_a_session_that_a_thief_was_found_in_stays_ended(
    home: House, store: ForgetfulStore, clock: FrozenClock
) -> None:
    site = browser(home)
    await sign_up(site)
    thief = copied(site)
    clock.move(timedelta(minutes=16))
    await site.get("/session")  # brings the next cookie
    await site.get("/session")  # uses it
    clock.move(timedelta(minutes=2))
    fail_over = store.copy()
    await thief.get("/session")
    fail_over()
    assert await status(site) == 401


async def test_whoever_was_not_signed_out_stays_signed_in(home: House, store: ForgetfulStore) -> None:
    site = browser(home)
    await sign_up(site)
    kept = site.browser()
    await sign_in(kept)
    fail_over = store.copy()
    await sign_out(site)
    fail_over()
    assert await status(kept) == 200
    new = site.browser()
    await sign_in(new)
    assert await status(new) == 200


async def test_the_session_that_changed_a_password_goes_on_after_that(home: House, store: ForgetfulStore) -> None:
    site = browser(home)
    await sign_up(site)
    await site.post("/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    store.copy()()
    assert await status(site) == 200


async def test_what_lives_again_is_neither_listed_nor_left_in_the_store(home: House, store: ForgetfulStore) -> None:
    site = browser(home)
    await sign_up(site)
    kept = site.browser()
    await sign_in(kept)
    ended = copied(site)
    fail_over = store.copy()
    await sign_out(site)
    fail_over()
    assert len((await as_program(kept).get("/sessions")).json["sessions"]) == 1
    await status(ended)
    session = (await home.auth.plan.sessions("").list(await handle_of(home)))[0]
    kind = f"{home.auth.name}::session"
    assert [id for id, _ in await store.list(kind, session.handle)] == [session.id]


@pytest.mark.parametrize("loses", [True, False])
@pytest.mark.parametrize("others", [True, False])
async def test_a_browser_that_was_signed_out_from_elsewhere_does_not_come_back_by_itself(
    clock: FrozenClock, tmp_path: Path, *, others: bool, loses: bool
) -> None:
    """Also long after; without the table it does."""
    store, fake = ForgetfulStore(clock), Fake()
    store.may_lose_writes = loses
    more = extensions(fake, signs_in_silently=["fake"])
    async with house(tmp_path, store=store, clock=clock, extensions=more) as home:
        lost, site = browser(home), browser(home)
        await enter(lost)
        if others:
            clock.move(timedelta(hours=25))
        await enter(site)
        fail_over = store.copy()
        if others:
            await site.post("/sessions/end-others")
        else:
            listed = (await as_program(site).get("/sessions")).json["sessions"]
            (theirs,) = [session["id"] for session in listed if not session["is_current"]]
            await site.post(f"/sessions/{theirs}/end")
        fail_over()
        clock.move(timedelta(days=2))
        await home.auth.purge()
        answer = await lost.get("/sign-in", headers=GO)
        await come_back(lost, state_of(answer.location))
        assert (await who(lost) is None) is loses


async def test_a_device_that_was_forgotten_signs_nobody_in_again(
    store: ForgetfulStore, clock: FrozenClock, tmp_path: Path
) -> None:
    for loses in (True, False):
        store = ForgetfulStore(clock)
        store.may_lose_writes = loses
        folder = tmp_path / str(loses)
        folder.mkdir()
        async with house(folder, store=store, clock=clock, extensions=(*all_extensions(), RememberMe())) as home:
            site = browser(home)
            await sign_up(site)
            await site.post("/sign-out")
            await site.post("/sign-in", email=ADA, password=PASSWORD, remember=True)
            thief = copied(site)
            del thief.jar["__Host-powauth-session"]
            fail_over = store.copy()
            await sign_out(site)
            fail_over()
            thief.headers |= {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
            assert (await status(thief) == 200) is not loses
