"""SQLAlchemyStore(near_cache=True): PostgreSQL tells what changes, whoever changes it, or nothing is kept."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from powauth.clock import SystemClock
from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.near_cache import is_kept
from powauth.sqlalchemy import SQLAlchemyStore, feed, notice_statements
from powauth.sqlalchemy.wires import connect
from powauth.stores import Key, Store
from powauth.testing.clock import FrozenClock
from powauth.testing.store_contract import StoreContract, value_of
from powauth.testing.store_races import later
from tests.stores.pooler import pooler
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


@asynccontextmanager
async def opened(url: str | URL, *, near_cache: bool = True, clock: object = None) -> AsyncIterator[SQLAlchemyStore]:
    store = SQLAlchemyStore(url, clock=clock or SystemClock(), near_cache=near_cache)  # type: ignore[arg-type]
    await store.open()
    try:
        yield store
    finally:
        await store.close()


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


def holds(store: SQLAlchemyStore, key: Key) -> bool:
    assert store.near_cache
    return store.near_cache.holds(key)


async def keep(store: SQLAlchemyStore, *keys: Key) -> None:
    """Have it put these, and read them until it holds them: what it hears of its own writes it lets go of, too."""
    for key in keys:
        await store.put(key, b"value", expires_at=later())
    async with asyncio.timeout(5):
        while not all(holds(store, key) for key in keys):
            for key in keys:
                assert await value_of(store, key) == b"value"
            await asyncio.sleep(0.01)


async def until(is_so: Callable[[], bool], *, within: float) -> None:
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110  nothing to wait for: it is a server that tells
            await asyncio.sleep(0.001)


async def by_hand(store: SQLAlchemyStore, statement: str) -> None:
    """Do what somebody with psql would."""
    await store._run(lambda db: db.execute(text(statement)))


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


# ---- where it is refused ----


@pytest.mark.parametrize("mode", ["session", "transaction"])
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_behind_a_pooler_it_is_refused_at_start(postgres_url: str, mode: str, driver: str) -> None:
    whole = make_url(postgres_url)
    with pooler(int(whole.port or 0), mode=mode) as port:
        extra = {"prepared_statement_cache_size": "0"} if driver == "asyncpg" else {}
        url = whole.set(port=port, drivername=f"postgresql+{driver}").update_query_dict(extra)
        store = SQLAlchemyStore(url, near_cache=True)
        with pytest.raises(ConfigurationError, match="a pooler in between"):
            await store.open()
        assert store._engine is None


async def test_where_no_notice_comes_it_is_refused_at_start(postgres_url: str) -> None:
    async with opened(postgres_url) as near:
        await by_hand(
            near, "CREATE OR REPLACE FUNCTION powauth_store_tell_1() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RETURN NULL; END $$"
        )  # fmt: skip
    with pytest.raises(ConfigurationError, match="hears nothing"):
        await SQLAlchemyStore(postgres_url, near_cache=True).open()


@pytest.mark.parametrize("other_url", ["mariadb+asyncmy://root@localhost/app", "sqlite+aiosqlite:///app.db"])
def test_on_other_engines_it_is_refused(other_url: str) -> None:
    with pytest.raises(ConfigurationError, match="needs PostgreSQL"):
        SQLAlchemyStore(other_url, near_cache=True)


async def test_a_role_that_may_make_no_triggers_is_told_what_to_run(postgres_url: str) -> None:
    async with opened(postgres_url, near_cache=False) as owner:
        await by_hand(owner, "DROP ROLE IF EXISTS clerk")
        await by_hand(owner, "CREATE ROLE clerk LOGIN")
        await by_hand(owner, "GRANT SELECT, INSERT, UPDATE, DELETE ON powauth_store TO clerk")
        clerk = make_url(postgres_url).set(username="clerk")
        try:
            with pytest.raises(ConfigurationError, match=r"notice_statements\('powauth_store'\)"):
                await SQLAlchemyStore(clerk, near_cache=True).open()
            for statement in notice_statements():
                await by_hand(owner, statement)
            async with opened(clerk) as near:
                await keep(near, ADA)
        finally:
            await by_hand(owner, "DROP OWNED BY clerk")
            await by_hand(owner, "DROP ROLE clerk")


async def test_ten_processes_can_make_the_triggers_at_once(postgres_url: str) -> None:
    stores = [SQLAlchemyStore(postgres_url, near_cache=True, table="Ten's") for _ in range(10)]
    await asyncio.gather(*(store.open() for store in stores))
    await keep(stores[0], ADA)
    await asyncio.gather(*(store.close() for store in stores))


OTHER_CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


async def test_closed_it_leaves_no_connection(url: str) -> None:
    async with opened(url):
        pass
    async with opened(url, near_cache=False) as store:

        async def others(db: AsyncConnection) -> int:
            return int((await db.execute(text(OTHER_CONNECTIONS))).scalar_one())

        async with asyncio.timeout(5):
            while await store._run(others):  # noqa: ASYNC110  the server takes note of it by and by
                await asyncio.sleep(0.01)


class QueueIsFull(Exception):
    sqlstate = "54000"


async def test_where_the_queue_of_notices_is_full_a_write_is_unavailable(postgres_url: str) -> None:
    async def refuse(_db: AsyncConnection) -> None:
        raise OperationalError("DELETE", {}, QueueIsFull())

    async with opened(postgres_url, near_cache=False) as store:
        with pytest.raises(StoreUnavailable):
            await store._run(refuse)
