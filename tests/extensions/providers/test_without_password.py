"""Somebody who has a provider and no password: what the pages ask them, and what they do not."""

from datetime import timedelta

import pytest

from powauth.testing import Site
from tests.extensions.providers.fake import enter, who
from tests.house import House

pytestmark = pytest.mark.anyio


async def test_nobody_is_asked_for_a_password_that_they_do_not_have(site: Site, home: House) -> None:
    await enter(site)
    account = (await site.get("/account")).text
    assert 'name="current_password"' not in account
    assert 'name="new_password"' in account
    assert 'name="password"' not in (await site.get("/prove")).text
    home.clock.move(timedelta(minutes=6))  # what a fresh sign-in stands in for, an old one does not
    changed = await site.post("/account/password", new_password="five plain tin drums")
    assert changed.location.startswith("/auth/prove")


async def test_everything_else_on_the_account_page_is_there_for_them(site: Site, home: House) -> None:
    await enter(site)
    account = (await site.get("/account")).text
    for action in ("email", "password", "close"):
        assert f'action="/auth/account/{action}"' in account
    home.clock.move(timedelta(minutes=6))
    assert (await site.post("/account/close")).location.startswith("/auth/prove")
    assert await who(site) == "ada@example.com"
    await site.post("/sign-out")
    await enter(site)  # a fresh sign-in is the proof
    assert (await site.post("/account/close")).status == 303
    assert await who(site) is None


async def test_somebody_without_a_password_sets_one_and_is_asked_for_it_from_then_on(site: Site) -> None:
    await enter(site)
    await site.post("/account/password", new_password="five plain tin drums")
    assert 'name="current_password"' in (await site.get("/account")).text
    assert 'name="password"' in (await site.get("/prove")).text
    assert (await site.post("/providers/fake/disconnect")).location == "/auth/account"
    await site.post("/sign-out")
    await site.post("/sign-in", email="ada@example.com", password="five plain tin drums")
    assert await who(site) == "ada@example.com"


async def test_where_nothing_can_be_shown_the_page_says_how_one_goes_on(site: Site) -> None:
    await enter(site)
    page = (await site.get("/prove")).text
    assert "please sign out, and in again" in page
    assert "<button" not in page.partition("<main")[2]


async def test_a_problem_of_a_provider_leads_to_the_page_where_it_is_solved(site: Site) -> None:
    nobody = await site.get("/providers/fake/callback?state=unknown&code=good")
    assert (nobody.status, 'href="/auth/sign-in"' in nobody.text) == (400, True)
    await enter(site)
    last = await site.post("/providers/fake/disconnect")
    assert (last.status, 'href="/auth/account"' in last.text) == (409, True)
