"""SQLite has one write lock: units queue for it in this process, and wait for other processes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.pool import StaticPool

from powauth.accounts import Changes, NewAccount
from powauth.clock import SystemClock
from powauth.errors import Deadlocked
from powauth.records import new_id
from powauth.sqlalchemy import SQLAlchemyDatabase, writers
from powauth.sqlite import SQLiteStore
from powauth.stores import MemoryStore
from powauth.testing.accounts_contract import NOW
from powauth.testing.backend import ACME
from powauth.testing.records_contract import SCHEMA, Note
from tests.sqlalchemy_adapter import models
from tests.sqlalchemy_adapter.models import App

IMPATIENT = {"timeout": 0}
ONE = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 5}


def plain(_engine: AsyncEngine) -> None: ...


def begins(engine: AsyncEngine) -> None:
    """Do what SQLAlchemy's documentation advises: the driver begins nothing, the engine does."""

    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


def writes_ahead(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.cursor().execute("PRAGMA journal_mode=WAL")


MANNERS = [plain, begins, writes_ahead]


@pytest.fixture(params=[*MANNERS, "autocommit"], ids=lambda p: p if isinstance(p, str) else p.__name__)
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[App]:
    """An application with a pool of one connection that never waits for a lock by itself."""
    manner: Callable[[AsyncEngine], None] | str = request.param
    arguments: dict[str, Any] = dict(IMPATIENT)
    if manner == "autocommit":
        if not hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL"):
            pytest.skip("sqlite3 has autocommit= since Python 3.12")
        arguments["autocommit"] = False
    async with models.engine_on(f"sqlite+aiosqlite:///{tmp_path}/app.db", connect_args=arguments, **ONE) as engine:
        if callable(manner):
            manner(engine)
        app = models.app_of(engine, models.with_uuid, SCHEMA)
        await app.database.create_tables()
        yield app


async def signs_up_and_in(app: App, number: int) -> None:
    """Do what a sign-up and a sign-in do: look, release, hash, write; a refusal in a unit of its own."""
    async with app.unit() as unit:
        assert await unit.accounts.by_email(f"{number}@example.com") is None
        await unit.release()
        await asyncio.sleep(0)
        ada = await unit.accounts.add(NewAccount(email=f"{number}@example.com"), now=NOW)
        await unit.records(Note).add(Note(id=new_id(), room=ada.handle))
    async with app.unit(writes=False) as unit:
        assert await unit.accounts.get(ada.id) == ada
    async with app.unit() as unit:
        assert await unit.accounts.lock(ada.handle)
        await unit.accounts.change(ada, Changes(raise_epoch=True))


async def test_fifty_sign_ups_and_sign_ins_finish_on_one_connection(app: App) -> None:
    async with asyncio.timeout(60):
        await asyncio.gather(*(signs_up_and_in(app, number) for number in range(50)))
    async with app.unit(writes=False) as unit:
        accounts = await unit.accounts.find(limit=100)
    assert [account.epoch for account in accounts] == [1] * 50


async def test_a_rollback_gives_the_lock_to_the_next(app: App) -> None:
    unit = app.database.unit(SCHEMA, ACME, writes=True)
    await unit.accounts.add(NewAccount(username="eve"), now=NOW)
    await unit.rollback()
    async with asyncio.timeout(5), app.unit() as after:
        await after.accounts.add(NewAccount(username="eve"), now=NOW)


async def test_a_unit_that_is_cancelled_while_it_queues_lets_the_others_on(app: App) -> None:
    first = app.database.unit(SCHEMA, ACME, writes=True)
    await first.accounts.add(NewAccount(username="ada"), now=NOW)
    queueing = asyncio.create_task(signs_up_and_in(app, 1))
    await asyncio.sleep(0.01)
    queueing.cancel()
    await asyncio.gather(queueing, return_exceptions=True)
    await first.commit()
    async with asyncio.timeout(5):
        await signs_up_and_in(app, 2)


async def test_many_connections_with_no_patience_of_their_own_finish(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/app.db"
    async with (
        models.app_on(url, models.with_uuid, SCHEMA, connect_args=IMPATIENT, pool_size=8) as first,
        models.app_on(url, models.with_uuid, SCHEMA, connect_args=IMPATIENT, pool_size=8) as second,
    ):
        async with asyncio.timeout(120):
            await asyncio.gather(*(signs_up_and_in((first, second)[number % 2], number) for number in range(50)))


async def test_a_database_in_memory_serves_one_unit_at_a_time(tmp_path: Path) -> None:
    async with models.app_on("sqlite+aiosqlite://", models.with_uuid, SCHEMA) as app:
        async with asyncio.timeout(60):
            await asyncio.gather(*(signs_up_and_in(app, number) for number in range(50)))


async def test_a_writer_that_never_ends_is_told_as_deadlocked(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE", 0.05)
    other = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Deadlocked):
        async with app.unit() as unit:
            await unit.accounts.add(NewAccount(username="ada"), now=NOW)
    other.execute("ROLLBACK")
    other.close()
    await signs_up_and_in(app, 1)


async def test_a_joined_unit_leaves_the_rollback_to_the_application(app: App) -> None:
    # Without a transaction around it, SQLite commits at the end of a savepoint.
    for ends in ("rollback", "commit"):
        async with AsyncSession(app.engine) as db:
            unit = app.database.join(SCHEMA, ACME, db)
            await unit.accounts.add(NewAccount(username="ada"), now=NOW)
            await unit.records(Note).add(Note(id="1"))
            await unit.commit()
            await getattr(db, ends)()
        async with app.unit(writes=False) as unit:
            assert len(await unit.accounts.find()) == len(await unit.records(Note).find()) == (ends == "commit")


async def test_sessions_stand_in_a_file_beside_the_database(tmp_path: Path) -> None:
    async with models.app_on(f"sqlite+aiosqlite:///{tmp_path}/app.db", models.with_uuid, SCHEMA) as app:
        store = app.database.store(SCHEMA, SystemClock())
        assert isinstance(store, SQLiteStore)
        await store.open()
        await store.close()
        assert (tmp_path / "app.db-auth-sessions.db").exists()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///file:x?mode=memory&cache=shared&uri=true"])
async def test_a_database_in_memory_keeps_its_sessions_there_too(url: str) -> None:
    async with models.engine_on(url, poolclass=StaticPool) as engine:
        database = SQLAlchemyDatabase(async_sessionmaker(engine), models.with_uuid())
        assert isinstance(database.store(SCHEMA, SystemClock()), MemoryStore)


def test_two_engines_on_one_file_do_not_share_a_queue() -> None:
    async def queues() -> list[object]:
        engines: list[Engine] = [create_engine("sqlite://"), create_engine("sqlite://")]
        return [writers.queue(engines[0]), writers.queue(engines[0]), writers.queue(engines[1])]

    first, again, other = asyncio.run(queues())
    assert first is again
    assert first is not other
