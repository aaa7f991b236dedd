"""SQLAlchemyStore keeps the contract on every engine, takes nothing of the application's, and outlives its server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Row, make_url, text
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.sqlalchemy.store import SQLAlchemyStore
from powauth.stores import Entry, Key, Store
from powauth.testing.clock import FrozenClock
from powauth.testing.store_contract import KEY, StoreContract, value_of
from powauth.testing.store_races import later
from tests.stores.road import CALLS, Road


class TestSQLAlchemyStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, database_url: str) -> AsyncIterator[Store]:
        store = SQLAlchemyStore(database_url, clock=clock)
        await store.open()
        yield store
        await store.close()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SQLAlchemyStore]:
    store = SQLAlchemyStore(database_url)
    await store.open()
    yield store
    await store.close()


# ---- what it takes and makes ----


async def test_the_table_has_the_name_that_was_asked_for(database_url: str) -> None:
    stores = [SQLAlchemyStore(database_url, table=name) for name in ("public_store", "admin_store")]
    for store in stores:
        await store.open()
        assert await store.add(KEY, store._table.name.encode(), expires_at=later())
    assert [await value_of(store, KEY) for store in stores] == [b"public_store", b"admin_store"]
    for store in stores:
        await store.close()


async def test_ten_processes_can_make_the_table_at_once(database_url: str) -> None:
    stores = [SQLAlchemyStore(database_url) for _ in range(10)]
    await asyncio.gather(*(store.open() for store in stores))
    await stores[0].put(KEY, b"value", expires_at=later())
    assert [await value_of(store, KEY) for store in stores] == [b"value"] * 10
    for store in stores:
        await store.close()


async def test_a_store_is_found_again_when_it_is_opened_again(store: SQLAlchemyStore) -> None:
    await store.put(KEY, b"value", expires_at=later())
    await store.close()
    await store.open()
    assert await value_of(store, KEY) == b"value"


async def test_an_application_that_holds_all_its_connections_does_not_stop_the_store(database_url: str) -> None:
    engine = create_async_engine(database_url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    store = SQLAlchemyStore(engine)
    await store.open()
    async with engine.connect() as held:
        await held.execute(text("SELECT 1"))
        await store.put(KEY, b"value", expires_at=later())
        assert await value_of(store, KEY) == b"value"
    await store.close()
    await engine.dispose()


async def test_closing_the_store_leaves_the_application_its_engine(database_url: str) -> None:
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        store = SQLAlchemyStore(engine)
        await store.open()
        await store.close()
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    await engine.dispose()


async def test_no_more_connections_are_open_than_were_allowed(database_url: str) -> None:
    engine = create_async_engine(database_url, pool_size=20)
    store = SQLAlchemyStore(engine, connections=2)
    await store.open()
    await asyncio.gather(*(store.get(KEY) for _ in range(50)))
    assert store._engine
    assert store._engine.pool.checkedin() <= 2  # type: ignore[attr-defined]
    await store.close()
    await engine.dispose()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"])
def test_sqlite_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="take MemoryStore"):
        SQLAlchemyStore(url)


def test_an_engine_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="PostgreSQL, MariaDB and SQLite, and not oracle"):
        SQLAlchemyStore("oracle+oracledb_async://localhost/app")


async def test_a_store_that_is_not_open_says_so(database_url: str) -> None:
    with pytest.raises(ConfigurationError, match="not open"):
        await SQLAlchemyStore(database_url).get(KEY)


async def test_a_key_is_never_cut_off(store: SQLAlchemyStore) -> None:
    with pytest.raises(StatementError, match="at most 512 bytes"):
        await store.put(Key("session", "ada", "x" * 513), b"value", expires_at=later())


async def test_what_is_stored_stands_in_no_error(store: SQLAlchemyStore) -> None:
    await store._run(lambda db: db.execute(text("DROP TABLE powauth_store")), repeatable=True)
    with pytest.raises(Exception, match="powauth_store") as caught:
        await store.put(Key("session", "whose", "which"), b"private", expires_at=later())
    assert not [word for word in ("private", "whose", "which") if word in str(caught.value)]


# ---- between read and write ----


class Slow(SQLAlchemyStore):
    """A store that waits between reading what it takes and removing it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.has_read = asyncio.Event()
        self.may_write = asyncio.Event()

    async def _row(self, db: AsyncConnection, key: Key) -> Row[Any] | None:
        row = await super()._row(db, key)
        self.has_read.set()
        await self.may_write.wait()
        return row


class SlowAndNaive(Slow):
    """Its twin: it removes what stands there, whatever that is by now."""

    async def take(self, key: Key) -> Entry | None:
        row = await self._run(lambda db: self._row(db, key))
        await self._run(self._remover(*self._at(key)))
        return self._alive(row)


async def take_while_another_waits(kind: type[Slow], url: str) -> list[Entry | None]:
    slow, fast = kind(url), SQLAlchemyStore(url)
    await slow.open()
    await fast.open()
    await fast.put(KEY, b"value", expires_at=later())
    waiting = asyncio.create_task(slow.take(KEY))
    await slow.has_read.wait()
    taken = await fast.take(KEY)
    slow.may_write.set()
    outcomes = [taken, await waiting]
    await slow.close()
    await fast.close()
    return outcomes


async def test_a_value_taken_between_read_and_write_is_not_taken_again(database_url: str) -> None:
    outcomes = await take_while_another_waits(Slow, database_url)
    assert [entry.value for entry in outcomes if entry] == [b"value"]


async def test_without_the_version_a_value_is_taken_twice(database_url: str) -> None:
    outcomes = await take_while_another_waits(SlowAndNaive, database_url)
    assert [entry.value for entry in outcomes if entry] == [b"value", b"value"]


async def test_a_value_replaced_between_read_and_write_is_taken_as_it_then_is(database_url: str) -> None:
    slow, fast = Slow(database_url), SQLAlchemyStore(database_url)
    await slow.open()
    await fast.open()
    await fast.put(KEY, b"old", expires_at=later())
    waiting = asyncio.create_task(slow.take(KEY))
    await slow.has_read.wait()
    await fast.put(KEY, b"new", expires_at=later())
    slow.may_write.set()
    entry = await waiting
    assert entry is not None
    assert entry.value == b"new"
    assert await fast.get(KEY) is None
    await slow.close()
    await fast.close()


# ---- a server that goes and comes back ----


@pytest.fixture(params=["postgres_url", "mariadb_url"])
def server_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def road(server_url: str) -> AsyncIterator[Road]:
    url = make_url(server_url)
    road = Road(str(url.host), int(url.port or 0))
    await road.mend()
    yield road
    await road.cut()


@pytest.fixture
async def far(server_url: str, road: Road) -> AsyncIterator[SQLAlchemyStore]:
    """A store at the other end of the road."""
    store = SQLAlchemyStore(make_url(server_url).set(port=road.port), timeout=timedelta(seconds=1))
    await store.open()
    await store.put(KEY, b"1", expires_at=later())
    yield store
    road.flow()
    await store.close()


async def test_a_server_that_is_gone_means_unavailable_and_never_absent(far: SQLAlchemyStore, road: Road) -> None:
    await road.cut()
    for call in CALLS:
        with pytest.raises(StoreUnavailable):
            await call(far)
    await road.mend()
    assert await value_of(far, KEY) == b"1"


async def test_when_the_server_is_back_the_first_call_succeeds_whichever_it_is(
    far: SQLAlchemyStore, road: Road
) -> None:
    for call in CALLS:
        await asyncio.gather(*(far.get(KEY) for _ in range(5)))  # connections that will be dead
        await road.cut()
        await road.mend()
        await call(far)
    assert await far.get(KEY) is None


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(far: SQLAlchemyStore, road: Road) -> None:
    road.stall()
    with pytest.raises(StoreUnavailable):
        await far.get(KEY)
    road.flow()
    assert await value_of(far, KEY) == b"1"


async def test_a_server_that_is_gone_refuses_to_open(far: SQLAlchemyStore, road: Road) -> None:
    await far.close()
    await road.cut()
    with pytest.raises(StoreUnavailable):
        await far.open()
    await road.mend()
    await far.open()
    assert await value_of(far, KEY) == b"1"


class Refusal(Exception):
    sqlstate = "40001"


async def test_a_deadlock_is_tried_again_and_not_for_ever(store: SQLAlchemyStore) -> None:
    refusals: list[int] = []

    async def refuse(times: int, db: AsyncConnection) -> int:
        refusals.append(1)
        if len(refusals) <= times:
            raise OperationalError("UPDATE", {}, Refusal())
        return len(refusals)

    assert await store._run(partial(refuse, 4)) == 5
    refusals.clear()
    with pytest.raises(StoreUnavailable):
        await store._run(partial(refuse, 5))
