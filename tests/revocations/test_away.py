"""The store is away, or the database, or both: accounts are locked and closed, and nobody is let in."""

from datetime import timedelta
from pathlib import Path

import pytest

from powauth import StoreUnavailable
from powauth import revocations as revocations_module
from powauth.operations import change_password, close_account, lock_account
from powauth.sqlalchemy import writers
from powauth.testing import FrozenClock
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter
from tests.house import House, all_extensions, house, sign_in, sign_up, whole_house
from tests.revocations.forgetful import ForgetfulStore
from tests.revocations.pages import (
    ADA,
    KNOWN_WITHIN,
    NEW_PASSWORD,
    browser,
    handle_of,
    status,
    without_table,
)

pytestmark = pytest.mark.anyio


async def test_an_account_is_locked_although_the_store_does_not_answer(
    store: ForgetfulStore, clock: FrozenClock, tmp_path: Path
) -> None:
    async with house(tmp_path, store=store, clock=clock, extensions=whole_house()) as home:
        site = browser(home)
        await sign_up(site)
        await site.post(site.outbox.link)
        await sign_in(site)
        store.is_away = True
        async with home.auth.begin() as ctx:
            locked = await lock_account(ctx, await handle_of(home))
        assert locked.is_locked
        assert await status(site) == 503
        store.is_away = False
        assert await status(site) == 401


async def test_an_account_that_browsers_come_back_to_by_themselves_is_locked_all_the_same(
    store: ForgetfulStore, clock: FrozenClock, tmp_path: Path
) -> None:
    more = extensions(Fake(), signs_in_silently=["fake"])
    async with house(tmp_path, store=store, clock=clock, extensions=more) as home:
        site = browser(home)
        await enter(site)
        store.is_away = True
        async with home.auth.begin() as ctx:
            locked = await lock_account(ctx, await handle_of(home))
        assert locked.is_locked
        store.is_away = False
        assert await status(site) == 401


@pytest.mark.parametrize("keeps", ["for a while", ""])
async def test_an_account_is_closed_although_the_store_does_not_answer(
    store: ForgetfulStore, clock: FrozenClock, tmp_path: Path, keeps: str
) -> None:
    extensions = whole_house() if keeps else all_extensions()
    async with house(tmp_path, store=store, clock=clock, extensions=extensions) as home:
        site = browser(home)
        await sign_up(site)
        if keeps:
            await site.post(site.outbox.link)
            await sign_in(site)
        store.is_away = True
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email(ADA)
            assert account
            await close_account(ctx, account)
        store.is_away = False
        assert await status(site) == 401


async def test_a_password_is_not_changed_while_the_store_does_not_answer(home: House, store: ForgetfulStore) -> None:
    site = browser(home)
    await sign_up(site)
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
    store.is_away = True
    with pytest.raises(StoreUnavailable):
        async with home.auth.begin() as ctx:
            await change_password(ctx, account, NEW_PASSWORD)
    store.is_away = False
    assert await status(site) == 200


async def test_without_a_table_no_account_is_locked_while_the_store_does_not_answer(
    clock: FrozenClock, tmp_path: Path
) -> None:
    store = ForgetfulStore(clock)
    store.may_lose_writes = False
    async with house(tmp_path, store=store, clock=clock) as home:
        site = browser(home)
        await sign_up(site)
        handle = await handle_of(home)
        store.is_away = True
        with pytest.raises(StoreUnavailable):
            async with home.auth.begin() as ctx:
                await lock_account(ctx, handle)
        store.is_away = False
        assert await status(site) == 200


async def test_without_the_database_pages_go_on_for_a_while_and_are_then_503(
    home: House, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE", 0.02)
    monkeypatch.setattr(revocations_module, "PAUSE", 0.0)
    site = browser(home)
    await sign_up(site)
    await status(site)
    with without_table(tmp_path):
        clock.move(KNOWN_WITHIN - timedelta(seconds=1))
        assert await status(site) == 200
        clock.move(timedelta(seconds=1))
        assert await status(site) == 503
        assert site.cookie
    assert await status(site) == 200


async def test_without_the_database_nothing_is_answered_from_a_store_that_was_away(
    home: House, store: ForgetfulStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE", 0.02)
    monkeypatch.setattr(revocations_module, "PAUSE", 0.0)
    site = browser(home)
    await sign_up(site)
    await status(site)
    with without_table(tmp_path):
        store.copy()()
        assert await status(site) == 503
    assert await status(site) == 200
