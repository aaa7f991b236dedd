"""Two processes at once, on every engine: one account for one identity, and always a way in. Each has a failing twin.

Two houses on one address share nothing but what lasts: engines, pools and connections are their own.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from powauth import MemoryStore
from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.extensions.providers import IdentityRecord, identities, operations
from powauth.oauth import Identity
from powauth.operations import Changed, lock_unchanged
from powauth.records import new_id
from powauth.testing import FrozenClock, Site
from tests.durability.test_races import Meeting
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.house import House, house

pytestmark = pytest.mark.anyio

Two = tuple[House, House]


@asynccontextmanager
async def two(folder: Path, url: str, *providers: Fake) -> AsyncGenerator[Two]:
    clock = FrozenClock()
    shared: dict[str, Any] = {"store": MemoryStore(clock), "clock": clock, "extensions": extensions(*providers)}
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        first = await stack.enter_async_context(house(folder, url=url, **shared))
        yield first, await stack.enter_async_context(house(folder, url=url, **shared))


async def accounts(home: House) -> int:
    async with home.engine.connect() as db:
        return int((await db.execute(text("SELECT count(*) FROM users"))).scalar_one())


async def rows(home: House) -> list[str]:
    async with home.auth.begin(writes=False) as ctx:
        return sorted(row.provider for row in await ctx.records(IdentityRecord).find())


# ---- two call-backs of one identity that is new ----


@pytest.fixture
def other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call-back tells another address: it is not the address that keeps one identity from becoming two people."""
    numbers = count()
    monkeypatch.setattr(operations, "said_email", lambda _: f"ada{next(numbers)}@example.com")


async def call_backs(homes: Two) -> list[Site]:
    sites = [home.site() for home in homes]
    states = [await set_out(site) for site in sites]
    answers = await asyncio.gather(*(come_back(*each) for each in zip(sites, states, strict=True)))
    assert [answer.location for answer in answers] == ["/"] * 2
    return sites


@pytest.mark.usefixtures("other_addresses")
async def test_two_call_backs_of_one_new_identity_are_one_person(
    database_url: str, tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S17, S47: neither finds it before both have looked."""
    meeting, add = Meeting(patience=0.5), identities.add

    async def meet_and_add(ctx: Context, handle: Handle, identity: Identity) -> IdentityRecord:
        await meeting.wait()
        return await add(ctx, handle, identity)

    monkeypatch.setattr(identities, "add", meet_and_add)
    async with two(tmp_path, database_url, fake) as homes:
        one, other = await call_backs(homes)
        assert await who(one) == await who(other)
        assert (await accounts(homes[0]), await rows(homes[0])) == (1, ["fake"])


@pytest.mark.usefixtures("other_addresses")
async def test_the_twin_that_looks_and_then_adds_makes_two_of_one_person(
    database_url: str, tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, key_of = Meeting(), identities.key_of

    async def look_and_add(ctx: Context, handle: Handle, identity: Identity) -> IdentityRecord:
        assert await identities.find(ctx, identity) is None
        await ctx.release()  # nor does SQLite's one write lock help
        await meeting.wait()
        monkeypatch.setattr(identities, "key_of", lambda _: new_id())
        return await add(ctx, handle, identity)

    add = identities.add
    monkeypatch.setattr(identities, "add", look_and_add)
    async with two(tmp_path, database_url, fake) as homes:
        one, other = await call_backs(homes)
        monkeypatch.setattr(identities, "key_of", key_of)
        assert await who(one) != await who(other)
        assert (await accounts(homes[0]), await rows(homes[0])) == (2, ["fake", "fake"])


# ---- two disconnects of the last two ways in (S51) ----


async def disconnects(homes: Two, jar: dict[str, str]) -> list[int]:
    """Send both from copies of one browser."""
    sites = [home.site() for home in homes]
    for site in sites:
        site.jar = dict(jar)
    names = ("fake", "other")
    sent = (site.post(f"/providers/{name}/disconnect") for site, name in zip(sites, names, strict=True))
    return sorted(answer.status for answer in await asyncio.gather(*sent))


async def connected(home: House) -> Site:
    """Return the browser of somebody who has two providers and no password."""
    site = home.site()
    await enter(site)
    await enter(site, "other")
    assert await rows(home) == ["fake", "other"]
    return site


async def test_two_disconnects_at_once_leave_a_way_in(
    database_url: str, tmp_path: Path, fake: Fake, other: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S51, S17: both have been let in before one locks."""
    meeting = Meeting(patience=0.5)

    async def meet_and_lock(ctx: Context, account: Account) -> Account:
        await meeting.wait()
        return await lock_unchanged(ctx, account)

    async with two(tmp_path, database_url, fake, other) as homes:
        site = await connected(homes[0])
        monkeypatch.setattr(operations, "lock_unchanged", meet_and_lock)
        first, second = await disconnects(homes, site.jar)
        assert first == 303
        assert second in {401, 409}  # the other one ended that session, or left the last way in
        (left,) = await rows(homes[0])
        stranger = homes[1].site()
        await enter(stranger, left)
        assert await who(stranger) == "ada@example.com"


async def test_the_twin_that_counts_and_then_deletes_locks_its_owner_out(
    database_url: str, tmp_path: Path, fake: Fake, other: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, remaining = Meeting(), operations._remaining

    async def look(_: Context, account: Account) -> Account:
        return account

    async def count_and_wait(ctx: Context, *values: Any) -> set[str]:
        found = await remaining(ctx, *values)
        await ctx.release()
        await meeting.wait()
        return found

    async def unlocked(_: Context, account: Account, *__: object) -> Changed:
        return Changed(account)

    async with two(tmp_path, database_url, fake, other) as homes:
        site = await connected(homes[0])
        monkeypatch.setattr(operations, "lock_unchanged", look)
        monkeypatch.setattr(operations, "_remaining", count_and_wait)
        monkeypatch.setattr(operations, "change_credential", unlocked)
        assert await disconnects(homes, site.jar) == [303, 303]
        assert await rows(homes[0]) == []
