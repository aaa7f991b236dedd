"""SQLAlchemyStore(near_cache=True): PostgreSQL tells what changes, whoever changes it, or nothing is kept."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import make_url

from powauth.near_cache import is_kept
from powauth.sqlalchemy import SQLAlchemyStore, feed
from powauth.sqlalchemy.wires import Wire, connect
from powauth.stores import Key, Store
from powauth.testing.clock import FrozenClock
from powauth.testing.store_contract import StoreContract, value_of
from powauth.testing.store_races import later
from tests.stores.notices import by_hand, holds, keep, opened, until
from tests.stores.road import Road

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

ADA = Key("main::session", "ada", "1")
GRACE = Key("main::session", "grace", "1")
PROMISED = 0.05
"""Seconds."""


class TestSQLAlchemyStoreWithNearCache(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, postgres_url: str) -> AsyncIterator[Store]:
        async with opened(postgres_url, clock=clock) as store:
            yield store


@pytest.fixture(params=["asyncpg", "psycopg"])
def url(request: pytest.FixtureRequest, postgres_url: str) -> str:
    return postgres_url.replace("asyncpg", str(request.param))


@pytest.fixture
async def near(url: str) -> AsyncIterator[SQLAlchemyStore]:
    async with opened(url) as store:
        yield store


@pytest.fixture
async def other(url: str, near: SQLAlchemyStore) -> AsyncIterator[SQLAlchemyStore]:
    """A process that has no near cache, and was told nothing of one."""
    async with opened(url, near_cache=False) as store:
        yield store


# ---- what is told ----


async def test_a_session_that_was_read_is_kept_and_one_that_another_process_ends_is_refused_at_once(
    near: SQLAlchemyStore, other: SQLAlchemyStore
) -> None:
    await keep(near, ADA, GRACE)
    assert await other.delete(ADA)
    ended_at = time.monotonic()
    await until(lambda: not holds(near, ADA), within=5)
    assert time.monotonic() - ended_at < PROMISED
    assert await near.get(ADA) is None
    assert holds(near, GRACE)


async def test_what_arrives_together_with_what_was_waited_for_is_heard_too(url: str) -> None:
    heard: list[str] = []
    async with AsyncExitStack() as stack:
        wires: list[Wire] = []
        for _ in range(2):
            wire, engine = await connect(make_url(url))
            stack.push_async_callback(engine.dispose)
            stack.callback(wire.cut)
            wires.append(wire)
        await wires[0].listen("here", heard.append)
        waiting = asyncio.create_task(wires[0].wait(5, lambda: "first" in heard))
        await asyncio.sleep(0.05)  # so that it waits
        await wires[1].ask("SELECT pg_notify('here', 'first'), pg_notify('here', 'second')")
        assert await waiting
        await wires[0].wait(1, lambda: "second" in heard)
        assert heard == ["first", "second"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE powauth_store SET value = '', version = version + 1",
        "UPDATE powauth_store SET id = 'elsewhere'",
        "DELETE FROM powauth_store",
        "TRUNCATE powauth_store",
        "SET session_replication_role = replica; DELETE FROM powauth_store",
    ],
)
async def test_what_somebody_changes_by_hand_is_told_too(postgres_url: str, change: str) -> None:
    async with opened(postgres_url) as near, opened(postgres_url, near_cache=False) as other:
        await keep(near, ADA)
        for statement in change.split("; "):
            await by_hand(other, statement)
        await until(lambda: not holds(near, ADA), within=PROMISED)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE powauth_store",
        "ALTER TABLE powauth_store DISABLE TRIGGER ALL",
        "ALTER TABLE powauth_store RENAME TO former_store",
    ],
)
async def test_where_the_table_tells_no_more_nothing_is_kept(postgres_url: str, change: str) -> None:
    async with opened(postgres_url) as near, opened(postgres_url, near_cache=False) as other:
        await keep(near, ADA)
        await by_hand(other, change)
        await until(lambda: not holds(near, ADA), within=2)
        assert near.near_cache
        assert not near.near_cache.is_on


async def test_a_notice_says_whose_it_is_and_nothing_of_the_session(postgres_url: str) -> None:
    async with opened(postgres_url) as near:
        heard: list[str] = []
        assert near._feed
        assert near._feed._wire
        (channel,) = await near._feed._wire.ask("SELECT pg_listening_channels()")
        await near._feed._wire.listen(channel, heard.append)
        await near.put(Key("main::session", "ada", "its id"), b"its value", expires_at=later())
        await near.delete(Key("main::session", "ada", "its id"))
        notice = f"{b'main::session'.hex()} {b'ada'.hex()}"
        await until(lambda: notice in heard, within=2)
        assert {line for line in heard if not line.startswith("=")} == {notice}


@pytest.mark.parametrize(
    ("kind", "is_told"),
    [("main::session", True), ("a:b:session", True), ("session", True), ("main::limit", False), ("ion", False)],
)
async def test_all_that_is_kept_is_told_and_counters_cost_nothing(
    postgres_url: str, kind: str, *, is_told: bool
) -> None:
    assert is_told or not is_kept(kind)
    async with opened(postgres_url) as near:
        assert near._feed
        heard: list[str] = []
        assert near._feed._wire
        (channel,) = await near._feed._wire.ask("SELECT pg_listening_channels()")
        await near._feed._wire.listen(channel, heard.append)
        key = Key(kind, "ada", "1")
        await near.increment(key, expires_at=later())
        await near.increment(key, expires_at=later())
        await near.delete(key)
        await near.put(ADA, b"", expires_at=later())
        await near.delete(ADA)
        await until(lambda: f"{ADA.kind.encode().hex()} {b'ada'.hex()}" in heard, within=2)
        assert (f"{kind.encode().hex()} {b'ada'.hex()}" in heard) == is_told


async def test_a_notice_that_nobody_understands_lets_all_go(near: SQLAlchemyStore, other: SQLAlchemyStore) -> None:
    await keep(near, ADA)
    await by_hand(other, "SELECT pg_notify('powauth_' || 'powauth_store'::regclass::oid, 'what?')")
    await until(lambda: not holds(near, ADA), within=PROMISED)


# ---- what is not kept ----


async def test_what_another_server_says_is_not_kept(postgres_url: str) -> None:
    async with opened(postgres_url) as near:
        await keep(near, ADA)
        assert near._feed
        near._feed.server = "the one that took its place"
        assert near.near_cache
        near.near_cache.flush()
        assert await value_of(near, ADA) == b"value"
        assert not holds(near, ADA)


async def test_a_server_that_became_read_only_is_read_through(postgres_url: str) -> None:
    async with opened(postgres_url) as near, opened(postgres_url, near_cache=False) as other:
        await keep(near, ADA)
        name = make_url(postgres_url).database
        await by_hand(other, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        pid = near._feed._wire.pid  # type: ignore[union-attr]
        await by_hand(other, f"SELECT pg_terminate_backend({pid})")
        await until(lambda: not near.near_cache.is_on, within=1)  # type: ignore[union-attr]
        await until(lambda: "read-only" in str(near._feed.trouble), within=3)  # type: ignore[union-attr]
        assert await value_of(near, ADA) == b"value"
        await by_hand(other, f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await until(lambda: near.near_cache.is_on, within=5)  # type: ignore[union-attr]


async def test_a_connection_that_freezes_keeps_nobody_signed_in(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_url(url)
    road = Road(str(whole.host), int(whole.port or 0))
    await road.mend()
    monkeypatch.setattr(feed, "connect", lambda _: connect(whole.set(port=road.port)))  # it alone takes this way
    async with opened(url) as near, opened(url, near_cache=False) as other:
        await keep(near, ADA, GRACE)
        road.stall()
        assert await other.delete(ADA)
        await until(lambda: not holds(near, ADA), within=2)
        assert await near.get(ADA) is None
        assert await value_of(near, GRACE) == b"value"
        road.flow()
        await until(lambda: bool(near.near_cache and near.near_cache.is_on), within=5)
    await road.cut()
