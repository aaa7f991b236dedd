"""RedisStore on a cluster and behind Sentinels: servers die, freeze and change places, and nobody restarts anything."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest

from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.redis import RedisStore
from powauth.redis.names import Names
from powauth.stores import Key, Store
from powauth.testing.clock import FrozenClock
from powauth.testing.contestants import MakeStore
from powauth.testing.store_contract import KEY, StoreContract, value_of
from powauth.testing.store_races import RaceContract, later
from tests import servers
from tests.stores.network import network
from tests.stores.redis_sets import Cluster, Node, Watched, cluster, the_guide_s_user, watched
from tests.stores.road import CALLS

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

PATIENCE = timedelta(seconds=1)
FAIL_OVER = 15.0  # seconds; with the time-outs of these servers it takes 1.5 to 4 on an idle machine


@pytest.fixture(scope="module", params=servers.REDIS_KINDS)
def lasting(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster that nobody harms."""
    with cluster(str(request.param)) as found:
        yield found


@pytest.fixture
def empty(lasting: Cluster) -> Cluster:
    lasting.empty()
    return lasting


class TestRedisClusterStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, empty: Cluster) -> AsyncIterator[Store]:
        store = RedisStore.from_url(empty.url, clock=clock)
        await store.open()
        yield store
        await store.close()


class TestRedisClusterRaces(RaceContract):
    @pytest.fixture
    def make_store(self, empty: Cluster) -> MakeStore:
        return partial(RedisStore.from_url, empty.url)


async def test_one_address_of_a_cluster_is_enough(empty: Cluster) -> None:
    async with opened(f"redis+cluster://{empty.nodes[5].address}") as store:
        for number in range(50):
            key = Key("session", str(number), "1")
            await store.put(key, b"value", expires_at=later())
            assert await value_of(store, key) == b"value"


async def test_purging_walks_over_all_primaries(empty: Cluster) -> None:
    async with opened(empty.url) as store:
        for number in range(50):
            await store.put(Key("session", str(number), "dead"), b"", expires_at=later() - timedelta(days=1))
        assert sum([await store.purge() for _ in range(3)]) == 50


async def test_a_cluster_that_is_taken_for_one_server_is_told_from_it(empty: Cluster) -> None:
    for node in empty.nodes[:3]:
        with pytest.raises(ConfigurationError, match="part of a cluster"):
            await RedisStore.from_url(f"redis://{node.address}").open()


async def test_one_server_that_is_taken_for_a_cluster_is_told_from_it(redis_url: str) -> None:
    with pytest.raises(ConfigurationError, match="it is no cluster"):
        await RedisStore.from_url(redis_url.rpartition("/")[0].replace("redis", "redis+cluster")).open()


async def test_a_user_with_no_more_than_the_guide_says_is_enough_on_a_cluster(empty: Cluster) -> None:
    for node in empty.nodes:
        node.ask(*the_guide_s_user())
    async with opened(empty.url.replace("//", "//shop:password@"), replicas=1) as store:
        for call in CALLS:
            await call(store)


async def test_an_end_waits_for_a_replica_where_that_is_asked_for(empty: Cluster) -> None:
    async with opened(empty.url, replicas=1) as store:
        for call in CALLS:
            await call(store)
        assert not [one for one in await store.weaknesses() if one.code == "redis_replicas_not_asked"]
    async with opened(empty.url) as store:
        assert [one for one in await store.weaknesses() if one.code == "redis_replicas_not_asked"]


async def test_slots_that_move_under_load_lose_nothing(empty: Cluster) -> None:
    """A slot is carried from one primary to another, as an administrator does it, while its owner is counted."""
    source = empty.holder(Names("powauth").hash(KEY.kind, KEY.owner))
    target = next(node for node in empty.primaries if node != source)
    name = Names("powauth").hash(KEY.kind, KEY.owner)
    slot = source.ask("CLUSTER", "KEYSLOT", name)
    async with opened(empty.url) as store:
        await store.increment(KEY, expires_at=later())
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
        assert await store.increment(KEY, expires_at=later()) == 2
        source.ask("MIGRATE", servers.HOST, target.port, name, 0, 5000)
        assert await store.increment(KEY, expires_at=later()) == 3  # ASK
        assert await value_of(store, KEY) == b"3"
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.ask("CLUSTER", "MYID"))
        assert await store.increment(KEY, expires_at=later()) == 4  # MOVED
        assert await store.increment(KEY, expires_at=later()) == 5


# ---- servers that die and freeze ----


@pytest.fixture(params=servers.REDIS_KINDS)
def mortal(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with cluster(str(request.param)) as found:
        yield found


@pytest.fixture(params=servers.REDIS_KINDS)
def guarded(request: pytest.FixtureRequest) -> Iterator[Watched]:
    with watched(str(request.param)) as found:
        yield found


OWNERS = [str(number) for number in range(60)]


@dataclass
class Load:
    """Visitors who come without pause: each reads its session, then counts something."""

    store: RedisStore
    unavailable: Counter[str] = field(default_factory=Counter[str])
    absent: list[str] = field(default_factory=list[str])
    longest: float = 0
    last_failure: float = 0
    served: set[str] = field(default_factory=set[str])

    async def visit(self, owner: str) -> None:
        await self._attempt("read", self._read(owner))
        await self._attempt("count", self.store.increment(Key("limit", owner, "1"), expires_at=later()))

    async def _read(self, owner: str) -> None:
        if await self.store.get(Key("session", owner, "1")) is None:
            self.absent.append(owner)
        self.served.add(owner)

    async def _attempt(self, what: str, work: Awaitable[object]) -> None:
        began = time.monotonic()
        try:
            await work
        except StoreUnavailable:
            self.unavailable[what] += 1
            self.last_failure = time.monotonic()
            await asyncio.sleep(0.02)
        finally:
            self.longest = max(self.longest, time.monotonic() - began)

    async def run(self, until: Callable[[], bool], *, seconds: float = FAIL_OVER) -> float:
        """Let them come until this is so, and return when the last of them was turned away, in seconds from now."""
        began = time.monotonic()

        async def visitor(number: int) -> None:
            while not until():
                if time.monotonic() > began + seconds:
                    raise TimeoutError(f"{self.unavailable}, served {len(self.served)}")
                for owner in OWNERS[number::6]:
                    await self.visit(owner)
                await asyncio.sleep(0)

        await asyncio.gather(*(visitor(number) for number in range(6)))
        return self.last_failure - began if self.last_failure else 0.0

    async def until_all_are_served_again(self) -> float:
        """Return after how many seconds everybody was served for a while."""

        def is_calm() -> bool:
            if not self.last_failure:
                self.served.clear()
            return (
                bool(self.last_failure) and time.monotonic() - self.last_failure > 1 and len(self.served) == len(OWNERS)
            )

        return await self.run(is_calm)


@asynccontextmanager
async def opened(url: str, *, replicas: int = 0) -> AsyncGenerator[RedisStore]:
    store = RedisStore.from_url(url, timeout=PATIENCE, replicas=replicas)
    await store.open()
    yield store
    await store.close()


async def signed_in(store: RedisStore, primaries: Callable[[], Sequence[Node]]) -> Load:
    """Let everybody sign in, and wait until replicas have it."""
    for owner in OWNERS:
        await store.put(Key("session", owner, "1"), owner.encode(), expires_at=later())
    goals = [(primary, offsets(primary)[0]) for primary in primaries()]

    def have_it() -> bool:
        return all(min(offsets(primary)[1], default=-1) >= goal for primary, goal in goals)

    await asyncio.to_thread(servers.wait_until, have_it, "the replicas")
    return Load(store)


def offsets(primary: Node) -> tuple[int, Sequence[int]]:
    """Return how much a primary has told, and how much of it each replica has acknowledged."""
    info = primary.ask("INFO", "replication").decode()
    said = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    replicas = [value for name, value in said.items() if name.startswith("slave") and "offset=" in value]
    heard = [int(value.partition("offset=")[2].partition(",")[0]) for value in replicas]
    return int(said["master_repl_offset"]), heard


def assert_survived(load: Load, seconds: float) -> None:
    assert load.absent == []
    assert load.unavailable  # it was noticed
    assert load.longest < PATIENCE.total_seconds() + 1
    assert seconds < FAIL_OVER
    print(
        f"\n{os.environ.get('PYTEST_CURRENT_TEST')}: {seconds:.1f} s, longest {load.longest:.2f} s, {load.unavailable}"
    )


async def test_a_primary_of_a_cluster_is_killed_under_load(mortal: Cluster) -> None:
    async with opened(mortal.url) as store:
        load = await signed_in(store, lambda: mortal.primaries)
        mortal.primaries[0].kill()
        assert_survived(load, await load.until_all_are_served_again())


async def test_a_primary_of_a_cluster_freezes_and_comes_back_as_a_replica(mortal: Cluster) -> None:
    async with opened(mortal.url) as store:
        load = await signed_in(store, lambda: mortal.primaries)
        frozen = mortal.primaries[-1]
        frozen.freeze()
        assert_survived(load, await load.until_all_are_served_again())
        ended = [owner for owner in OWNERS if await store.delete(Key("session", owner, "1"))]
        assert ended == OWNERS
        frozen.thaw()
        await asyncio.to_thread(
            servers.wait_until, lambda: frozen.says("replication", "role:slave"), "its demotion", seconds=40
        )
        for owner in OWNERS:
            assert await store.get(Key("session", owner, "1")) is None


@pytest.mark.parametrize("kind", [kind for kind in servers.REDIS_KINDS if "like" not in kind])
async def test_a_network_that_splits_and_heals_brings_nothing_back(kind: str) -> None:
    """A primary is cut off with what it knows: the rest names another, and when it is back it learns what happened."""
    with network() as between, cluster(kind, between) as found:
        async with opened(found.url) as store:
            load = await signed_in(store, lambda: found.primaries)
            lost = found.primaries[1]
            between.split(lost.port)
            assert_survived(load, await load.until_all_are_served_again())
            assert [owner for owner in OWNERS if await store.delete(Key("session", owner, "1"))] == OWNERS
            assert lost.says("cluster", "cluster_state:fail")  # whoever is cut off with it is refused
            between.heal()
            await asyncio.to_thread(servers.wait_until, lambda: lost.says("replication", "role:slave"), "its demotion")
            assert [owner for owner in OWNERS if await store.get(Key("session", owner, "1"))] == []
            for owner in OWNERS:
                await store.put(Key("session", owner, "2"), b"value", expires_at=later())


async def test_a_primary_behind_sentinels_is_killed_under_load(guarded: Watched) -> None:
    async with opened(guarded.url) as store:
        load = await signed_in(store, lambda: [guarded.primary])
        guarded.primary.kill()
        assert_survived(load, await load.until_all_are_served_again())


async def test_a_primary_behind_sentinels_freezes_and_comes_back_as_a_replica(guarded: Watched) -> None:
    async with opened(guarded.url) as store:
        load = await signed_in(store, lambda: [guarded.primary])
        frozen = guarded.primary
        frozen.freeze()
        assert_survived(load, await load.until_all_are_served_again())
        for owner in OWNERS:
            assert await store.delete(Key("session", owner, "1"))
        frozen.thaw()
        await asyncio.to_thread(
            servers.wait_until, lambda: frozen.says("replication", "role:slave"), "its demotion", seconds=40
        )
        for owner in OWNERS:
            assert await store.get(Key("session", owner, "1")) is None


async def test_a_sentinel_that_is_gone_is_not_missed(guarded: Watched) -> None:
    guarded.sentinels[0].kill()
    async with opened(guarded.url) as store:
        await store.put(KEY, b"value", expires_at=later())
        assert await value_of(store, KEY) == b"value"
    for sentinel in guarded.sentinels[1:]:
        sentinel.kill()
    with pytest.raises(StoreUnavailable):
        await RedisStore.from_url(guarded.url, timeout=PATIENCE).open()


async def test_a_primary_that_no_sentinel_knows_by_this_name_is_said_when_it_opens(guarded: Watched) -> None:
    with pytest.raises(ConfigurationError, match="watch no primary of this name"):
        await RedisStore.from_url(guarded.url.replace("/main", "/other")).open()
