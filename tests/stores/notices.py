"""What tests of a near cache on PostgreSQL do with their stores."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import URL, text

from powauth.clock import SystemClock
from powauth.sqlalchemy import SQLAlchemyStore
from powauth.stores import Key
from powauth.testing.store_contract import value_of
from powauth.testing.store_races import later


@asynccontextmanager
async def opened(url: str | URL, *, near_cache: bool = True, clock: object = None) -> AsyncGenerator[SQLAlchemyStore]:
    store = SQLAlchemyStore(url, clock=clock or SystemClock(), near_cache=near_cache)  # type: ignore[arg-type]
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def holds(store: SQLAlchemyStore, key: Key) -> bool:
    assert store.near_cache
    return store.near_cache.holds(key)


async def keep(store: SQLAlchemyStore, *keys: Key) -> None:
    """Have it put these, and read them until it holds them: what it hears of its own writes it lets go of, too."""
    for key in keys:
        await store.put(key, b"value", expires_at=later())
    async with asyncio.timeout(5):
        while not all(holds(store, key) for key in keys):
            for key in keys:
                assert await value_of(store, key) == b"value"
            await asyncio.sleep(0.01)


async def until(is_so: Callable[[], bool], *, within: float) -> None:
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110  nothing to wait for: it is a server that tells
            await asyncio.sleep(0.001)


async def by_hand(store: SQLAlchemyStore, statement: str) -> None:
    """Do what somebody with psql would."""
    await store._run(lambda db: db.execute(text(statement)))
