"""MemoryStore keeps the contract, stays small, and refuses to be one of several."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from powauth.errors import ConfigurationError
from powauth.stores import Key, MemoryStore, Store
from powauth.testing.clock import FrozenClock
from powauth.testing.store_contract import HOUR, KEY, StoreContract
from powauth.workers import worker_count


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock) -> AsyncIterator[Store]:
        store = MemoryStore(clock)
        await store.open()
        yield store
        await store.close()


async def test_touching_a_session_for_a_day_leaves_one_entry_and_few_minutes_to_purge() -> None:
    clock = FrozenClock()
    store = MemoryStore(clock)
    for _ in range(24 * 60):
        await store.put(KEY, b"value", expires_at=clock.now() + HOUR)
        clock.move(timedelta(minutes=1))
        await store.purge()
    assert sum(map(len, store._due._minutes.values())) == 1
    assert len(store._due._order) <= 62


async def test_purge_leaves_nothing_behind_of_what_expired() -> None:
    clock = FrozenClock()
    store = MemoryStore(clock)
    for number in range(100):
        await store.put(Key("session", str(number), "1"), b"value", expires_at=clock.now() + HOUR)
    clock.move(2 * HOUR)
    assert await store.purge() == 100
    assert (store._entries, store._owned, store._due._minutes, store._due._order) == ({}, {}, {}, [])


async def test_a_process_that_is_one_of_several_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with pytest.raises(ConfigurationError, match="start one, or give Auth a store that processes share"):
        await MemoryStore().open()


async def test_one_worker_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    await MemoryStore().open()


async def test_a_forked_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    store, maker = MemoryStore(), os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: maker + 1)
    with pytest.raises(ConfigurationError, match="make Auth in the process that serves it"):
        await store.open()


@pytest.mark.parametrize(
    ("environ", "arguments", "count"),
    [
        ({}, [], 1),
        ({}, ["app.py", "--workers", "3"], 1),
        ({"WEB_CONCURRENCY": "3"}, ["app.py"], 3),
        ({"WEB_CONCURRENCY": "auto"}, ["app.py"], 1),
        ({}, ["/usr/bin/uvicorn", "app:app", "--workers", "3"], 3),
        ({}, ["/site-packages/uvicorn/__main__.py", "--workers=3", "app:app"], 3),
        ({}, ["C:\\Scripts\\uvicorn.exe", "app:app", "--workers", "3"], 3),
        ({}, ["gunicorn", "-w", "3", "app:app"], 3),
        ({}, ["hypercorn", "-w3", "app:app"], 3),
        ({}, ["fastapi", "run", "--workers", "3"], 3),
        ({"WEB_CONCURRENCY": "3"}, ["uvicorn", "--workers", "1", "app:app"], 1),
        ({}, ["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "app:app"], 1),
    ],
)
def test_the_number_of_workers_is_read_where_servers_read_it(
    environ: dict[str, str], arguments: list[str], count: int
) -> None:
    assert worker_count(environ, arguments) == count
