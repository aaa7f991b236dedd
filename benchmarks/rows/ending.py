"""Ending everything of one account, on servers that hold very many others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.bulk import fill_postgres, fill_redis
from benchmarks.engines import postgres_url, valkey_url
from benchmarks.ours import make_auth, make_engine, new_account, new_session, start_sessions
from benchmarks.results import Result, Run, Spread, verdict
from benchmarks.rows.sizes import THEIR_SESSIONS, end_all
from powauth import Store
from powauth.redis import RedisStore
from powauth.sqlalchemy import SQLAlchemyStore

FEW = 1000
READS = 300

Fill = Callable[[str, int, float], Awaitable[int]]


def redis(run: Run) -> Sequence[Result]:
    async def fill(url: str, count: int, budget: float) -> int:
        return await asyncio.to_thread(fill_redis, url, count, budget=budget)

    return _among(run, "Redis", valkey_url(), RedisStore.from_url, fill)


def postgres(run: Run) -> Sequence[Result]:
    async def fill(url: str, count: int, budget: float) -> int:
        return await fill_postgres(url, count, budget=budget)

    return _among(run, "PostgreSQL", postgres_url(), SQLAlchemyStore, fill)


def _among(
    run: Run, name: str, server: AbstractContextManager[str], make: Callable[[str], Store], fill: Fill
) -> Sequence[Result]:
    with server as url:
        return asyncio.run(_measured(run, name, url, make, fill))


async def _measured(run: Run, name: str, url: str, make: Callable[[str], Store], fill: Fill) -> Sequence[Result]:
    auth, database = make_auth(make_engine(run.folder), make(url))
    await start_sessions(auth, database, FEW)
    read_few, end_few = await _read(run.folder, make(url)), await end_all(run.folder, make(url))
    stored = FEW + await fill(url, run.many_on_servers - FEW, run.budget)
    read_many, end_many = await _read(run.folder, make(url)), await end_all(run.folder, make(url))
    return [
        Result(
            what=f"one read of a session among {stored:,} on {name}, beside among {FEW:,}",
            bound="≤ 1.1",
            measured=f"**{read_many.middle / read_few.middle:.2f}** ×",
            numbers=f"{read_many.text('.0f')} and {read_few.text('.0f')} µs, the way there and back included",
            holds=verdict(read_many.middle <= 1.1 * read_few.middle),
        ),
        Result(
            what=f"ending the {THEIR_SESSIONS} sessions of one account among {stored:,} on {name}, beside {FEW:,}",
            bound="cost of that account's sessions only",
            measured=f"**{end_many.middle / end_few.middle:.2f}** ×",
            numbers=f"{end_many.text('.0f')} and {end_few.text('.0f')} µs",
            holds=verdict(end_many.middle <= 1.5 * end_few.middle),
        ),
    ]


async def _read(folder: Path, store: Store) -> Spread:
    """Return how long a read takes, in microseconds: medians of some hundred, ten times."""
    auth, database = make_auth(make_engine(folder), store)
    await database.create_tables()
    await store.open()
    sessions = auth.plan.sessions("")
    started = [new_session(auth, new_account(auth)) for _ in range(READS)]
    for session in started:
        await sessions.start(session)
    medians: list[float] = []
    for _ in range(10):
        took: list[float] = []
        for session in started:
            began = time.perf_counter()
            if not await sessions.is_on(session):
                raise RuntimeError("a session is not where it was put")
            took.append((time.perf_counter() - began) * 1e6)
        medians.append(Spread(took).middle)
    await store.close()
    await database.dispose()
    return Spread(medians)
