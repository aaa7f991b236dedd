"""Where PostgreSQL cannot tell what changes a near cache is refused at start, and `powauth check` finds the rest."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth
from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase, SQLAlchemyStore, notice_statements
from powauth.stores import Examined, Key
from powauth.testing import Outbox
from tests.house import BASE_URL, SECRET
from tests.stores.notices import by_hand, keep, opened
from tests.stores.pooler import pooler

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

ADA = Key("main::session", "ada", "1")


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


async def test_the_database_gives_the_store_that_it_chooses_a_near_cache(postgres_url: str) -> None:
    async with opened_database(postgres_url) as store:
        await keep(store, ADA)


async def test_the_database_refuses_a_near_cache_on_sqlite() -> None:
    with pytest.raises(ConfigurationError, match="needs PostgreSQL"):
        async with opened_database("sqlite+aiosqlite:///app.db"):
            pass


@asynccontextmanager
async def opened_database(url: str) -> AsyncGenerator[SQLAlchemyStore]:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    engine = create_async_engine(url)
    database = SQLAlchemyDatabase(async_sessionmaker(engine), User, near_cache=True)
    auth = Auth(database=database, secret=SECRET, base_url=BASE_URL, mailer=Outbox())
    assert isinstance(auth.plan.store, SQLAlchemyStore)
    await database.create_tables()
    await auth.open()
    yield auth.plan.store
    await auth.close()
    await engine.dispose()


# ---- what `powauth check` is told ----


async def test_check_finds_a_near_cache_that_hears_nothing(postgres_url: str) -> None:
    async with opened(postgres_url) as near:
        assert not await near.weaknesses()
        assert near._feed
        near._feed.trouble = "TimeoutError"
        assert [one.code for one in await near.weaknesses()] == ["postgresql_reads_through"]


async def test_check_asks_nothing_of_a_store_without_near_cache(postgres_url: str) -> None:
    assert not isinstance(SQLAlchemyStore(postgres_url), Examined)
    assert isinstance(SQLAlchemyStore(postgres_url, near_cache=True), Examined)


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


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_closed_it_leaves_no_connection(postgres_url: str, driver: str) -> None:
    async with opened(postgres_url.replace("asyncpg", driver)):
        pass
    async with opened(postgres_url, near_cache=False) as store:

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
