"""RedisStore keeps the contract on Redis and Valkey, and tells what was not done from what nobody knows."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.redis import RedisStore
from powauth.redis.failures import reasons
from powauth.redis.records import MARGIN, pack
from powauth.stores import Key, Store
from powauth.testing.clock import FrozenClock
from powauth.testing.store_contract import KEY, StoreContract, value_of
from powauth.testing.store_races import later
from tests import servers
from tests.stores.redis_sets import the_guide_s_user
from tests.stores.road import CALLS, Road

HOUR = timedelta(hours=1)
OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


class TestRedisStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, redis_url: str) -> AsyncIterator[Store]:
        store = RedisStore.from_url(redis_url, clock=clock)
        await store.open()
        yield store
        await store.close()


class TestRedisStoreWithNearCache(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, redis_url: str) -> AsyncIterator[Store]:
        store = RedisStore.from_url(redis_url, clock=clock, near_cache=True)
        await store.open()
        assert store.near_cache
        assert store.near_cache.is_on
        yield store
        await store.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def store(redis_url: str, clock: FrozenClock) -> AsyncIterator[RedisStore]:
    store = RedisStore.from_url(redis_url, clock=clock, timeout=timedelta(seconds=1))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def admin(redis_url: str) -> AsyncIterator[Any]:
    """Somebody else at the same server."""
    admin: Any = Redis.from_url(redis_url)
    yield admin
    await admin.aclose()


# ---- how it stands there ----


async def test_all_that_one_owner_has_of_one_kind_is_one_hash(store: RedisStore, admin: Any) -> None:
    for id in ("1", "2", "3"):
        await store.put(Key("session", "ada", id), b"value", expires_at=later())
    assert await admin.keys() == [b"powauth:{7:session:ada}"]
    await admin.delete("powauth:{7:session:ada}")
    assert await store.list("session", "ada") == []


async def test_no_other_kind_and_owner_give_the_same_hash(store: RedisStore, clock: FrozenClock) -> None:
    pairs = [
        ("a", "b:c"),
        ("a:b", "c"),
        ("a:b:c", ""),
        ("", "a:b:c"),
        ("a}", "b"),
        ("a", "}b"),
        ("1:a", "b"),
        ("{", "}"),
    ]
    for kind, owner in pairs:
        assert await store.add(Key(kind, owner, "1"), f"{kind} {owner}".encode(), expires_at=clock.now() + HOUR)
    for kind, owner in pairs:
        assert await value_of(store, Key(kind, owner, "1")) == f"{kind} {owner}".encode()


async def test_two_prefixes_share_nothing(redis_url: str, store: RedisStore) -> None:
    other = RedisStore.from_url(redis_url, prefix="other")
    await other.open()
    await store.put(KEY, b"value", expires_at=later())
    assert await other.get(KEY) is None
    assert await other.purge() == 0
    await other.close()


async def test_the_server_keeps_a_hash_until_its_last_entry_ends_and_no_longer(
    store: RedisStore, admin: Any, clock: FrozenClock
) -> None:
    clock.move(timedelta(days=-300))  # a clock that is wrong does not matter: the server is told a span
    for hours in (1, 3, 2):
        await store.put(Key("session", "ada", str(hours)), b"value", expires_at=clock.now() + hours * HOUR)
    left = timedelta(milliseconds=await admin.pttl("powauth:{7:session:ada}"))
    assert 3 * HOUR < left <= 3 * HOUR + MARGIN


async def test_what_has_ended_is_swept_away_when_its_owner_s_hash_grows(
    store: RedisStore, admin: Any, clock: FrozenClock
) -> None:
    for number in range(100):
        await store.put(Key("session", "ada", f"dead {number}"), b"value", expires_at=clock.now() + HOUR)
    await store.put(Key("session", "ada", "alive"), b"value", expires_at=clock.now() + 9 * HOUR)
    clock.move(2 * HOUR)
    for number in range(16):
        await store.put(Key("session", "ada", f"new {number}"), b"value", expires_at=clock.now() + HOUR)
    assert await admin.hlen("powauth:{7:session:ada}") <= 17 + 15
    assert len(await store.list("session", "ada")) == 17


async def test_purging_walks_over_all_owners_a_little_at_each_call(
    store: RedisStore, admin: Any, clock: FrozenClock
) -> None:
    for number in range(1500):
        await admin.hset(f"powauth:{{4:kind:{number}}}", "dead", pack(b"value", clock.now() - HOUR))
        await admin.hset(f"powauth:{{4:kind:{number}}}", "alive", pack(b"value", clock.now() + HOUR))
    await admin.config_resetstat()
    first = await store.purge()
    calls = (await admin.info("commandstats"))["cmdstat_scan"]["calls"]
    assert calls == 1
    assert 0 < first < 1500
    removed = [await store.purge() for _ in range(20)]
    assert first + sum(removed) == 1500
    assert await admin.hkeys("powauth:{4:kind:7}") == [b"alive"]


async def test_a_big_hash_is_purged_bit_by_bit(store: RedisStore, admin: Any, clock: FrozenClock) -> None:
    dead = {f"dead {number}": pack(b"value", clock.now() - HOUR) for number in range(3000)}
    await admin.hset("powauth:{7:session:ada}", mapping=dead | {"alive": pack(b"value", clock.now() + HOUR)})
    removed = []
    while count := await store.purge(limit=700):
        removed.append(count)
    assert max(removed) <= 700
    assert sum(removed) == 3000
    assert [id for id, _ in await store.list("session", "ada")] == ["alive"]


async def test_no_request_walks_over_the_keys(store: RedisStore, admin: Any) -> None:
    await admin.config_resetstat()
    for call in CALLS:
        if call is not CALLS[7]:  # purge, which no request calls
            await call(store)
    used = {name.removeprefix("cmdstat_") for name in await admin.info("commandstats")}
    assert not used & {"keys", "scan", "hscan", "sort", "randomkey"}


async def test_a_signed_in_request_costs_one_command(store: RedisStore, admin: Any) -> None:
    await store.put(KEY, b"value", expires_at=later())
    await admin.config_resetstat()
    await store.get(KEY)
    used = await admin.info("commandstats")
    assert {name: used[name]["calls"] for name in used if "config" not in name} == {"cmdstat_hget": 1}


# ---- what is none of ours ----

GARBAGE = [
    b"",
    b"{}",
    b"\x80\x04cos\nsystem\n",
    b"\x02" + pack(b"value", later())[1:],  # of a format to come
    pack(b"", later())[:16],  # cut off
    b"\x01" + b"\xff" * 8 + b"\x7f" + b"\xff" * 7,  # in a year that no calendar has
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_what_is_no_record_is_unknown_and_never_absent(store: RedisStore, admin: Any, garbage: bytes) -> None:
    await admin.hset("powauth:{7:session:ada}", "1", garbage)
    for call in (
        store.get(KEY),
        store.take(KEY),
        store.list("session", "ada"),
    ):
        with pytest.raises(StoreUnavailable):
            await call


@pytest.mark.parametrize("garbage", GARBAGE[:-1], ids=range(len(GARBAGE) - 1))
async def test_what_is_no_record_stops_nobody_from_ending_the_rest(
    store: RedisStore, admin: Any, garbage: bytes
) -> None:
    await admin.hset("powauth:{7:session:ada}", "garbage", garbage)
    await store.put(KEY, b"value", expires_at=later())
    with pytest.raises(StoreUnavailable):
        await store.increment(Key("session", "ada", "garbage"), expires_at=later())
    assert await store.delete_all("session", "ada") == 1
    assert not await admin.exists("powauth:{7:session:ada}")


async def test_a_key_that_is_no_hash_is_unknown(store: RedisStore, admin: Any) -> None:
    await admin.set("powauth:{7:session:ada}", "value")
    for call in (store.get(KEY), store.delete_all("session", "ada"), store.put(KEY, b"", expires_at=later())):
        with pytest.raises(StoreUnavailable):
            await call


@pytest.mark.parametrize("version", [-1, 2**63, 2**64, 2**80])
async def test_a_version_that_none_can_bear_is_refused(store: RedisStore, version: int) -> None:
    await store.put(KEY, b"value", expires_at=later())
    assert not await store.replace(KEY, b"new", version=version, expires_at=later())


# ---- a server that goes and comes back ----


@pytest.fixture
async def road(redis_url: str) -> AsyncIterator[Road]:
    road = Road(servers.HOST, int(redis_url.rsplit(":", 1)[1].partition("/")[0]))
    await road.mend()
    yield road
    await road.cut()


@pytest.fixture
async def far(redis_url: str, road: Road) -> AsyncIterator[RedisStore]:
    """A store at the other end of the road."""
    number = redis_url.rpartition("/")[2]
    url = f"redis://{servers.HOST}:{road.port}/{number}"
    store = RedisStore.from_url(url, timeout=timedelta(seconds=0.5), connections=5)
    try:
        await store.open()
        await store.put(KEY, b"1", expires_at=later())
        yield store
    finally:
        road.flow()
        await store.close()


async def test_a_server_that_is_gone_means_unavailable_and_never_absent(far: RedisStore, road: Road) -> None:
    await road.cut()
    for call in CALLS:
        with pytest.raises(StoreUnavailable):
            await call(far)
    await road.mend()
    assert await value_of(far, KEY) == b"1"


async def test_when_the_server_is_back_the_first_call_succeeds_whichever_it_is(far: RedisStore, road: Road) -> None:
    for call in CALLS:
        await asyncio.gather(*(far.get(KEY) for _ in range(5)))  # connections that will be dead
        await road.cut()
        await road.mend()
        await call(far)
    assert await far.get(KEY) is None


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(far: RedisStore, road: Road) -> None:
    road.stall()
    with pytest.raises(StoreUnavailable):
        await asyncio.gather(*(far.get(KEY) for _ in range(20)))  # most of them wait for a connection
    road.flow()
    assert await value_of(far, KEY) == b"1"


async def test_a_server_that_is_gone_refuses_to_open(far: RedisStore, road: Road) -> None:
    await far.close()
    await road.cut()
    with pytest.raises(StoreUnavailable):
        await far.open()
    await road.mend()
    await far.open()
    assert await value_of(far, KEY) == b"1"


async def test_a_write_whose_answer_is_lost_is_never_done_again(far: RedisStore, road: Road) -> None:
    counted = Key("limit", "nobody", "1")
    await far.increment(counted, expires_at=later())
    road.swallow()
    with pytest.raises(StoreUnavailable):
        await far.increment(counted, expires_at=later())
    road.answer()
    assert await far.increment(counted, expires_at=later()) == 3


async def test_a_value_whose_taking_is_unknown_is_not_given_to_the_next(far: RedisStore, road: Road) -> None:
    road.swallow()
    with pytest.raises(StoreUnavailable):
        await far.take(KEY)
    road.answer()
    assert await far.take(KEY) is None


async def test_who_leaves_early_leaves_no_answer_for_the_next(far: RedisStore, road: Road) -> None:
    secret = Key("session", "grace", "secret")
    await far.put(secret, b"of grace", expires_at=later())
    for milliseconds in range(20):
        road.stall()
        leaving = asyncio.create_task(far.get(secret))
        await asyncio.sleep(milliseconds / 1000)  # the visitor may leave at any point, so it is not placed
        leaving.cancel()
        road.flow()
        with suppress(asyncio.CancelledError):
            await leaving
        assert {await value_of(far, KEY) for _ in range(6)} == {b"1"}


async def test_no_more_connections_are_open_than_were_allowed(far: RedisStore, road: Road) -> None:
    await asyncio.gather(*(far.get(KEY) for _ in range(100)))
    assert road.count <= 5


async def test_a_loss_is_told_once_and_so_is_the_return(
    far: RedisStore, road: Road, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "powauth.redis")
    told: list[bool] = []
    far.watch(told.append)
    await road.cut()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await far.get(KEY)
    await road.mend()
    for _ in range(3):
        await far.get(KEY)
    assert told == [False, True]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_server_that_forgot_the_scripts_is_told_them_again(store: RedisStore, admin: Any) -> None:
    for call in CALLS:
        await admin.script_flush()
        await call(store)


async def test_what_is_stored_stands_in_no_error(
    store: RedisStore, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    secret = Key("session", "whose", "which")
    await admin.set("powauth:{7:session:whose}", "no hash")
    with pytest.raises(StoreUnavailable) as caught:
        await store.put(secret, b"private", expires_at=later())
    told = caplog.text + "".join(repr(error) for error in reasons(caught.value))
    assert "refuses: WRONGTYPE" in caplog.text
    assert not [word for word in ("private", "whose", "which") if word in told]


# ---- full, read-only, loading ----


@pytest.fixture(params=servers.REDIS_KINDS)
def server(request: pytest.FixtureRequest, own_server: OwnServer) -> Iterator[servers.Server]:
    with own_server(str(request.param)) as server:
        yield server


@pytest.fixture
async def own(server: servers.Server) -> AsyncIterator[tuple[RedisStore, Any]]:
    """A store on a server of its own, and that server's administrator."""
    url = f"redis://{servers.HOST}:{server.port}"
    store, admin = RedisStore.from_url(url), Redis.from_url(url)
    await store.open()
    yield store, admin
    await store.close()
    await admin.aclose()


async def test_a_full_server_takes_nothing_in_reads_on_and_ends_sessions(
    own: tuple[RedisStore, Any], caplog: pytest.LogCaptureFixture
) -> None:
    store, admin = own
    for id in ("1", "2", "3"):
        await store.put(Key("session", "ada", id), b"1", expires_at=later())
    await admin.config_set("maxmemory", "1")
    for write in (store.put(KEY, b"2", expires_at=later()), store.increment(KEY, expires_at=later())):
        with pytest.raises(StoreUnavailable):
            await write
    assert "refuses: OOM" in caplog.text
    assert await value_of(store, KEY) == b"1"
    assert await store.take(KEY)
    assert await store.delete_all("session", "ada") == 2


async def test_a_server_that_became_a_replica_is_neither_read_nor_written(own: tuple[RedisStore, Any]) -> None:
    store, admin = own
    await store.put(KEY, b"1", expires_at=later())
    with socket.socket() as nobody:
        nobody.bind((servers.HOST, 0))
        await admin.replicaof(servers.HOST, nobody.getsockname()[1])
        with pytest.raises(StoreUnavailable):
            await store.put(KEY, b"2", expires_at=later())
        with pytest.raises(StoreUnavailable):
            await store.get(KEY)
    await admin.replicaof("NO", "ONE")
    assert await value_of(store, KEY) == b"1"


async def test_a_server_with_too_few_replicas_is_unavailable(own: tuple[RedisStore, Any]) -> None:
    store, admin = own
    await admin.config_set("min-replicas-to-write", 1)
    with pytest.raises(StoreUnavailable):
        await store.put(KEY, b"1", expires_at=later())


async def test_an_end_that_no_replica_acknowledges_is_unknown(
    server: servers.Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"redis://{servers.HOST}:{server.port}"
    store = RedisStore.from_url(url, replicas=1, timeout=timedelta(seconds=0.4))
    await store.open()
    await store.put(KEY, b"1", expires_at=later())
    for _ in range(2):  # asked for again, it waits again, though nothing is left to end
        with pytest.raises(StoreUnavailable):
            await store.delete(KEY)
    with pytest.raises(StoreUnavailable):
        await store.delete_all("session", "ada")
    assert caplog.text.count("too few replicas") == 1
    assert await store.get(KEY) is None
    await store.close()


async def test_connections_that_the_server_closed_are_noticed_before_they_are_used(own: tuple[RedisStore, Any]) -> None:
    store, admin = own
    await admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await store.put(KEY, b"1", expires_at=later())
    assert await value_of(store, KEY) == b"1"


# ---- who may use it ----


async def test_a_user_with_no_more_than_the_guide_says_is_enough(own: tuple[RedisStore, Any]) -> None:
    _, admin = own
    await admin.execute_command(*the_guide_s_user())
    port = admin.connection_pool.connection_kwargs["port"]
    limited = RedisStore.from_url(f"redis://shop:password@{servers.HOST}:{port}")
    await limited.open()
    for call in CALLS:
        await call(limited)
    assert "redis_not_read" not in {one.code for one in await limited.weaknesses()}
    await limited.close()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [("-evalsha", "lacks a permission"), ("resetkeys", "lacks a permission"), ("off", "does not accept the user")],
)
async def test_what_a_user_may_not_is_said_when_it_opens(own: tuple[RedisStore, Any], rule: str, sentence: str) -> None:
    _, admin = own
    await admin.execute_command("ACL", "SETUSER", "shop", "on", ">secret", "~*", "+@all", rule)
    port = admin.connection_pool.connection_kwargs["port"]
    store = RedisStore.from_url(f"redis://shop:secret@{servers.HOST}:{port}")
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        await store.open()
    assert "secret" not in "".join(repr(error) for error in reasons(caught.value))


async def test_a_wrong_password_later_is_unavailable(own: tuple[RedisStore, Any]) -> None:
    store, admin = own
    await admin.config_set("requirepass", "changed")
    await admin.execute_command("AUTH", "changed")
    await admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(StoreUnavailable):
        await store.get(KEY)


async def test_a_database_that_is_not_there_is_said_when_it_opens(server: servers.Server) -> None:
    with pytest.raises(ConfigurationError, match="no database of this number"):
        await RedisStore.from_url(f"redis://{servers.HOST}:{server.port}/9999").open()


async def test_a_store_that_is_not_open_says_so() -> None:
    with pytest.raises(ConfigurationError, match="not open"):
        await RedisStore.from_url("redis://localhost").get(KEY)


async def test_a_store_that_was_opened_before_a_fork_says_so(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", partial(int, 1))
    with pytest.raises(ConfigurationError, match="before a fork"):
        await store.get(KEY)


# ---- what check says ----


async def test_check_names_eviction_and_a_restart_that_loses(own: tuple[RedisStore, Any]) -> None:
    store, admin = own
    await admin.config_set("maxmemory-policy", "allkeys-lru")
    assert {one.code for one in await store.weaknesses()} == {"redis_evicts", "redis_not_persistent"}
    await admin.config_set("maxmemory-policy", "noeviction")
    await admin.config_set("appendonly", "yes")
    assert await store.weaknesses() == []
