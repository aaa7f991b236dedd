"""Each server really answers, is empty when a test gets it, and ends when its run does."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from valkey.asyncio import Valkey

from tests import servers

OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


async def version(url: str) -> str:
    """Return what the server calls itself, by a real round trip that also writes."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE things (name VARCHAR(20))"))
            await connection.execute(text("INSERT INTO things VALUES ('é')"))
            assert (await connection.execute(text("SELECT name FROM things"))).scalar() == "é"
            select = "SELECT sqlite_version()" if url.startswith("sqlite") else "SELECT version()"
            return str((await connection.execute(text(select))).scalar())
    finally:
        await engine.dispose()


async def test_postgresql_18_answers(postgres_url: str) -> None:
    assert (await version(postgres_url)).startswith("PostgreSQL 18")


async def test_mariadb_answers(mariadb_url: str) -> None:
    assert "MariaDB" in await version(mariadb_url)


@pytest.mark.parametrize("_time", [1, 2])
async def test_a_database_is_empty_each_time(database_url: str, _time: int) -> None:
    assert await version(database_url)


async def test_valkey_answers(valkey_url: str) -> None:
    async with Valkey.from_url(valkey_url) as valkey:
        assert await valkey.dbsize() == 0
        await valkey.set("name", "ada")
        assert await valkey.get("name") == b"ada"


async def test_valkey_is_empty_again(valkey_url: str) -> None:
    async with Valkey.from_url(valkey_url) as valkey:
        assert await valkey.dbsize() == 0
        await valkey.set("name", "ada")


async def test_chromium_draws_letters(chromium_path: Path) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=[*servers.CHROMIUM_FLAGS])
        page = await browser.new_page()
        await page.set_content("<p id=a>quick brown fox</p><p id=b>quick brown fix</p>")
        # Without fonts every letter is the same empty box.
        assert await page.locator("#a").screenshot() != await page.locator("#b").screenshot()
        await browser.close()


@pytest.mark.parametrize("kind", ["postgres", "mariadb", "valkey", "redis", "openid", "emulate"])
def test_a_server_of_ones_own_can_be_killed(own_server: OwnServer, kind: str) -> None:
    with own_server(kind) as server:
        server.kill()
        servers.wait_until(lambda: not listens(server.port), "the port to close")
    assert not server.folder.exists()


def test_the_run_s_server_is_shared(own_server: OwnServer) -> None:
    assert servers.shared("valkey") == servers.shared("valkey")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_its_run_however_that_ends(own_server: OwnServer, end: signal.Signals) -> None:
    program = (
        "import sys; from tests import servers; run = servers.begin_run();"
        "server = servers.shared('postgres'); print(server.port, run, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root()
    ) as run:
        assert run.stdout
        port, folder = run.stdout.readline().split()
        assert listens(int(port))
        run.send_signal(end)
    servers.wait_until(lambda: not listens(int(port)) and not Path(folder).exists(), "the server to end")


def test_a_server_ends_with_its_keeper(own_server: OwnServer) -> None:
    with own_server("postgres") as server:
        os.kill(server.keeper, signal.SIGKILL)
        servers.wait_until(lambda: not listens(server.port), "the port to close")


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_databases_can_be_made_from_a_running_event_loop(own_server: OwnServer, kind: str) -> None:
    with servers.database(kind) as one, servers.database(kind) as other:
        assert one != other
        await asyncio.gather(version(one), version(other))


def root() -> Path:
    return Path(__file__).parent.parent


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((servers.HOST, port)) == 0
