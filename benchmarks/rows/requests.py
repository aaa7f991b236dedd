"""Signed-in requests per second, beside an application that does the same by hand."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.load import interleaved
from benchmarks.results import Result, Run, Spread, Verdict, verdict
from benchmarks.servers import Server, serving
from tests import servers as databases


def memory(run: Run) -> Sequence[Result]:
    with serving("powauth-memory", run.folder) as ours, serving("byhand-cookie", run.folder) as byhand:
        what = "a signed-in request, session in memory, beside a hand-written signed cookie alone"
        return [compared(run, what, ours, byhand, bound=0.90)]


def sqlite(run: Run) -> Sequence[Result]:
    with serving("powauth-sqlite", run.folder) as ours, serving("byhand-sqlite", run.folder) as byhand:
        what = "a signed-in request, session in SQLite, beside a hand-written signed cookie and one sqlite3 look-up"
        return [compared(run, what, ours, byhand, bound=0.80)]


def postgres(run: Run) -> Sequence[Result]:
    what = "a signed-in request, session in PostgreSQL, beside a hand-written signed cookie and one asyncpg look-up"
    with postgres_url() as url, ExitStack() as stack:
        plain = url.replace("+asyncpg", "")
        ours = stack.enter_context(serving("powauth-postgres", run.folder, url=url))
        byhand = stack.enter_context(serving("byhand-postgres", run.folder, url=plain))
        return [compared(run, what, ours, byhand, bound=None)]


def redis(run: Run) -> Sequence[Result]:
    what = "a signed-in request, session on Redis (Valkey), beside a hand-written signed cookie and one Redis read"
    with valkey_url() as url, ExitStack() as stack:
        ours = stack.enter_context(serving("powauth-redis", run.folder, url=url))
        byhand = stack.enter_context(serving("byhand-redis", run.folder, url=url))
        return [compared(run, what, ours, byhand, bound=0.90)]


def nothing(run: Run) -> Sequence[Result]:
    """For scale: what the hand-written cookie costs a page that asks for nothing."""
    with serving("byhand-cookie", run.folder) as cookie, serving("nothing", run.folder) as plain:
        what = "for scale: a hand-written signed cookie alone, beside no authentication at all"
        return [compared(run, what, cookie, plain, bound=None)]


def compared(run: Run, what: str, ours: Server, byhand: Server, *, bound: float | None) -> Result:
    told = interleaved([ours, byhand], rounds=run.rounds, seconds=run.seconds)
    pairs = list(zip(told[ours.name], told[byhand.name], strict=True))
    ratio = Spread([mine.per_second / theirs.per_second for mine, theirs in pairs])
    by_cpu = Spread([theirs.cpu / mine.cpu for mine, theirs in pairs])
    mine, theirs = (Spread([load.per_second for load in told[each.name]]).middle for each in (ours, byhand))
    cost, their_cost = (Spread([load.cpu for load in told[each.name]]).middle for each in (ours, byhand))
    return Result(
        what=what,
        bound="—" if bound is None else f"≥ {bound:.2f}",
        measured=f"{ratio.text()}; by processor time {by_cpu.text()}",
        numbers=f"{mine:,.0f} and {theirs:,.0f} requests/s; {cost:.1f} and {their_cost:.1f} µs of processor each",
        holds=Verdict.UNASKED if bound is None else verdict(ratio.middle >= bound, by_cpu.middle >= bound),
    )


@contextmanager
def postgres_url() -> Iterator[str]:
    """Start PostgreSQL for this row alone."""
    with own_servers(), databases.database("postgres") as url:
        yield url


@contextmanager
def valkey_url() -> Iterator[str]:
    """Start Valkey for this row alone."""
    with own_servers():
        yield databases.empty_valkey()


@contextmanager
def own_servers() -> Iterator[None]:
    """End what is started meanwhile."""
    folder = databases.begin_run()
    try:
        yield
    finally:
        databases.end_run(folder)
        os.environ.pop(databases.RUN, None)
