"""Two at once, on real engines: one account for one identity, and never no way in."""

import asyncio
from pathlib import Path

import pytest

from powauth.extensions.providers import IdentityRecord
from powauth.testing import Site
from tests.extensions.invitation.rooms import handed_over, inside, room
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.house import House, house

pytestmark = pytest.mark.anyio


async def rows(home: House) -> int:
    async with home.auth.begin(writes=False) as ctx:
        return len(await ctx.records(IdentityRecord).find())


async def test_two_call_backs_of_one_new_identity_make_one_account(database_url: str, tmp_path: Path) -> None:
    """S17."""
    fake = Fake()
    async with house(tmp_path, url=database_url, extensions=extensions(fake)) as home, asyncio.timeout(60):
        browsers = [home.site() for _ in range(4)]
        states = [await set_out(browser) for browser in browsers]
        answers = await asyncio.gather(
            *(come_back(browser, state) for browser, state in zip(browsers, states, strict=True))
        )
        assert [answer.status for answer in answers] == [303] * 4, [answer.text for answer in answers]
        assert [await who(browser) for browser in browsers] == ["ada@example.com"] * 4
        assert await rows(home) == 1


async def test_one_call_back_sent_twice_at_once_is_one_sign_in(database_url: str, tmp_path: Path) -> None:
    """S17, S49."""
    fake = Fake()
    async with house(tmp_path, url=database_url, extensions=extensions(fake)) as home, asyncio.timeout(60):
        site = home.site()
        state = await set_out(site)
        answers = await asyncio.gather(*(come_back(site, state) for _ in range(4)))
        assert sorted(answer.status for answer in answers) == [303, 400, 400, 400]
        assert fake.memory.completed == 1


async def test_two_requests_at_once_leave_a_way_in(database_url: str, tmp_path: Path) -> None:
    """S51."""
    fake, other = Fake(), Fake(name="other", issuer="https://other.example")
    async with house(tmp_path, url=database_url, extensions=extensions(fake, other)) as home, asyncio.timeout(60):
        site = home.site()
        await enter(site)
        await enter(site, "other")
        assert await rows(home) == 2
        await asyncio.gather(*(disconnect(site, name) for name in ("fake", "other")))
        assert await rows(home) == 1


async def disconnect(site: Site, name: str) -> int:
    """Send it from a copy of the browser: the answers of both would else mix their cookies."""
    twin = site.browser()
    twin.jar = dict(site.jar)
    return (await twin.post(f"/providers/{name}/disconnect")).status


async def test_an_invitation_that_is_accepted_with_a_provider_is_accepted(tmp_path: Path) -> None:
    """S67."""
    fake = Fake()
    async with room(tmp_path, whole=False, more=extensions(fake)[-1:]) as place:
        ada = await inside(place)
        link = await handed_over(ada)
        fake.memory.claims |= {"sub": "2", "email": "bob@example.com"}
        bob = place.site()
        assert 'formaction="/auth/providers/fake"' in (await bob.get(link)).text
        await enter(bob)
        assert await who(bob) == "bob@example.com"
        assert (await place.site().get(link)).status == 400
        assert [row.accepted_at is not None for row in await place.invitations()] == [True]
