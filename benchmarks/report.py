"""The table, and the page that it stands on."""

import importlib.metadata
import importlib.util
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load import CONNECTIONS, WRK
from benchmarks.results import Result, cores

README = Path(__file__).with_name("README.md")
PACKAGES = ("powauth", "starlette", "uvicorn", "uvloop", "httptools", "sqlalchemy", "aiosqlite", "asyncpg")


def table(results: Sequence[Result]) -> str:
    head = ("what", "promised", "measured: median (lowest to highest)", "holds", "Powauth and yardstick")
    rows = [(row.what, row.bound, row.measured, row.holds, row.numbers) for row in results]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))


def page(results: Sequence[Result]) -> str:
    return PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        python=platform.python_version(),
        system=f"{platform.system()} on {platform.machine()}",
        cores=cores(),
        versions=", ".join(_version(name) for name in PACKAGES),
        tool="wrk" if WRK else "the client of this folder",
        connections=CONNECTIONS,
        table=table(results),
    )


def _version(name: str) -> str:
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {name}"


PAGE = """\
# What Powauth costs

Measured on {date} with Python {python}, {system}, {cores} cores. {versions}. Load by {tool}.

{table}

This page is written by the run itself. To repeat it:

    apt-get install wrk     # optional: without it a client of this folder puts on the load, and reaches less
    make bench              # about seven minutes
    make bench-large        # the same with ten million sessions in each store: 6 GB of memory, 12 GB of disk, at most
                            # 10 minutes for each of three stores to fill; a store that is not full by then says so
    make bench ARGS="--rows memory,sqlite"      # some rows; they are shown, and this page stays as it is
    make bench ARGS="--quick"                   # whether it works at all

## How to read it

Each ratio is Powauth beside what a person would write by hand for one application, on the same framework (Starlette),
the same server (uvicorn, one worker) and the same requests: a browser's headers, {connections} connections that stay
open, a thousand sessions in turn, from a second process. The two run in turn and the order changes with each round.
`byhand.py` is the yardstick, `ours.py` the same page with Powauth; both are meant to be read.

The promise is about requests per second, which suffer when other programs use the machine: look at the lowest and the
highest. Beside them stands the ratio of processor time, as the server's own process counts it: steadier, and stricter,
as it leaves out most of what the network costs, which is the same for both. A promise holds, or does not, where the two
agree; where they do not, this says so.

"Blocked" is what the thread of the event loop computed between two ticks of a millisecond. How late the ticks came
stands beside it; that includes what other programs took.

## What stands in the way

What misses its promise, and why, as far as it was taken apart with a profiler:

- **A signed-in request** costs 8 to 9 µs more than the hand-written cookie, which checks a signature and nothing
  else. 2.4 µs are the two headers that no signed-in answer may lack (`Cache-Control`, `Vary`: the server looks at
  each); the rest is one middleware, one visit and five awaits of interpreted code. Nothing is asked or built that the
  request does not need.
- **In SQLite** the look-up itself costs 1 µs more: its key has three parts, and it brings the record's version along.
- **The near cache** adds half a microsecond to what memory costs, as it looks whether the servers still vouch for
  what it keeps, and less than one for the comparison with what was ended.
- **A sign-in** takes 2.2 to 2.6 ms of processor beside its hash, where the promise leaves 1: two queries, `BEGIN
  IMMEDIATE` and `COMMIT` through SQLAlchemy and aiosqlite's thread. Fewer would give up a lock that a promise hangs
  on.
- **While 16 clients sign in** both cores hash, and whoever asks waits for a turn of one. At rest a request is through
  in 0.7 ms, so the bound is two milliseconds. Not taken apart further.
"""
