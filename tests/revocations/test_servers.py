"""Servers that die, freeze and are cut off with what they alone know: what was ended there stays ended."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth.errors import DatabaseUnavailable
from powauth.operations import lock_account
from powauth.redis import RedisStore
from powauth.redis.names import Names
from powauth.testing import FrozenClock, Site
from tests import servers
from tests.durability.outage import mortal
from tests.house import House, house, sign_up
from tests.revocations.pages import ADA, KNOWN_WITHIN, browser, copied, handle_of, sign_out, status
from tests.stores.network import network
from tests.stores.redis_sets import Cluster, Node, cluster, watched

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

PATIENCE = timedelta(seconds=1)
FAIL_OVER = 20.0  # seconds; with the time-outs of these servers it takes 1.5 to 4 on an idle machine
KIND = "valkey"
OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


class NaiveStore(RedisStore):
    """The twin: the same servers, and nothing beside them that remembers what ended."""

    @property
    def may_lose_writes(self) -> bool:
        return False


def process(
    folder: Path, at: str, *, kind: type[RedisStore] = RedisStore, **more: Any
) -> AbstractAsyncContextManager[House]:
    """Open one process: those with one folder share a database."""
    folder.mkdir(exist_ok=True)
    return house(folder, store=kind.from_url(at, timeout=PATIENCE), **more)


async def arrive(home: House, email: str) -> Site:
    site = browser(home)
    await sign_up(site, email)
    return site


async def until_served(site: Site) -> float:
    """Wait until somebody who was not signed out is served again, and return how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(FAIL_OVER):
        while await status(site) != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # what answers is a server, which tells nobody
    return time.monotonic() - began


async def lock(home: House, email: str) -> None:
    async with home.auth.begin() as ctx:
        await lock_account(ctx, await handle_of(home, email))


def cut_off(primary: Node, others: Sequence[Node]) -> None:
    """Let its replicas hear nothing of a primary any more, with all that they heard so far."""
    replicas = [node for node in others if node.says("replication", f"master_port:{primary.known_as}")]
    assert primary.ask("WAIT", len(replicas), 2000) == len(replicas) > 0
    for replica in replicas:
        replica.ask("CONFIG", "SET", "masterauth", "no such password")
    primary.ask("CLIENT", "KILL", "TYPE", "replica")
    for replica in replicas:
        servers.wait_until(lambda one=replica: one.says("replication", "master_link_status:down"), "the cut")  # type: ignore[misc]


async def test_a_primary_is_killed_before_anybody_heard_of_an_end(tmp_path: Path) -> None:
    with watched(KIND) as found:
        async with (
            process(tmp_path / "ours", found.url) as one,
            process(tmp_path / "ours", found.url) as two,
            process(tmp_path / "naive", found.url, kind=NaiveStore) as naive,
        ):
            ada, bob, eve = [await arrive(one, email) for email in (ADA, "bob@example.com", "eve@example.com")]
            twin = await arrive(naive, ADA)
            ended = [copied(site, home) for site in (ada, bob) for home in (one, two)]
            lost, kept = copied(twin), copied(eve, two)
            assert {await status(site) for site in (*ended, lost, kept)} == {200}
            await asyncio.to_thread(cut_off, found.primary, found.nodes)
            await sign_out(ada)
            await sign_out(twin)
            assert (await status(ended[0]), await status(ended[1]), await status(lost)) == (401, 401, 401)
            found.primary.kill()
            await lock(one, "bob@example.com")  # although nobody answers
            assert await status(ended[2]) == 503
            print(f"\nserved again after {await until_served(kept):.1f} s")
            assert [await status(site) for site in ended] == [401] * 4
            assert await status(lost) == 200


async def test_an_end_that_only_the_losing_side_of_a_split_knows_stays_an_end(tmp_path: Path) -> None:
    """A primary is cut off with what its replica never heard; the others name another one; all find together again."""
    with network() as between, cluster(KIND, between) as found:
        async with (
            process(tmp_path / "ours", found.url) as one,
            process(tmp_path / "ours", found.url) as two,
            process(tmp_path / "naive", found.url, kind=NaiveStore) as naive,
        ):
            ada = await arrive(one, ADA)
            lost = found.holder(await name_of(one, ADA))
            twin = await somebody_at(naive, found, lost.port)
            ended = [copied(ada, home) for home in (one, two)]
            lives = copied(twin)
            assert {await status(site) for site in (*ended, lives)} == {200}
            await asyncio.to_thread(cut_off, lost, found.nodes[3:])
            await sign_out(ada)
            await sign_out(twin)
            assert [await status(site) for site in (*ended, lives)] == [401, 401, 401]
            between.split(lost.port)
            await until_served(lives)
            assert [await status(site) for site in ended] == [401, 401]
            between.heal()
            await asyncio.to_thread(servers.wait_until, lambda: lost.says("replication", "role:slave"), "its demotion")
            assert [await status(site) for site in (*ended, lives)] == [401, 401, 200]


async def name_of(home: House, email: str) -> bytes:
    return Names("powauth").hash("powauth::session", await handle_of(home, email))


async def somebody_at(home: House, found: Cluster, port: int) -> Site:
    """Let people sign up until one's sessions are held by that server."""
    for number in range(40):
        email = f"{number}@example.com"
        site = await arrive(home, email)
        if found.holder(await name_of(home, email)).port == port:
            return site
    raise LookupError(port)


async def test_a_lock_is_known_when_a_frozen_server_goes_on_as_if_no_time_had_passed(
    own_server: OwnServer, tmp_path: Path
) -> None:
    clock = FrozenClock()
    with own_server(KIND) as server:
        url = f"redis://{servers.HOST}:{server.port}/0"
        async with process(tmp_path, url, clock=clock) as one, process(tmp_path, url, clock=clock) as two:
            ada = await arrive(one, ADA)
            there = copied(ada, two)
            assert (await status(ada), await status(there)) == (200, 200)
            os.kill(server.pid, signal.SIGSTOP)
            await lock(one, ADA)
            os.kill(server.pid, signal.SIGCONT)
            assert await status(ada) == 401
            clock.move(KNOWN_WITHIN)
            assert await status(there) == 401  # whose connection never failed


async def test_postgresql_is_stopped_and_started(own_server: OwnServer, tmp_path: Path) -> None:
    clock = FrozenClock()
    with own_server("postgres") as started, mortal(started) as postgres, own_server(KIND) as server:
        url = f"redis://{servers.HOST}:{server.port}/0"
        async with process(tmp_path, url, url=postgres.url, clock=clock) as home:
            site = await arrive(home, ADA)
            assert await status(site) == 200
            await asyncio.to_thread(postgres.kill)
            assert await status(site) == 200  # nothing is due yet
            assert (await site._ask("POST", "/sign-out", site._headers("POST"), b"")).status == 503
            with pytest.raises(DatabaseUnavailable):
                await lock(home, ADA)
            clock.move(KNOWN_WITHIN)
            assert await status(site) == 503
            await asyncio.to_thread(postgres.revive)
            assert await until_served(site) < FAIL_OVER
            ended = copied(site)
            await sign_out(site)
            assert await status(ended) == 401
