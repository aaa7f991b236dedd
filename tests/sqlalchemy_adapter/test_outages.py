"""The server goes away and comes back: units say `DatabaseUnavailable`, and work again when it is there."""

import asyncio
import socket
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import replace

import pytest
from sqlalchemy import make_url, text

from powauth.accounts import NewAccount, new_handle
from powauth.errors import DatabaseUnavailable, Taken
from powauth.records import new_id
from powauth.testing.accounts_contract import NOW
from powauth.testing.backend import ACME
from powauth.testing.records_contract import SCHEMA
from tests import servers
from tests.sqlalchemy_adapter import models
from tests.sqlalchemy_adapter.models import App

KILL = {
    "postgresql": "SELECT pg_terminate_backend({})",
    "mysql": "KILL {}",
    "mariadb": "KILL {}",
}
OWN_ID = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT connection_id()",
    "mariadb": "SELECT connection_id()",
}
ONE = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.2}


@pytest.fixture
def server_url(url: str) -> str:
    if "sqlite" in url:
        pytest.skip("there is no server")
    return url


async def kill_the_pooled_connection(app: App, url: str) -> None:
    engine = app.engine
    async with engine.connect() as connection:
        number = (await connection.execute(text(OWN_ID[engine.dialect.name]))).scalar_one()
    await kill(url, number)


async def kill(url: str, number: int) -> None:
    async with models.engine_on(url) as other, other.connect() as connection:
        await connection.execute(text(KILL[other.dialect.name].format(number)))
    await asyncio.sleep(0.05)


async def add(app: App, name: str) -> None:
    async with app.unit() as unit:
        await unit.accounts.add(NewAccount(username=name), now=NOW)


async def add_for_ever(app: App) -> None:
    while True:
        await add(app, new_id())


async def test_a_connection_that_died_in_the_pool_is_replaced_unseen(server_url: str) -> None:
    async with models.app_on(server_url, models.with_uuid, SCHEMA, **ONE) as app:
        for number in range(2):
            await kill_the_pooled_connection(app, server_url)
            await add(app, f"writer-{number}")
            await kill_the_pooled_connection(app, server_url)
            async with app.unit(writes=False) as unit:
                assert await unit.accounts.by_username(f"writer-{number}")


async def test_a_connection_that_dies_after_a_write_ends_the_unit(server_url: str) -> None:
    async with models.app_on(server_url, models.with_uuid, SCHEMA, **ONE) as app:
        unit = app.database.unit(SCHEMA, ACME, writes=True)
        await unit.accounts.add(NewAccount(username="ada"), now=NOW)
        number = (await models.transaction_of(unit).read(text(OWN_ID[app.engine.dialect.name]))).scalar_one()
        await kill(server_url, number)
        with pytest.raises(DatabaseUnavailable):
            await unit.accounts.add(NewAccount(username="grace"), now=NOW)
        await unit.rollback()
        await add(app, "ada")  # neither of the two was stored


async def test_a_pool_that_gives_nothing_is_told_and_recovers(server_url: str) -> None:
    async with models.app_on(server_url, models.with_uuid, SCHEMA, **ONE) as app:
        holder = app.database.unit(SCHEMA, ACME, writes=False)
        await holder.accounts.find()
        with pytest.raises(DatabaseUnavailable):
            await add(app, "ada")
        await holder.rollback()
        await add(app, "ada")


async def test_a_server_that_is_gone_is_told_and_found_again(server_url: str) -> None:
    async with relay_to(server_url) as relay, models.app_on(relay.url, models.with_uuid, SCHEMA) as app:
        await add(app, "before")
        await relay.stop()
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await add(app, "meanwhile")
            with pytest.raises(DatabaseUnavailable):
                async with app.unit(writes=False) as unit:
                    await unit.accounts.find()
            with pytest.raises(DatabaseUnavailable):
                await app.database.open()
        await relay.start()
        await add(app, "meanwhile")


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
@pytest.mark.servers
async def test_a_server_that_is_killed_is_told(
    own_server: Callable[[str], AbstractContextManager[servers.Server]], kind: str
) -> None:
    with own_server(kind) as server:
        server.run_sql(servers.CREATE_DATABASE[kind].format("app"))
        url = servers.DATABASE_URL[kind].format(port=server.port, name="app")
        async with models.app_on(url, models.with_uuid, SCHEMA) as app:
            unit = app.database.unit(SCHEMA, ACME, writes=True)
            await unit.accounts.add(NewAccount(username="ada"), now=NOW)
            await asyncio.to_thread(server.kill)
            with suppress(DatabaseUnavailable):  # PostgreSQL's processes outlive their parent for a moment
                await unit.commit()
            await unit.rollback()
            async with asyncio.timeout(20):
                with pytest.raises(DatabaseUnavailable):
                    await add_for_ever(app)


async def test_errors_do_not_carry_what_was_to_be_stored(url: str) -> None:
    async with models.app_on(url, models.with_uuid, SCHEMA) as app:
        new = NewAccount(username="ada", password_hash="$secret-hash")
        async with app.unit() as unit:
            await unit.accounts.add(new, now=NOW)
        with pytest.raises(Taken) as taken:
            async with app.unit() as unit:
                await unit.accounts.add(replace(new, handle=new_handle()), now=NOW)
    assert "$secret-hash" not in "".join(traceback.format_exception(taken.value))


class Relay:
    """Stands between application and server, and can be taken away."""

    def __init__(self, url: str) -> None:
        self._to = make_url(url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.url = self._to.set(port=self._port).render_as_string(hide_password=False)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await asyncio.sleep(0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, away = await asyncio.open_connection("127.0.0.1", self._to.port)
        self._writers += [writer, away]
        await asyncio.gather(pump(reader, away), pump(there, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def relay_to(url: str) -> AsyncGenerator[Relay]:
    relay = Relay(url)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()
