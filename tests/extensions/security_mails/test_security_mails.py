"""Owners are told what happened to their accounts."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.extensions.lock import Lock
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.security_mails import SecurityMails
from powauth.testing import Site
from tests.house import PASSWORD, House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(*all_extensions(), Lock(), ResetPassword(), SecurityMails())) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await sign_up(site)
    site.outbox.clear()
    return site


async def test_a_changed_password_is_told_with_time_device_and_address(site: Site) -> None:
    await site.post("/account/password", current_password=PASSWORD, new_password="five loud red foxes")
    assert site.outbox.kinds() == ["security_mails.password_changed"]
    assert "Device: Firefox on Linux" in site.mail.text
    assert "127.0.0.1" in site.mail.text


async def test_a_changed_address_is_told_to_the_former_mailbox(site: Site) -> None:
    await site.post("/account/email", email="new@example.com", current_password=PASSWORD)
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("security_mails.email_changed", "ada@example.com")]


async def test_a_browser_that_was_never_seen_is_told_once(home: House, site: Site) -> None:
    home.clock.move(timedelta(minutes=6))
    other = site.browser()
    await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert site.outbox.kinds() == ["security_mails.new_device"]
    await other.post("/sign-out")
    await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert len(site.outbox) == 1


async def test_a_stolen_cookie_is_told(home: House, site: Site) -> None:
    thief = site.browser()
    thief.jar = dict(site.jar)
    home.clock.move(timedelta(minutes=16))
    await site.get("/account")
    await site.get("/account")
    home.clock.move(timedelta(minutes=2))
    assert (await thief.get("/account")).status == 303
    await site.deliver()
    assert site.outbox.kinds() == ["security_mails.stolen"]


async def test_a_closed_account_is_told_although_it_is_gone(site: Site) -> None:
    await site.post("/account/close", current_password=PASSWORD)
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("security_mails.closed", "ada@example.com")]


# ---- the link ----

OTHER = "five loud red foxes"


async def test_the_link_locks_the_account_down_and_the_mailbox_opens_it_again(site: Site) -> None:
    thief = site.browser()
    thief.jar = dict(site.jar)
    await thief.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    link = site.outbox.link
    owner = site.browser()
    assert (await owner.get(link)).status == 200  # S20: looking changes nothing
    assert (await thief.get("/account")).status == 200
    assert (await owner.post(link)).location == "/auth/sign-in"
    assert owner.cookie is None
    assert (await thief.get("/account")).status == 303
    assert (await thief.post("/sign-in", email="ada@example.com", password=OTHER)).status == 401
    assert site.mail.kind == "lock.locked_down"
    assert (await owner.post(site.outbox.link)).location == "/auth/reset-password"
    assert (await thief.post("/sign-in", email="ada@example.com", password=OTHER)).status == 401
    await owner.post("/reset-password", email="ada@example.com")
    await owner.post(site.outbox.link, password="six calm blue whales")
    assert (await owner.post("/sign-in", email="ada@example.com", password="six calm blue whales")).status == 303


async def test_an_older_link_works_after_whatever_somebody_changed_since(site: Site) -> None:
    await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    link = site.outbox.link
    await site.post("/account/password", current_password=OTHER, new_password=PASSWORD)
    await site.post("/account/email", email="eve@example.com", current_password=PASSWORD)
    assert (await site.browser().post(link)).status == 303
    assert (await site.get("/account")).status == 303


async def test_a_changed_address_is_put_back_from_the_former_mailbox(site: Site) -> None:
    await site.post("/account/email", email="eve@example.com", current_password=PASSWORD)
    link = site.outbox.link
    await site.post("/account/email", email="mallory@example.com", current_password=PASSWORD)
    theirs = site.outbox.link
    owner = site.browser()
    assert (await owner.post(link)).status == 303
    assert (site.mail.kind, site.mail.to) == ("reset_password.link", "ada@example.com")
    assert (await owner.post(theirs)).status == 400
    await owner.post(site.outbox.link, password=OTHER)
    assert (await owner.post("/sign-in", email="ada@example.com", password=OTHER)).status == 303


async def test_a_link_works_once_and_for_a_while(home: House, site: Site) -> None:
    await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    link = site.outbox.link
    assert [(await site.browser().post(link)).status for _ in range(2)] == [303, 400]
    await site.post("/sign-up", email="bob@example.com", password=PASSWORD)
    await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    link = site.outbox.link
    home.clock.move(timedelta(days=7))
    assert (await site.browser().post(link)).status == 400


async def test_without_reset_password_the_password_is_kept(tmp_path: Path) -> None:
    """Nothing may shut its owner out for ever."""
    async with house(tmp_path, extensions=(*all_extensions(), Lock(), SecurityMails())) as home:
        site = home.site()
        await sign_up(site)
        await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
        owner = site.browser()
        await owner.post(site.outbox.link)
        assert (await owner.post("/sign-in", email="ada@example.com", password=OTHER)).status == 401
        await owner.post(site.outbox.link)
        assert (await owner.post("/sign-in", email="ada@example.com", password=OTHER)).status == 303


@pytest.mark.parametrize("by", ["form", "reset", "address"])
async def test_every_changed_credential_is_told_with_a_link_that_takes_it_back(site: Site, by: str) -> None:
    """S40: at the address that the account had before."""
    if by == "form":
        await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    elif by == "reset":
        await site.post("/reset-password", email="ada@example.com")
        await site.post(site.outbox.link, password=OTHER)
    else:
        await site.post("/account/email", email="eve@example.com", current_password=PASSWORD)
    told = site.mail
    assert (told.kind.partition(".")[0], told.to) == ("security_mails", "ada@example.com")
    assert (await site.browser().post(told.parts["url"])).status == 303
    assert (await site.get("/account")).status == 303
