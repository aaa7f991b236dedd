"""Six tabs on two processes are one person, on every engine. The twin that gets and then puts makes two of them.

Two shops on one address share nothing but what lasts: engines, pools, stores and connections are their own.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from powauth.accounts import Account, Handle
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.remember_me.families import Families
from powauth.sqlalchemy.accounts import UserAccounts
from powauth.stores import Key
from powauth.testing import Site
from tests.durability.shop import Paused, account_of, extensions, heard, sessions_of, shop
from tests.extensions.remember_me.browser import close, navigate, remembered, send
from tests.house import PASSWORD, House, all_extensions

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
ROUNDS = 5


class Meeting:
    """Where so many meet, once; whoever comes later, or waits in vain, goes on."""

    def __init__(self, parties: int, *, patience: float = 5) -> None:
        self._barrier = asyncio.Barrier(parties)
        self._left = parties
        self._patience = patience

    async def wait(self) -> None:
        if self._left == 0:
            return
        self._left -= 1
        with suppress(TimeoutError, asyncio.BrokenBarrierError):
            async with asyncio.timeout(self._patience):
                await self._barrier.wait()


class Naive(Paused):
    """A store whose compare-and-set compares first, waits, and puts afterwards."""

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: Any) -> bool:
        found = await self.store.get(key)
        if self.before:
            await self.before("replace", key.kind)
        if found is None or found.version != version:
            return False
        await self.store.put(key, value, expires_at=expires_at)
        return True


class Ways:
    """What stands in the way of a store's calls on remembered devices; nothing until a test says so."""

    def __init__(self, naive: type[Paused] = Paused) -> None:
        self.naive = naive
        self.meetings: dict[str, Meeting] = {}

    def wrap(self, store: Any) -> Any:
        return self.naive(store, before=self.before, after=self.after)

    async def before(self, verb: str, kind: str) -> None:
        if verb == "replace" and kind.endswith(":remember") and "replace" in self.meetings:
            await self.meetings["replace"].wait()

    async def after(self, verb: str, kind: str) -> None:
        if verb == "get" and kind.endswith(":remember") and "get" in self.meetings:
            await self.meetings["get"].wait()


@asynccontextmanager
async def two(url: str, ways: Ways, **settings: Any) -> AsyncGenerator[tuple[House, House]]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(shop(url, wrap=ways.wrap, **settings))
        yield first, await stack.enter_async_context(shop(url, wrap=ways.wrap, clock=first.clock, **settings))


async def restored(homes: tuple[House, House], jar: dict[str, str], count: int) -> list[Site]:
    """Send the same cookies from so many tabs at once, to both processes in turn."""
    tabs = [homes[number % 2].site() for number in range(count)]
    for tab in tabs:
        tab.jar = dict(jar)
    answers = await asyncio.gather(*(navigate(tab) for tab in tabs))
    assert [answer.status for answer in answers] == [200] * count
    return tabs


async def signed_up(home: House) -> tuple[Site, Handle]:
    site = home.site()
    assert (await send(site, "/sign-up", email=ADA, password=PASSWORD, remember=True)).status == 303
    account = await account_of(home, ADA)
    assert account
    return site, account.handle


async def test_six_tabs_on_two_processes_are_one_person(database_url: str) -> None:
    ways = Ways()
    async with two(database_url, ways, extensions=extensions(RememberMe())) as homes, asyncio.timeout(120):
        site, handle = await signed_up(homes[0])
        for number in range(1, ROUNDS + 1):
            close(site)
            ways.meetings = {"get": Meeting(6)}  # all have read before one goes on
            tabs = await restored(homes, site.jar, 6)
            assert len({tab.cookie for tab in tabs}) == 1
            assert len({remembered(tab) for tab in tabs}) == 1
            assert len(await sessions_of(homes[0], handle)) == 1 + number
            assert len(await heard(homes[0], "signed_in")) == 1 + number
            site.jar = dict(tabs[0].jar)
            homes[0].clock.move(timedelta(minutes=2))


async def without_lock(self: UserAccounts[Any], handle: Handle) -> Account | None:
    """Look where a lock was asked for, on a connection that is given back: nor does SQLite's one write lock help."""
    found = await self.by_handle(handle)
    await self._transaction.release()
    return found


async def two_tabs_without_the_lock(url: str, ways: Ways) -> tuple[int, int]:
    """Return how many sessions two tabs got, and how many were left in the store."""
    settings = {"extensions": (*all_extensions(), RememberMe())}
    async with two(url, ways, **settings) as homes, asyncio.timeout(60):
        site, handle = await signed_up(homes[0])
        close(site)
        ways.meetings = {"replace": Meeting(2)}
        tabs = await restored(homes, site.jar, 2)
        return len({tab.cookie for tab in tabs}), len(await sessions_of(homes[0], handle)) - 1


async def test_compare_and_set_makes_one_of_them_even_without_the_account_s_lock(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UserAccounts, "lock", without_lock)
    assert await two_tabs_without_the_lock(database_url, Ways()) == (1, 1)


async def test_the_twin_that_gets_and_then_puts_makes_two(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UserAccounts, "lock", without_lock)
    assert await two_tabs_without_the_lock(database_url, Ways(Naive)) == (2, 2)


async def test_ending_a_device_beats_whoever_comes_back_on_it_meanwhile(database_url: str) -> None:
    """The device is ended between the read and the write of a return: neither it nor a session of it remains."""
    ways = Ways()
    async with two(database_url, ways, extensions=extensions(RememberMe())) as homes, asyncio.timeout(60):
        site, handle = await signed_up(homes[0])
        close(site)
        families = Families(homes[1].auth.plan, homes[1].auth.plan.single)
        family = (await families.list(handle))[0]

        class Ends(Meeting):
            async def wait(self) -> None:
                await families.delete(family)

        ways.meetings = {"replace": Ends(1)}
        answer = await navigate(site)
        assert answer.status == 303
        assert (site.cookie, remembered(site)) == (None, None)
        assert len(await sessions_of(homes[0], handle)) == 1  # the one at which the box was ticked
        assert await families.list(handle) == ()
