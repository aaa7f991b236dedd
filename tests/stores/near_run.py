"""A run of near caches under load: what is done to servers and connections, and what processes may accept meanwhile."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from powauth.redis.names import Names
from powauth.testing.contestants import Contestant, MakeStore
from tests import servers
from tests.stores.near_load import (
    KEEPS_WHAT_WAS_MET,
    NEVER_FLUSHES,
    OWNERS,
    REAL,
    Board,
    Report,
    Stale,
    make_store,
    serve,
)
from tests.stores.redis_sets import Cluster, Node, Watched
from tests.stores.road import Road

HEALTHY = 0.05
OTHERWISE = 2.0
"""Seconds for which a session may still be accepted after the answer that it ended."""


@dataclass
class Run:
    """What was done to the connections and when, and what each process reports at the end."""

    board: Board
    roads: Sequence[Road]
    began: float = field(default_factory=time.monotonic)
    disturbed: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    reports: dict[str, Report] = field(default_factory=dict[str, Report])

    @asynccontextmanager
    async def disturbing(self, *, after: float) -> AsyncGenerator[None]:
        """Mark the time in which connections are not healthy, and some seconds after it."""
        began = time.monotonic()
        yield
        await asyncio.sleep(after)
        self.disturbed.append((began, time.monotonic()))

    def bound(self, stale: Stale) -> float:
        """Return how much later than its end a session may have been accepted then."""
        is_disturbed = any(began < stale.accepted_at and stale.ended_at < ended for began, ended in self.disturbed)
        return OTHERWISE if is_disturbed else HEALTHY

    def breaches(self, who: str) -> list[str]:
        """Return what a process accepted later than it may: for how long after the end, from where, and when."""
        late = [stale for stale in self.reports[who].stale if stale.seconds > self.bound(stale)]
        return [
            f"{stale.name} {stale.seconds:.3f} s late from {'memory' if stale.from_memory else 'the server'},"
            f" {stale.accepted_at - self.began:.1f} s after the beginning"
            for stale in late
        ]

    def told(self, who: str) -> str:
        """Return what a process did, in a line."""
        report, breaches = self.reports[who], self.breaches(who)
        latest = {
            bound: max((stale.seconds for stale in report.stale if self.bound(stale) == bound), default=0.0)
            for bound in (HEALTHY, OTHERWISE)
        }
        return (
            f"{who}: {report.reads} reads, {report.hits} from memory, {report.unavailable} unavailable; accepted at"
            f" most {latest[HEALTHY] * 1000:.0f} ms after an end, {latest[OTHERWISE] * 1000:.0f} ms while disturbed;"
            f" {len(breaches)} breaches"
        )


@dataclass
class OnRedis(Run):
    """A run on several servers."""

    found: Cluster | Watched = field(kw_only=True)


Happening = Callable[[Any], Awaitable[None]]  # of a run of the kind that it is for


async def calm(_: Run) -> None:
    """Sessions are ended, and nothing else happens."""
    await asyncio.sleep(1.5)


async def freeze_links(run: Run) -> None:
    """Nothing comes through any more on what tells of changes, and nothing says so."""
    run.board.rest(on=True)
    await asyncio.sleep(0.7)  # much is kept by then
    async with run.disturbing(after=1.2):
        for road in run.roads:
            road.stall()
        run.board.rest(on=False)
        await asyncio.sleep(0.6)
        run.board.rest(on=True)  # whoever keeps something wrong is not told of it by the next change
        await asyncio.sleep(1.9)
        for road in run.roads:
            road.flow()
    run.board.rest(on=False)


async def break_links(run: OnRedis) -> None:
    """Servers end every connection."""
    async with run.disturbing(after=1):
        for node in run.found.nodes:
            with suppress(RedisError):  # one that is dead
                await asyncio.to_thread(node.ask, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def move_slots(run: OnRedis) -> None:
    """The sessions of some owners are carried to another primary. No connection suffers."""
    if isinstance(run.found, Cluster):
        for owner in range(0, OWNERS, 10):
            await asyncio.to_thread(_move, run.found, owner)


def _move(found: Cluster, owner: int) -> None:
    name = Names("powauth").hash("main::session", str(owner))
    source = found.holder(name)
    target = next(node for node in found.primaries if node != source)
    slot = source.ask("CLUSTER", "KEYSLOT", name)
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.ask("MIGRATE", servers.HOST, target.port, "", 0, 5000, "KEYS", *keys)
    for node in (target, source):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.ask("CLUSTER", "MYID"))


async def kill_a_primary(run: OnRedis) -> None:
    """A primary dies, and a replica takes its place."""
    async with _losing_a_primary(run) as victim:
        victim.kill()


async def freeze_a_primary(run: OnRedis) -> None:
    """A primary does nothing any more and keeps its connections, until a replica has taken its place for a while."""
    async with _losing_a_primary(run) as victim:
        victim.freeze()
    async with run.disturbing(after=1):
        victim.thaw()
        await _until(lambda: victim.says("replication", "role:slave"), "its demotion")


@asynccontextmanager
async def _losing_a_primary(run: OnRedis) -> AsyncGenerator[Node]:
    run.board.rest(on=True)
    await asyncio.sleep(0.3)  # what was answered as ended, replicas have; otherwise it may come back, cache or none
    async with run.disturbing(after=1.5):
        victim = primary_of(run.found)
        yield victim
        run.board.rest(on=False)
        await _until(lambda: _has_recovered(run.found, victim), "the fail-over")


def primary_of(found: Cluster | Watched) -> Node:
    """Return a primary."""
    return found.primaries[0] if isinstance(found, Cluster) else found.primary


def _has_recovered(found: Cluster | Watched, victim: Node) -> bool:
    if isinstance(found, Watched):
        return found.primary != victim and found.primary.says("replication", "role:master")
    others = [node for node in found.nodes if node != victim and node.says("server", "redis_mode:cluster")]
    return all(
        node.says("cluster", "cluster_state:ok") and node.says("cluster", "cluster_slots_ok:16384") for node in others
    )


async def _until(is_so: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(servers.wait_until, is_so, what, seconds=40)


async def run_through(found: Cluster | Watched, path: Path, happenings: Sequence[Happening]) -> Run:
    """Let two processes serve on Redis, and two twins read along, while all this happens; return what they saw."""
    async with AsyncExitStack() as stack:
        roads = [Road(servers.HOST, node.port) for node in found.nodes]
        for road in roads:
            await road.mend()
            stack.push_async_callback(road.cut)
        ways = {node.port: road.port for node, road in zip(found.nodes, roads, strict=True)}
        # Behind Sentinels two fail-overs may follow each other: what only the first primary had heard of comes back
        # then, cache or none. In these clusters a replica that took its primary's place has none itself.
        make = partial(make_store, found.url, replicas=int(isinstance(found, Watched)))
        makes: dict[str, MakeStore] = {
            "one": partial(make, REAL, {}),
            "another, by roads that freeze": partial(make, REAL, ways),
            KEEPS_WHAT_WAS_MET: partial(make, KEEPS_WHAT_WAS_MET, {}),
            NEVER_FLUSHES: partial(make, NEVER_FLUSHES, ways),
        }
        run = OnRedis(Board(path), roads, found=found)
        await serve_through(run, path, makes, happenings)
    return run


async def serve_through(run: Run, path: Path, makes: Mapping[str, MakeStore], happenings: Sequence[Happening]) -> None:
    """Let processes use these stores, of which the first two end sessions, while all this happens."""
    with _processes(makes) as processes:
        await asyncio.gather(*(asyncio.to_thread(processes[who].open, make) for who, make in makes.items()))
        run.began = time.monotonic()
        for number, process in enumerate(processes.values()):
            process.begin(serve, path, number, 2 if number < 2 else 0)
        for happening in happenings:
            print(f"{time.monotonic() - run.began:.1f} s: {happening.__name__}")
            await happening(run)
        run.board.finish()
        for who, process in processes.items():
            run.reports[who] = await asyncio.to_thread(process.finish)


def assert_kept(run: Run) -> None:
    """Assert that both processes kept the promise and used their memory, and that the twins were found out."""
    told = "\n".join(run.told(who) for who in run.reports)
    print(f"\n{run.board.ends} ends\n{told}")
    one, another, *twins = run.reports
    for who in (one, another):
        report = run.reports[who]
        assert run.breaches(who) == [], f"{told}\ndisturbed: {run.disturbed}, began {run.began}"
        assert report.wrong == 0
        assert report.hits > report.reads / 50, told
    assert twins == [KEEPS_WHAT_WAS_MET, NEVER_FLUSHES]
    assert all(run.breaches(twin) for twin in twins), told


@contextmanager
def _processes(names: Iterable[str]) -> Generator[dict[str, Contestant]]:
    found = {name: Contestant() for name in names}
    try:
        yield found
    finally:
        for process in found.values():
            process.end()
