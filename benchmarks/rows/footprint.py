"""What sessions and processes take when nobody asks for anything."""

import asyncio
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from benchmarks import processes
from benchmarks.engines import postgres_url, valkey_url
from benchmarks.ours import make_auth, make_engine, new_account, new_session
from benchmarks.results import Result, Run, Verdict
from benchmarks.servers import serving
from powauth import MemoryStore, Store
from powauth.redis import RedisStore
from powauth.sqlalchemy import SQLAlchemyStore
from powauth.sqlite import SQLiteStore
from tests import servers as databases

SESSIONS = 10_000
RESTS = 5.0
"""Seconds for which a process is watched that nobody asks for anything."""

Size = Callable[[], Awaitable[int]]


def footprint(run: Run) -> Sequence[Result]:
    return [_per_session(run), _idle(run)]


def _per_session(run: Run) -> Result:
    with valkey_url() as url:
        server = databases.shared("valkey").pid
        before = processes.cpu(server)
        on_redis = asyncio.run(_growth(run.folder, RedisStore.from_url(url), lambda: _of_redis(url)))
        start = (processes.cpu(server) - before) / SESSIONS * 1e6
    with postgres_url() as url:
        on_postgres = asyncio.run(_growth(run.folder, SQLAlchemyStore(url), lambda: _of_postgres(url)))
    path = run.folder / "footprint.db"
    in_sqlite = asyncio.run(_growth(run.folder, SQLiteStore(path), lambda: _of_file(path)))
    tracemalloc.start()
    in_memory = asyncio.run(_growth(run.folder, MemoryStore(), _of_python))
    tracemalloc.stop()
    figures = {"memory": in_memory, "sqlite": in_sqlite, "redis": on_redis, "postgres": on_postgres}
    return Result(
        what="bytes that a session takes, one for each of many accounts: in memory, SQLite, Redis, PostgreSQL",
        bound="—",
        measured=", ".join(f"**{bytes_:,.0f}**" for bytes_ in figures.values()),
        numbers=f"what {SESSIONS:,} sessions added; indexes, keys and what engines leave free included;"
        f" to begin one takes {start:.1f} µs of Redis",
        holds=Verdict.UNASKED,
        figures={**{f"{name}.bytes": bytes_ for name, bytes_ in figures.items()}, "redis.start": start},
    )


async def _growth(folder: Path, store: Store, size: Size) -> float:
    """Return how many bytes more there are for each session."""
    auth, database = make_auth(make_engine(folder), store)
    await database.create_tables()
    await store.open()
    sessions = auth.plan.sessions("")
    await sessions.start(new_session(auth, new_account(auth)))
    before = await size()
    for _ in range(SESSIONS // 100):
        started = [sessions.start(new_session(auth, new_account(auth))) for _ in range(100)]
        await asyncio.gather(*started)
    del started
    after = await size()
    await store.close()
    await database.dispose()
    return (after - before) / SESSIONS


async def _of_python() -> int:
    return tracemalloc.get_traced_memory()[0]


async def _of_file(path: Path) -> int:
    return sum(found.stat().st_size for found in path.parent.glob(f"{path.name}*") if not found.name.endswith("-wal"))


async def _of_redis(url: str) -> int:
    async with Redis.from_url(url) as redis:
        return int((await redis.info("memory"))["used_memory"])


async def _of_postgres(url: str) -> int:
    db = await asyncpg.connect(url.replace("+asyncpg", ""))
    size = await db.fetchval("SELECT pg_total_relation_size('powauth_store')")
    await db.close()
    return int(size)


def _idle(run: Run) -> Result:
    with serving("powauth-memory", run.folder, sessions=1) as server:
        before = server.cpu()
        time.sleep(RESTS)
        idle, memory = (server.cpu() - before) / RESTS, processes.memory(server.pid) / 2**20
    bare = (
        float(subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True, text=True).stdout) / 2**20
    )
    return Result(
        what="a process that nobody asks for anything",
        bound="—",
        measured=f"**{memory:.0f}** MiB of memory; **{idle * 100:.2f}** % of a core",
        numbers=f"SQLAlchemy, Jinja and the pages included; Starlette and uvicorn alone have {bare:.0f} MiB",
        holds=Verdict.UNASKED,
        figures={"process.mib": memory, "process.idle": idle},
    )


BARE = """
import json, os, httptools, starlette.applications, starlette.responses, uvicorn, uvloop
from benchmarks import processes
print(processes.memory(os.getpid()))
"""
