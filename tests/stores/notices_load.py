"""The load of a near cache on PostgreSQL: the store that processes serve with, and twins of its cache."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from powauth.sqlalchemy import SQLAlchemyStore, feed
from powauth.sqlalchemy import store as store_module
from powauth.sqlalchemy.wires import Wire, connect
from powauth.stores import Entry, Key
from tests.stores.near_load import CACHES, PATIENCE

Connect = Callable[[URL | AsyncEngine], Coroutine[Any, Any, tuple[Wire, AsyncEngine]]]


class Slow(SQLAlchemyStore):
    """A store whose answers are on their way for a while, so that changes meet them."""

    async def _read(self, key: Key) -> Entry | None:
        entry = await super()._read(key)
        await asyncio.sleep(random.uniform(0, 0.006))
        return entry


def make_store(url: str, cache: str, port: int | None) -> SQLAlchemyStore:
    """Return a store, in a process of its own, with this cache; what tells of changes comes by this port."""
    store_module.NearCache = CACHES[cache]  # type: ignore[misc, attr-defined, unused-ignore]
    if port:
        feed.connect = by(port)  # type: ignore[attr-defined, assignment, unused-ignore]
    return Slow(url, near_cache=True, timeout=PATIENCE)


def by(port: int) -> Connect:
    """Return how to connect by another port than the store does."""

    async def by_road(database: URL | AsyncEngine) -> tuple[Wire, AsyncEngine]:
        assert isinstance(database, URL)
        return await connect(make_url(database).set(port=port))

    return by_road
