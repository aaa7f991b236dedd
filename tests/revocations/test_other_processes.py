"""Every process learns of what ended, within a bound, whatever happens to its own store."""

from datetime import timedelta
from pathlib import Path

import pytest

from powauth.operations import lock_account
from powauth.revocations import RevocationRecord
from powauth.testing import FrozenClock
from tests.house import House, house, sign_up
from tests.revocations.forgetful import ForgetfulStore
from tests.revocations.pages import (
    KNOWN_WITHIN,
    browser,
    copied,
    handle_of,
    sign_out,
    status,
)

pytestmark = pytest.mark.anyio


async def test_another_process_refuses_at_once_when_it_hears_of_the_fail_over(
    home: House, other: House, store: ForgetfulStore
) -> None:
    site = browser(home)
    await sign_up(site)
    ended = copied(site, other)
    assert await status(ended) == 200
    fail_over = store.copy()
    await sign_out(site)
    fail_over()
    assert await status(ended) == 401


async def test_another_process_refuses_in_time_although_it_hears_of_nothing(
    home: House, other: House, store: ForgetfulStore, clock: FrozenClock
) -> None:
    site = browser(home)
    await sign_up(site)
    ended = copied(site, other)
    assert await status(ended) == 200
    fail_over = store.copy()
    await sign_out(site)
    fail_over(unnoticed=True)
    clock.move(KNOWN_WITHIN - timedelta(milliseconds=1))
    assert await status(ended) == 200  # the bound that remains
    clock.move(timedelta(milliseconds=1))
    assert await status(ended) == 401


async def test_a_process_that_slept_asks_before_it_answers(
    home: House, other: House, store: ForgetfulStore, clock: FrozenClock
) -> None:
    site = browser(home)
    await sign_up(site)
    ended = copied(site, other)
    await status(ended)
    fail_over = store.copy()
    await sign_out(site)
    clock.move(timedelta(minutes=29))
    fail_over(unnoticed=True)
    assert await status(ended) == 401


async def test_a_process_that_starts_asks_before_it_answers(
    home: House, store: ForgetfulStore, clock: FrozenClock, tmp_path: Path
) -> None:
    site = browser(home)
    await sign_up(site)
    fail_over = store.copy()
    ended = copied(site)
    await sign_out(site)
    fail_over(unnoticed=True)
    async with house(tmp_path, store=store, clock=clock) as late:
        assert await status(copied(ended, late)) == 401


async def test_a_row_that_is_committed_late_is_found_all_the_same(
    home: House, other: House, store: ForgetfulStore, clock: FrozenClock
) -> None:
    """A joined transaction of the application's is committed a quarter of an hour after its end was written down."""
    site = browser(home)
    await sign_up(site)
    ended = copied(site, other)
    handle = await handle_of(home)
    revocations = home.auth.plan.revocations("")
    assert revocations
    session = (await home.auth.plan.sessions("").list(handle))[0]
    row = revocations.row(handle, ended=session.public_id)
    for _ in range(15):
        clock.move(timedelta(minutes=1))
        assert await status(ended) == 200
    async with home.auth.begin() as ctx:
        await ctx.records(RevocationRecord).add(row)
    clock.move(timedelta(minutes=5))
    assert await status(ended) == 401


async def test_a_lock_of_one_process_is_known_to_another_whose_store_never_failed(
    home: House, store: ForgetfulStore, clock: FrozenClock, tmp_path: Path
) -> None:
    away = ForgetfulStore(clock)
    away.is_away = True
    site = browser(home)
    await sign_up(site)
    assert await status(site) == 200
    async with house(tmp_path, store=away, clock=clock) as other, other.auth.begin() as ctx:
        await lock_account(ctx, await handle_of(other))
    clock.move(KNOWN_WITHIN)
    assert await status(site) == 401
