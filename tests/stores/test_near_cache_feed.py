"""RedisStore(near_cache=True) asks nothing twice, hears what others change, and knows when it does not."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from powauth.errors import ConfigurationError
from powauth.redis import RedisStore
from powauth.stores import Key
from powauth.testing.store_contract import KEY, value_of
from powauth.testing.store_races import later
from tests import servers
from tests.stores.redis_sets import the_guide_s_user
from tests.stores.road import CALLS, Road

PATIENCE = timedelta(seconds=1)
SECOND = Key("session", "ada", "2")
OTHER = Key("session", "grace", "1")


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def admin(stack: AsyncExitStack, redis_url: str) -> Any:
    """Somebody else at the same server."""
    admin: Any = Redis.from_url(redis_url)
    stack.push_async_callback(admin.aclose)
    return admin


@pytest.fixture
async def road(stack: AsyncExitStack, redis_url: str) -> Road:
    road = Road(servers.HOST, int(redis_url.rpartition("/")[0].rpartition(":")[2]))
    await road.mend()
    stack.push_async_callback(road.cut)
    return road


async def opened(stack: AsyncExitStack, url: str, *, near_cache: bool = True) -> RedisStore:
    store = RedisStore.from_url(url, near_cache=near_cache, timeout=PATIENCE)
    await store.open()
    stack.push_async_callback(store.close)
    return store


@pytest.fixture
async def store(stack: AsyncExitStack, redis_url: str) -> RedisStore:
    return await opened(stack, redis_url)


@pytest.fixture
async def far(stack: AsyncExitStack, redis_url: str, road: Road) -> RedisStore:
    """A store at the other end of the road."""
    return await opened(stack, f"redis://{servers.HOST}:{road.port}/{redis_url.rpartition('/')[2]}")


def holds(store: RedisStore, key: Key = KEY) -> bool:
    return store.near_cache is not None and store.near_cache.holds(key)


def is_on(store: RedisStore) -> bool:
    return store.near_cache is not None and store.near_cache.is_on


async def until(is_so: Callable[[], bool], *, within: float) -> None:
    """Let others do what they do until this is so."""
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110  a server says so
            await asyncio.sleep(0.001)


async def test_a_session_that_was_read_is_not_asked_for_again(store: RedisStore, admin: Any) -> None:
    await store.put(KEY, b"value", expires_at=later())
    await admin.config_resetstat()
    for _ in range(100):
        assert await value_of(store, KEY) == b"value"
    assert (await admin.info("commandstats"))["cmdstat_hget"]["calls"] == 1


async def test_what_another_process_changes_is_let_go_at_once_and_what_others_have_is_not(
    stack: AsyncExitStack, store: RedisStore, redis_url: str
) -> None:
    another = await opened(stack, redis_url, near_cache=False)
    for key in (KEY, SECOND, OTHER):
        await another.put(key, b"value", expires_at=later())
    for change in (
        lambda: another.delete(KEY),
        lambda: another.put(KEY, b"new", expires_at=later()),
        lambda: another.take(SECOND),
        lambda: another.delete_all("session", "ada", keep=("2",)),
    ):
        await asyncio.gather(store.get(KEY), store.get(SECOND), store.get(OTHER))
        await change()
        await until(lambda: not holds(store, KEY) and not holds(store, SECOND), within=1)
        assert await store.get(KEY) == await another.get(KEY)
        assert holds(store, OTHER)


async def test_a_touch_that_came_second_reads_what_came_first(
    stack: AsyncExitStack, store: RedisStore, redis_url: str
) -> None:
    another = await opened(stack, redis_url)
    await store.put(KEY, b"old", expires_at=later())
    first, second = await store.get(KEY), await another.get(KEY)
    assert first
    assert second
    assert await another.replace(KEY, b"renewed", version=second.version, expires_at=later())
    assert not await store.replace(KEY, b"touched", version=first.version, expires_at=later())
    assert await value_of(store, KEY) == b"renewed"


async def test_a_server_that_is_emptied_empties_what_is_kept(store: RedisStore, admin: Any) -> None:
    await store.put(KEY, b"value", expires_at=later())
    await store.get(KEY)
    await admin.flushdb()
    await until(lambda: not holds(store), within=1)
    assert await store.get(KEY) is None


async def test_a_link_that_breaks_is_noticed_at_once_and_made_anew(store: RedisStore, admin: Any) -> None:
    await store.put(KEY, b"value", expires_at=later())
    await store.get(KEY)
    await admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await until(lambda: not holds(store), within=1)
    await until(lambda: is_on(store), within=3)
    assert not holds(store)


async def test_nothing_is_kept_while_the_server_is_out_of_reach(far: RedisStore, road: Road) -> None:
    await far.put(KEY, b"value", expires_at=later())
    await far.get(KEY)
    await road.cut()
    await until(lambda: not is_on(far), within=1)
    await road.mend()
    await until(lambda: is_on(far), within=3)
    assert not holds(far)
    assert await value_of(far, KEY) == b"value"


async def a_user(admin: Any, *rules: str) -> str:
    """Make a user with what the guide gives it, under a name that no other test has; return the name."""
    command, user = the_guide_s_user(), f"shop{secrets.token_hex(4)}"
    command[2] = user
    await admin.execute_command(*command, "+select", *rules)  # each worker of the tests has a database of its own
    return user


async def test_a_server_that_says_no_more_what_changes_is_read_through_and_check_says_so(
    stack: AsyncExitStack, admin: Any, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    user = await a_user(admin)
    store = await opened(stack, redis_url.replace("//", f"//{user}:password@"))
    await store.put(KEY, b"value", expires_at=later())
    assert not [one for one in await store.weaknesses() if one.code == "redis_reads_through"]
    await admin.execute_command("ACL", "SETUSER", user, "-client|tracking")
    await admin.execute_command("CLIENT", "KILL", "USER", user)
    await until(lambda: "reads everything through: Refused, NOPERM" in caplog.text, within=3)
    assert [one for one in await store.weaknesses() if one.code == "redis_reads_through"]
    assert await value_of(store, KEY) == b"value"
    assert not holds(store)
    await admin.execute_command("ACL", "DELUSER", user)


async def test_an_address_that_leads_to_another_server_is_noticed_at_the_first_connection(
    stack: AsyncExitStack, road: Road, redis_url: str
) -> None:
    """As when a name is given to a new server while the old one goes on: what tells of changes is still at the old."""
    far = await opened(stack, f"redis://{servers.HOST}:{road.port}")
    key = Key("session", f"of {road.port}", "1")
    await far.put(key, b"old", expires_at=later())
    await far.get(key)
    others = {servers.shared(kind).port for kind in servers.REDIS_KINDS} - {road.leads_to}
    road.lead_to(others.pop())
    await asyncio.gather(*(far.get(Key("session", str(number), "1")) for number in range(10)))  # more connections
    assert not holds(far, key)
    await until(lambda: is_on(far), within=3)
    assert await far.get(key) is None


async def test_a_server_that_refuses_to_say_what_changes_is_refused(admin: Any, redis_url: str) -> None:
    user = await a_user(admin, "-client|tracking")
    url = redis_url.replace("//", f"//{user}:password@")
    with pytest.raises(ConfigurationError, match="near_cache"):
        await RedisStore.from_url(url, near_cache=True).open()
    await admin.execute_command("ACL", "DELUSER", user)


async def test_a_user_with_no_more_than_the_guide_says_is_enough(
    stack: AsyncExitStack, admin: Any, redis_url: str
) -> None:
    user = await a_user(admin)
    store = await opened(stack, redis_url.replace("//", f"//{user}:password@"))
    for call in CALLS:
        await call(store)
    assert is_on(store)
    await admin.execute_command("ACL", "DELUSER", user)


async def test_a_store_that_is_closed_keeps_nothing_and_can_be_opened_again(store: RedisStore, admin: Any) -> None:
    await store.put(KEY, b"value", expires_at=later())
    await store.get(KEY)
    await store.close()
    assert store.near_cache is None
    assert [client for client in await admin.client_list() if "t" in client["flags"] or "B" in client["flags"]] == []
    await store.open()
    assert not holds(store)
    assert await value_of(store, KEY) == b"value"
