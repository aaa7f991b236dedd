"""Very many sessions in a SQLiteStore, put there faster than people could sign in."""

import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

BATCH = 100_000


def fill(path: Path, count: int, *, budget: float) -> int:
    """Copy one of the sessions in the file for so many accounts, or as many as the time allows; return how many."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        kind, value, expires_at = db.execute("SELECT kind, value, expires_at FROM entries LIMIT 1").fetchone()
        until, done = time.monotonic() + budget, 0
        while done < count and time.monotonic() < until:
            rows = _rows(kind, value, expires_at, range(done, min(done + BATCH, count)), count)
            db.execute("BEGIN")
            db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
            db.execute("COMMIT")
            done = min(done + BATCH, count)
            if done % (10 * BATCH) == 0 or done == count:
                print(f"    {done:,} sessions of {count:,} stored", file=sys.stderr, flush=True)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return done


def _rows(kind: str, value: bytes, expires_at: int, numbers: range, count: int) -> Iterator[tuple[object, ...]]:
    """Yield rows in the order of the table: owners spread evenly over all handles that there can be."""
    step = 2**128 // count
    for number in numbers:
        handle = number * step + random.randrange(step)
        yield kind, f"{handle:032x}", f"{random.getrandbits(128):032x}", value, number + 1, expires_at + number
