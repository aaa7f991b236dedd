"""Near caches over PostgreSQL accept nothing that ended longer ago than promised, whatever happens to connections.

The same run as on Redis: every answer is compared with a log of ends, and two twins have to be found out.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from powauth.testing.contestants import MakeStore
from tests import servers
from tests.durability.outage import Mortal, mortal
from tests.stores.near_load import KEEPS_WHAT_WAS_MET, NEVER_FLUSHES, REAL, Board
from tests.stores.near_run import Happening, Run, assert_kept, calm, freeze_links, serve_through
from tests.stores.notices_load import make_store
from tests.stores.road import Road

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

ROUNDS = int(os.environ.get("NEAR_CACHE", "0"))
DRIVERS = ("asyncpg", "psycopg")
OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


@dataclass
class OnPostgreSQL(Run):
    """A run on one server."""

    found: Mortal = field(kw_only=True)


async def kill_the_server(run: OnPostgreSQL) -> None:
    """It ends as by a power cut, and is there again after a while."""
    async with run.disturbing(after=1.2):
        await asyncio.to_thread(run.found.kill)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(run.found.revive)


async def break_connections(run: OnPostgreSQL) -> None:
    """The server ends every connection."""
    async with run.disturbing(after=1.2):
        everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await asyncio.to_thread(run.found.server.run_sql, everybody)


async def run_through(found: Mortal, driver: str, path: Path, happenings: Sequence[Happening]) -> Run:
    """Let two processes serve, and two twins read along, while all this happens; return what they saw."""
    url, road = found.url.replace("asyncpg", driver), Road(servers.HOST, found.server.port)
    await road.mend()
    makes: dict[str, MakeStore] = {
        "one": partial(make_store, url, REAL, None),
        "another, by a road that freezes": partial(make_store, url, REAL, road.port),
        KEEPS_WHAT_WAS_MET: partial(make_store, url, KEEPS_WHAT_WAS_MET, None),
        NEVER_FLUSHES: partial(make_store, url, NEVER_FLUSHES, road.port),
    }
    run = OnPostgreSQL(Board(path), [road], found=found)
    try:
        await serve_through(run, path, makes, happenings)
    finally:
        await road.cut()
    return run


async def test_nothing_that_ended_is_accepted_while_notices_freeze_and_the_server_is_killed(
    own_server: OwnServer, tmp_path: Path
) -> None:
    with own_server("postgres") as server, mortal(server) as found:
        happenings = (calm, freeze_links, kill_the_server, calm)
        assert_kept(await run_through(found, "asyncpg", tmp_path / "board", happenings))


@pytest.mark.skipif(not ROUNDS, reason="takes minutes: make near-cache")
@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_same_for_longer_with_both_drivers(
    own_server: OwnServer, driver: str, number: int, tmp_path: Path
) -> None:
    with own_server("postgres") as server, mortal(server) as found:
        happenings = (calm, freeze_links, calm, break_connections, kill_the_server, calm, freeze_links) * (1 + number)
        assert_kept(await run_through(found, driver, tmp_path / "board", (*happenings, calm)))
