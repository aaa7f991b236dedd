"""Holes that were found and closed, each with what it would have opened."""

import asyncio
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import Backoff, ConfigurationError, Extension, Forbidden, TokenKind, lock_account, on, unlock_account
from powauth.context import Context
from powauth.errors import HashingBusy, InvalidToken
from powauth.events import SessionEnded
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.house import PASSWORD, House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await sign_up(site)
    return site


async def test_no_sign_up_makes_the_policy_work_for_long(home: House) -> None:
    """Letters that fold into eighteen made two kilobytes cost eleven seconds of the event loop."""
    wide = "\ufdfa"
    began = time.process_time()
    answer = (
        await home.site()
        .program()
        .post("/sign-up", email=wide * 254, username=wide * 253, password=f"{wide * 127}qzjxkvwpqz{wide * 127}")
    )
    assert answer.status == 422
    assert time.process_time() - began < 5  # a hundred times what it takes, and half of what it took


async def test_a_full_queue_counts_as_nobodys_failure(home: House, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm of sign-ins must not lock people out."""

    async def busy(password: str, hash: str | None, *, client: str) -> None:
        raise HashingBusy

    other = site.browser()
    with monkeypatch.context() as patched:
        patched.setattr(home.auth.plan.hasher, "verify", busy)
        for _ in range(8):
            assert (await other.post("/sign-in", email="ada@example.com", password=PASSWORD)).status == 503
    assert (await other.post("/sign-in", email="ada@example.com", password=PASSWORD)).status == 303


async def test_an_auth_can_be_opened_again(home: House, site: Site) -> None:
    await home.auth.close()
    await home.auth.open()
    answer = await site.browser().post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert answer.status == 303


async def test_an_administrators_lock_is_lifted_by_an_administrator_only(home: House, site: Site) -> None:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        await lock_account(ctx, account.handle)
        locked = await lock_account(ctx, account.handle, by="owner")
        assert locked.locked_by == "administrator"
        with pytest.raises(Forbidden):
            await unlock_account(ctx, account.handle, by="owner")
        assert not (await unlock_account(ctx, account.handle)).is_locked


async def test_a_parked_sign_in_opens_nothing_after_its_owner_changed_the_password(tmp_path: Path) -> None:
    extensions = (*all_extensions(), CodeFactor())
    async with house(tmp_path, extensions=extensions) as home:
        owner = home.site()
        await owner.post("/sign-up", email="ada@example.com", password=PASSWORD)
        await owner.post("/test-code", code="123456")
        thief = home.site()
        await thief.post("/sign-in", email="ada@example.com", password=PASSWORD)
        assert (await thief.get("/test-code")).status == 200
        await owner.post("/account/password", current_password=PASSWORD, new_password="five loud red foxes")
        assert (await thief.get("/test-code")).status == 303
        assert (await thief.post("/test-code", code="123456")).status == 401


async def test_every_session_that_a_change_ends_is_announced(tmp_path: Path) -> None:
    heard: list[str] = []

    async def hear(event: SessionEnded, ctx: Context) -> None:
        heard.append(event.session)

    async with house(tmp_path, hooks=(on(SessionEnded, hear),)) as home:
        site = home.site()
        await sign_up(site)
        for _ in range(2):
            await site.browser().post("/sign-in", email="ada@example.com", password=PASSWORD)
        await site.post("/account/password", current_password=PASSWORD, new_password="five loud red foxes")
        assert len(heard) == 2
        await site.post("/account/close", current_password="five loud red foxes")
        assert len(heard) == 3


async def test_using_one_link_of_a_mail_that_was_sent_twice_uses_up_the_other(home: House, site: Site) -> None:
    kind = TokenKind("link", timedelta(hours=1))
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        one = await ctx.tokens.mint(kind, account, mail="row")
        other = await ctx.tokens.mint(kind, account, mail="row")
        apart = await ctx.tokens.mint(kind, account, mail="another row")
        await ctx.tokens.take(kind, one)
        with pytest.raises(InvalidToken):
            await ctx.tokens.peek(kind, other)
        await ctx.tokens.peek(kind, apart)


async def test_a_clock_that_is_ahead_elsewhere_locks_nobody_out(home: House, site: Site) -> None:
    other = site.browser()
    home.clock.move(timedelta(hours=6))
    for _ in range(6):
        await other.post("/sign-in", email="ada@example.com", password="wrong")
    home.clock.move(timedelta(hours=-6))
    answer = await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert int(answer.header("retry-after") or 0) <= timedelta(minutes=15).total_seconds()


def test_a_backoff_that_contradicts_itself_is_refused() -> None:
    backoff = Backoff(free=0, first=timedelta(hours=1), forget_after=timedelta(0))
    assert len(backoff.problems()) == 3


class One(Extension):
    name = "one"


class Two(Extension):
    name = "two"
    requires = (One,)


class Three(Extension):
    name = "three"
    requires = (Two,)


async def test_extensions_that_require_each_other_in_a_circle_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(One, "requires", (Three,))
    with pytest.raises(ConfigurationError, match="by way of others"):
        async with house(tmp_path, extensions=(One(), Two(), Three())):
            await asyncio.sleep(0)
