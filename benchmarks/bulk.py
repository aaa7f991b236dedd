"""Very many sessions in a store, put there faster than people could sign in: copies of one that is there already."""

import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
from redis import Redis

BATCH = 100_000


def steadily(put: Callable[[range], None], count: int, *, budget: float) -> int:
    """Put so many there, batch by batch, or as many as the time allows; say how far it is, and return how many."""
    began, done = time.monotonic(), 0
    while done < count and time.monotonic() - began < budget:
        batch = range(done, min(done + BATCH, count))
        put(batch)
        done = batch.stop
        if done % (10 * BATCH) == 0 or done == count:
            took = time.monotonic() - began
            print(f"    {done:,} sessions of {count:,} stored in {took:.0f} s", file=sys.stderr, flush=True)
    return done


def fill(path: Path, count: int, *, budget: float) -> int:
    """Copy one of the sessions in a SQLite file for so many accounts."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        kind, value, expires_at = db.execute("SELECT kind, value, expires_at FROM entries LIMIT 1").fetchone()

        def put(numbers: range) -> None:
            db.execute("BEGIN")
            rows = _rows(kind, value, expires_at, numbers, count)
            db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.execute("COMMIT")

        done = steadily(put, count, budget=budget)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return done


def _rows(kind: str, value: bytes, expires_at: int, numbers: range, count: int) -> Iterator[tuple[object, ...]]:
    """Yield rows in the order of the table: owners spread evenly over all handles that there can be."""
    step = 2**128 // count
    for number in numbers:
        handle = number * step + random.randrange(step)
        yield kind, f"{handle:032x}", f"{random.getrandbits(128):032x}", value, number + 1, expires_at + number


def fill_redis(url: str, count: int, *, budget: float) -> int:
    """Copy one of the hashes on a Redis for so many accounts."""
    with closing(Redis.from_url(url)) as redis:
        name = next(iter(redis.scan_iter(match="*session*", count=1000)))
        start, payload, lives = name[:-33], redis.dump(name), redis.pttl(name)

        def put(numbers: range) -> None:
            for first in numbers[::5000]:
                with redis.pipeline(transaction=False) as pipeline:
                    for _ in range(first, min(first + 5000, numbers.stop)):
                        pipeline.restore(start + b"%032x}" % random.getrandbits(128), lives, payload)
                    pipeline.execute()

        return steadily(put, count, budget=budget)


async def fill_postgres(url: str, count: int, *, budget: float) -> int:
    """Copy one of the rows on a PostgreSQL for so many accounts."""
    db = await asyncpg.connect(url.replace("+asyncpg", ""))
    began, done = time.monotonic(), 0
    while done < count and time.monotonic() - began < budget:
        batch = min(BATCH, count - done)
        await db.execute(COPY, batch)
        done += batch
        if done % (10 * BATCH) == 0 or done == count:
            print(f"    {done:,} sessions of {count:,} stored", file=sys.stderr, flush=True)
    await db.execute("ANALYZE powauth_store")
    await db.close()
    return done


COPY = """
INSERT INTO powauth_store (kind, owner, id, value, version, expires_at)
SELECT kind, convert_to(md5(random()::text), 'UTF8'), convert_to(md5(random()::text), 'UTF8'), value, version + number,
    expires_at + number
FROM generate_series(1, $1::bigint) AS number, (SELECT * FROM powauth_store LIMIT 1) AS one
"""
