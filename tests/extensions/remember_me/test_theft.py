"""Two that hold one cookie are found, and no browser is accused that only was slow."""

from datetime import timedelta
from pathlib import Path

import pytest

from powauth import Context, Event, Extension, Manifest, on
from powauth.events import SessionEnded
from powauth.extensions.lock import Lock
from powauth.extensions.remember_me import DeviceForgotten, DeviceStolen
from powauth.extensions.security_mails import SecurityMails
from powauth.testing import Site
from tests.extensions.remember_me.browser import close, copied, is_in, navigate, remembered, send, sign_in
from tests.extensions.remember_me.conftest import extensions
from tests.house import PASSWORD, House, house

pytestmark = pytest.mark.anyio

LATER = timedelta(minutes=2)


async def opened(site: Site) -> None:
    close(site)
    assert await is_in(site)


async def test_a_copied_cookie_is_found_when_its_thief_comes_after_the_owner(home: House, site: Site) -> None:
    thief = copied(site)
    await opened(site)
    await opened(site)
    home.clock.move(LATER)
    assert not await is_in(thief)
    assert thief.jar == {}
    assert site.outbox.kinds() == ["remember_me.stolen"]
    assert not await is_in(site)  # its session ended, too
    assert remembered(site) is None
    assert not await is_in(thief)
    assert len(site.outbox) == 1


async def test_a_copied_cookie_is_found_when_its_owner_comes_after_the_thief(home: House, site: Site) -> None:
    thief = copied(site)
    await opened(thief)
    home.clock.move(LATER)
    await opened(thief)
    home.clock.move(LATER)
    close(site)
    assert not await is_in(site)
    assert site.outbox.kinds() == ["remember_me.stolen"]
    assert not await is_in(thief)
    assert thief.cookie is None or not await is_in(thief)


async def test_the_mail_says_whose_device_when_and_from_where(home: House, site: Site) -> None:
    thief = copied(site)
    await opened(site)
    await opened(site)
    home.clock.move(LATER)
    await navigate(thief)
    assert site.mail.to == "ada@example.com"
    assert "on a device: Firefox on Linux" in site.mail.text
    assert "Device: Chrome on Windows" in site.mail.text
    assert "203.0.113.9" in site.mail.text
    assert "{" not in site.mail.subject + site.mail.text


async def test_sessions_that_the_device_did_not_make_go_on(home: House, site: Site) -> None:
    other = home.site()
    await sign_in(other, PASSWORD)
    thief = copied(site)
    await opened(site)
    await opened(site)
    home.clock.move(LATER)
    assert not await is_in(thief)
    assert await is_in(other)


async def test_where_the_next_one_was_not_used_the_device_is_forgotten_without_alarm(home: House, site: Site) -> None:
    slow = copied(site)
    await opened(site)
    home.clock.move(LATER)
    assert not await is_in(slow)
    assert slow.jar == {}
    assert site.outbox.kinds() == []
    assert not await is_in(site)  # a thief who used it first does not stay
    assert remembered(site) is None


@pytest.mark.parametrize(("seconds", "is_theft"), [(0, False), (60, False), (61, True)])
async def test_a_slow_request_is_no_theft_although_its_successor_was_used_already(
    home: House, site: Site, seconds: int, *, is_theft: bool
) -> None:
    slow = copied(site)
    await opened(site)
    await opened(site)
    home.clock.move(timedelta(seconds=seconds))
    assert await is_in(slow) is not is_theft
    assert (len(site.outbox) > 0) is is_theft
    assert await is_in(site) is not is_theft


async def test_a_minute_counts_for_each_generation_of_its_own(home: House, site: Site) -> None:
    slow = copied(site)
    await opened(site)
    home.clock.move(timedelta(seconds=40))
    await opened(site)
    home.clock.move(timedelta(seconds=21))  # 61 after the first turn, 21 after the second
    assert not await is_in(slow)
    assert site.outbox.kinds() == ["remember_me.stolen"]


async def test_an_old_cookie_of_a_device_that_is_forgotten_alarms_nobody(home: House, site: Site) -> None:
    thief = copied(site)
    await opened(site)
    await opened(site)
    await send(site, "/sign-out")
    home.clock.move(LATER)
    assert not await is_in(thief)
    assert site.outbox.kinds() == []


async def test_after_a_change_of_password_an_old_cookie_alarms_nobody(home: House, site: Site) -> None:
    thief = copied(site)
    await opened(site)
    await opened(site)
    await send(site, "/account/password", current_password=PASSWORD, new_password="five loud red foxes")
    site.outbox.clear()
    home.clock.move(LATER)
    assert not await is_in(thief)
    assert site.outbox.kinds() == []


async def test_a_thief_of_the_session_s_cookie_does_not_come_back_by_the_device_s(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=extensions(Lock(), SecurityMails())) as home:
        site = home.site()
        await send(site, "/sign-up", email="ada@example.com", password=PASSWORD, remember=True)
        await opened(site)
        thief = site.browser()
        thief.jar = dict(site.jar)
        home.clock.move(timedelta(minutes=16))
        assert await is_in(site)
        assert await is_in(site)
        site.outbox.clear()
        home.clock.move(LATER)
        assert not await is_in(thief)
        assert not await is_in(thief)
        assert not await is_in(site)
        assert remembered(site) is None
        assert site.outbox.kinds() == ["security_mails.stolen"]


async def test_what_happens_is_announced_once(tmp_path: Path) -> None:
    heard: list[Event] = []

    async def hear(event: Event, ctx: Context) -> None:
        heard.append(event)

    class Ear(Extension):
        name = "ear"

        def manifest(self) -> Manifest:
            return Manifest(hooks=(on(Event, hear),))

    async with house(tmp_path, extensions=extensions(Ear())) as home:
        site = home.site()
        await send(site, "/sign-up", email="ada@example.com", password=PASSWORD, remember=True)
        thief = copied(site)
        await opened(site)
        await opened(site)
        home.clock.move(LATER)
        heard.clear()
        assert not await is_in(thief)
        names = [type(event).__name__ for event in heard]
        assert names == ["DeviceStolen", "SessionEnded", "SessionEnded", "SessionEnded", "DeviceForgotten"]
        stolen, forgotten = heard[0], heard[-1]
        assert isinstance(stolen, DeviceStolen)
        assert isinstance(forgotten, DeviceForgotten)
        assert stolen.device == forgotten.device
        assert len({event.session for event in heard if isinstance(event, SessionEnded)}) == 3
