"""What it costs that very many others are signed in."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.load import interleaved
from benchmarks.ours import make_auth, make_engine, new_account, new_session
from benchmarks.results import Result, Run, Spread, verdict
from benchmarks.servers import serving
from powauth import Store
from powauth.sqlite import SQLiteStore

ACCOUNTS = 20
THEIR_SESSIONS = 100


def sizes(run: Run) -> Sequence[Result]:
    few, many = run.folder / "powauth-sqlite", run.folder / "powauth-sqlite-full"
    with (
        serving("powauth-sqlite-full", run.folder, sessions=run.many, budget=str(run.budget)) as full,
        serving("powauth-sqlite", run.folder) as small,
    ):
        told = interleaved([small, full], rounds=run.rounds, seconds=run.seconds)
    stored = count(many / "sessions.db")
    pairs = list(zip(told[full.name], told[small.name], strict=True))
    slower = Spread([ours.cpu / theirs.cpu for ours, theirs in pairs])
    by_rate = Spread([theirs.per_second / ours.per_second for ours, theirs in pairs])
    among_many, among_few = (
        asyncio.run(end_all(run.folder, SQLiteStore(each / "sessions.db"))) for each in (many, few)
    )
    return [
        Result(
            what=f"a signed-in request with {stored:,} sessions in SQLite, beside 1,000",
            bound="≤ 1.1",
            measured=f"{by_rate.text()}; by processor time {slower.text()}",
            numbers=f"{Spread([ours.cpu for ours, _ in pairs]).middle:.1f} and "
            f"{Spread([theirs.cpu for _, theirs in pairs]).middle:.1f} µs of processor",
            holds=verdict(by_rate.middle <= 1.1, slower.middle <= 1.1),
        ),
        Result(
            what=f"ending the {THEIR_SESSIONS} sessions of one account among {stored:,}, beside among 1,000",
            bound="cost of that account's sessions only",
            measured=f"**{among_many.middle / among_few.middle:.2f}** ×",
            numbers=f"{among_many.text('.0f')} and {among_few.text('.0f')} µs",
            holds=verdict(among_many.middle <= 1.5 * among_few.middle),
        ),
    ]


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM entries").fetchone()[0])


async def end_all(folder: Path, store: Store) -> Spread:
    """Return how long it took, in microseconds, for each of some accounts."""
    auth, database = make_auth(make_engine(folder), store)
    await database.create_tables()
    await auth.plan.store.open()
    sessions = auth.plan.sessions("")
    accounts = [new_account(auth) for _ in range(ACCOUNTS)]
    for account in accounts:
        for _ in range(THEIR_SESSIONS):
            await sessions.start(new_session(auth, account))
    took: list[float] = []
    for account in accounts:
        began = time.perf_counter()
        ended = await sessions.end_others(account.handle, keep=None)
        took.append((time.perf_counter() - began) * 1e6)
        if ended != THEIR_SESSIONS:
            raise RuntimeError(f"{ended} sessions ended")
    await auth.plan.store.close()
    await database.dispose()
    return Spread(took)
