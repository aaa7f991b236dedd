"""A joined unit takes part in the application's transaction, which stays the application's."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker

from powauth.accounts import Account, Changes, NewAccount
from powauth.database import DatabaseUnit
from powauth.errors import Taken
from powauth.sqlalchemy import SQLAlchemyDatabase
from powauth.testing.accounts_contract import NOW
from powauth.testing.backend import ACME, OTHER
from powauth.testing.records_contract import SCHEMA, Note
from tests.sqlalchemy_adapter import models
from tests.sqlalchemy_adapter.models import App


@pytest.fixture
async def app(url: str) -> AsyncIterator[App]:
    async with models.app_on(url, models.with_uuid, SCHEMA, pool_size=1, max_overflow=0, pool_timeout=5) as app:
        yield app


@pytest.fixture
async def db(app: App) -> AsyncIterator[AsyncSession]:
    """A database session of the application's."""
    async with app.sessionmaker() as db:
        yield db


@pytest.fixture
def unit(app: App, db: AsyncSession) -> DatabaseUnit:
    return app.database.join(SCHEMA, ACME, db)


async def labels(app: App) -> list[str]:
    async with app.unit(writes=False) as unit:
        return [account.label for account in await unit.accounts.find()]


async def ada_in(app: App) -> Account:
    async with app.unit() as unit:
        return await unit.accounts.add(NewAccount(username="ada", values={"name": "Ada"}), now=NOW)


async def test_it_lasts_when_the_application_commits(app: App, db: AsyncSession, unit: DatabaseUnit) -> None:
    await unit.accounts.add(NewAccount(username="ada"), now=NOW)
    await unit.records(Note).add(Note(id="1"))
    await unit.commit()
    await db.commit()
    assert await labels(app) == ["ada"]


async def test_it_is_undone_when_the_application_rolls_back(app: App, db: AsyncSession, unit: DatabaseUnit) -> None:
    await unit.accounts.add(NewAccount(username="ada"), now=NOW)
    await unit.records(Note).add(Note(id="1"))
    await unit.commit()
    await db.rollback()
    assert await labels(app) == []
    async with app.unit(writes=False) as own:
        assert await own.records(Note).find() == []


async def test_a_taken_value_leaves_what_the_application_did(app: App, db: AsyncSession, unit: DatabaseUnit) -> None:
    await ada_in(app)
    user = app.layout.user(username="grace", tenant="acme", name="Grace")
    db.add(user)
    for attempt in (NewAccount(username="ADA"), NewAccount(username="Grace")):
        with pytest.raises(Taken) as taken:
            await unit.accounts.add(attempt, now=NOW)
        assert taken.value.field == "username"
    assert user.name == "Grace"  # neither expired nor lost
    await db.commit()
    assert sorted(await labels(app)) == ["ada", "grace"]


async def test_a_loaded_user_shows_what_powauth_changed(app: App, db: AsyncSession, unit: DatabaseUnit) -> None:
    ada = await ada_in(app)
    user = await app.database.user(SCHEMA, ACME, db, ada.id)
    assert user
    user.name = "Countess"
    await unit.accounts.change(ada, Changes(email="ada@example.com", raise_epoch=True))
    assert (user.email, user.epoch, user.name) == ("ada@example.com", 1, "Countess")
    assert app.database.account(user).epoch == 1
    await db.commit()
    async with app.unit(writes=False) as own:
        assert (await own.accounts.user(ada)).name == "Countess"


async def test_the_application_changes_an_address_and_its_key_follows(app: App, db: AsyncSession) -> None:
    ada = await ada_in(app)
    user = await app.database.user(SCHEMA, ACME, db, ada.id)
    assert user
    user.email = "Lovelace@example.com"
    await db.commit()
    async with app.unit(writes=False) as own:
        assert await own.accounts.by_email("lovelace@EXAMPLE.com")


async def test_a_user_is_loaded_once_and_only_in_its_tenant(app: App, db: AsyncSession) -> None:
    ada = await ada_in(app)
    user = await app.database.user(SCHEMA, ACME, db, ada.id)
    assert await app.database.user(SCHEMA, ACME, db, ada.id) is user
    assert (await db.scalars(select(type(user)))).one() is user
    assert await app.database.user(SCHEMA, OTHER, db, ada.id) is None
    assert await app.database.user(SCHEMA, ACME, db, f"{ada.id} ") is None
    assert await app.database.user(SCHEMA, ACME, db, "\x00") is None


async def test_a_scoped_session_will_do_and_anything_else_is_told(app: App) -> None:
    sessionmaker = app.sessionmaker
    scoped = async_scoped_session(sessionmaker, scopefunc=lambda: 1)
    assert not await app.database.join(SCHEMA, ACME, scoped).accounts.find()
    await scoped.close()
    with pytest.raises(TypeError):
        app.database.join(SCHEMA, ACME, object())


class Told:
    """What was told after a commit."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.seen: list[list[str]] = []

    async def __call__(self) -> None:
        self.seen.append(await labels(self.app))  # on the only connection that there is


async def test_what_waits_runs_after_the_outermost_commit(app: App, db: AsyncSession, unit: DatabaseUnit) -> None:
    told = Told(app)
    async with db.begin_nested():
        await unit.accounts.add(NewAccount(username="ada"), now=NOW)
        unit.on_commit(told)
    await unit.commit()
    assert told.seen == []
    await db.commit()
    assert told.seen == [["ada"]]
    await db.commit()
    await app.database.user(SCHEMA, ACME, db, "none")
    await db.commit()
    assert told.seen == [["ada"]]


@pytest.mark.parametrize("how", ["rollback", "close"])
async def test_what_waits_is_dropped_by_a_rollback(app: App, db: AsyncSession, unit: DatabaseUnit, how: str) -> None:
    told = Told(app)
    unit.on_commit(told)  # before anything is begun
    await unit.accounts.add(NewAccount(username="ada"), now=NOW)
    unit.on_commit(told)
    await getattr(db, how)()
    await db.commit()
    assert told.seen == []


async def test_what_waits_in_a_savepoint_is_dropped_with_it(app: App, db: AsyncSession, unit: DatabaseUnit) -> None:
    inner, outer = Told(app), Told(app)
    await unit.accounts.add(NewAccount(username="ada"), now=NOW)
    unit.on_commit(outer)
    savepoint = await db.begin_nested()
    async with db.begin_nested():
        await unit.accounts.add(NewAccount(username="grace"), now=NOW)
        unit.on_commit(inner)
    await savepoint.rollback()
    await db.commit()
    assert (inner.seen, outer.seen) == ([], [["ada"]])


async def test_a_session_bound_to_the_connection_of_a_test_can_be_rolled_back_as_a_whole(app: App) -> None:
    engine_sessions = app.sessionmaker
    async with engine_sessions() as outer:
        connection = await outer.connection()
        if connection.dialect.name == "sqlite":  # its driver would take the savepoint for the whole transaction
            await connection.exec_driver_sql("BEGIN")
        bound = async_sessionmaker(connection, join_transaction_mode="create_savepoint")
        inner = App(SQLAlchemyDatabase(bound, app.layout.user), SCHEMA, app.engine)
        assert inner.database.declare(SCHEMA) == []
        async with inner.unit() as unit:
            await unit.accounts.add(NewAccount(username="ada"), now=NOW)
        assert await labels(inner) == ["ada"]
        await outer.rollback()
    assert await labels(app) == []
