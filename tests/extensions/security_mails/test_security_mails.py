"""Owners are told what happened to their accounts."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.extensions.security_mails import SecurityMails
from powauth.testing import Site
from tests.house import PASSWORD, House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(*all_extensions(), SecurityMails())) as opened:
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
