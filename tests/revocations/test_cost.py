"""What it costs that ends stand in the database: nothing where it is not needed, little where it is."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import Auth, ConfigurationError, MemoryStore, SessionSettings
from powauth.revocations import RevocationRecord
from powauth.testing import FrozenClock, Outbox
from tests.house import QUICK, House, house, sign_in, sign_up
from tests.revocations.forgetful import ForgetfulStore
from tests.revocations.pages import (
    browser,
    copied,
    sign_out,
    statements,
    status,
)

pytestmark = pytest.mark.anyio


async def test_a_signed_in_request_costs_one_read_of_the_store_and_no_sql(home: House, store: ForgetfulStore) -> None:
    site = browser(home)
    await sign_up(site)
    await status(site)
    store.reads = 0
    with statements(home) as asked:
        for _ in range(10):
            assert await status(site) == 200
    assert (store.reads, asked) == (10, [])


async def test_a_store_that_loses_nothing_has_no_table_and_asks_for_none(tmp_path: Path, clock: FrozenClock) -> None:
    async with house(tmp_path, store=MemoryStore(clock), clock=clock) as home:
        assert not home.auth.plan.revokes
        assert RevocationRecord not in home.auth.plan.schema.records
        assert home.auth.plan.revocations("") is None


async def test_while_an_application_runs_no_request_waits_for_the_table(
    store: ForgetfulStore, clock: FrozenClock, tmp_path: Path
) -> None:
    settings = SessionSettings(ends_known_within=timedelta(seconds=1))
    async with house(tmp_path, store=store, clock=clock, sessions=settings) as home:
        looked: list[str] = []
        revocations = home.auth.plan.revocations("")
        assert revocations
        with statements(home) as asked:
            async with home.auth.lifespan():
                async with asyncio.timeout(10):
                    while len(looked) < 3:
                        await asyncio.sleep(0.05)
                        looked = [one for one in asked if "powauth_revocations" in one]
        assert all("INSERT" not in one for one in looked)


async def test_rows_go_once_no_copy_of_what_ended_can_live(
    home: House, store: ForgetfulStore, clock: FrozenClock
) -> None:
    site = browser(home)
    await sign_up(site)
    fail_over = store.copy()
    ended = copied(site)
    await sign_out(site)
    clock.move(timedelta(minutes=30))
    await home.auth.purge()
    async with home.auth.begin(writes=False) as ctx:
        assert len(await ctx.records(RevocationRecord).find()) == 1
    clock.move(timedelta(hours=1))
    await home.auth.purge()
    async with home.auth.begin(writes=False) as ctx:
        assert await ctx.records(RevocationRecord).find() == []
    fail_over()
    assert await status(ended) == 401


async def test_what_is_remembered_of_an_end_is_forgotten_with_it(home: House, clock: FrozenClock) -> None:
    site = browser(home)
    await sign_up(site)
    await sign_out(site)
    revocations = home.auth.plan.revocations("")
    assert revocations
    assert revocations.count == 1
    clock.move(timedelta(hours=1))
    await sign_in(site)
    await status(site)
    assert revocations.count == 0


async def test_a_table_that_no_migration_made_is_said_at_start(tmp_path: Path, clock: FrozenClock) -> None:
    plain = MemoryStore(clock)
    async with house(tmp_path, store=plain, clock=clock) as home:
        late: Auth[Any] = Auth(
            name="other",
            secret="d3f2b7c1e0a95f4e8b6a1c0d7e9f2b35",
            base_url="https://example.com/other",
            database=home.auth.database,
            store=ForgetfulStore(clock),
            mailer=Outbox(),
            passwords=QUICK,
        )
        async with home.engine.begin() as connection:
            for name in ("other_schema", "other_tokens", "other_outbox"):
                await connection.run_sync(home.user.metadata.tables[name].create)
        with pytest.raises(ConfigurationError, match="the table other_revocations"):
            await late.open()
        await home.auth.database.create_tables()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  of SQLAlchemy's
        await late.open()
        await late.close()


def test_less_than_a_second_is_refused() -> None:
    settings = SessionSettings(ends_known_within=timedelta(milliseconds=100))
    assert settings.problems() == ("sessions: ends_known_within must be at least a second",)
