"""Signed-in requests per second, beside an application that does the same by hand."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.client import answer, reading
from benchmarks.engines import postgres_url, valkey_url
from benchmarks.load import interleaved
from benchmarks.results import Result, Run, Spread, Verdict, verdict
from benchmarks.servers import Server, serving
from powauth.redis import RedisStore
from powauth.signing import decode
from powauth.stores import Key
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
        ours = stack.enter_context(serving("powauth-postgres", run.folder, url=url))
        byhand = stack.enter_context(serving("byhand-postgres", run.folder, url=url.replace("+asyncpg", "")))
        return [compared(run, what, ours, byhand, bound=None, behind=databases.shared("postgres").pid)]


def redis(run: Run) -> Sequence[Result]:
    what = "a signed-in request, session on Redis (Valkey), beside a hand-written signed cookie and one Redis read"
    with valkey_url() as url, ExitStack() as stack:
        ours = stack.enter_context(serving("powauth-redis", run.folder, url=url))
        byhand = stack.enter_context(serving("byhand-redis", run.folder, url=url))
        return [compared(run, what, ours, byhand, bound=0.90, behind=databases.shared("valkey").pid)]


def near(run: Run) -> Sequence[Result]:
    what = "the same with the near cache, beside a hand-written signed cookie alone"
    with valkey_url() as url, ExitStack() as stack:
        ours = stack.enter_context(serving("powauth-near", run.folder, url=url))
        byhand = stack.enter_context(serving("byhand-cookie", run.folder))
        asked = compared(run, what, ours, byhand, bound=0.80, behind=databases.shared("valkey").pid)
        return [asked, _refused_within(asyncio.run(delays(ours, url)))]


def _refused_within(seconds: Sequence[float]) -> Result:
    took = Spread([each * 1e3 for each in seconds])
    return Result(
        what="a session that another process ended is refused by one with the near cache, connections healthy",
        bound="within 50 ms",
        measured=f"{took.text('.1f')} ms after the end was acknowledged",
        numbers=f"{len(seconds)} sessions, asked for without pause",
        holds=verdict(max(took.values) <= 50),
    )


async def delays(server: Server, url: str) -> Sequence[float]:
    """Return how long sessions were let in after their end, in seconds; all of them were in the near cache before."""
    store = RedisStore.from_url(url)  # of this process
    await store.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    took: list[float] = []
    for cookie in server.cookies.read_text().splitlines()[:ENDED]:
        request = next(reading(server.port, [cookie]))

        async def is_let_in(request: bytes = request) -> bool:
            writer.write(request)
            return await answer(reader) == 200

        if not (await is_let_in() and await is_let_in() and await store.delete(key_of(cookie))):
            raise RuntimeError("a session was over before it was ended")
        began = time.perf_counter()
        while await is_let_in():
            pass
        took.append(time.perf_counter() - began)
    writer.close()
    await store.close()
    return took


ENDED = 50


def key_of(cookie: str) -> Key:
    """Return where the session of a cookie stands."""
    said = decode(cookie.partition("=")[2]) or b""
    return Key("powauth::session", said[1:17].hex(), said[17:33].hex())


def nothing(run: Run) -> Sequence[Result]:
    """For scale: what the hand-written cookie costs a page that asks for nothing."""
    with serving("byhand-cookie", run.folder) as cookie, serving("nothing", run.folder) as plain:
        what = "for scale: a hand-written signed cookie alone, beside no authentication at all"
        return [compared(run, what, cookie, plain, bound=None)]


def noise(run: Run) -> Sequence[Result]:
    """The machine's own noise: where this is not 1.00, no other ratio is more exact."""
    with serving("byhand-cookie", run.folder) as one, serving("byhand-cookie-again", run.folder) as other:
        what = "the machine's noise: a hand-written signed cookie, beside itself in another process"
        return [compared(run, what, one, other, bound=None)]


def compared(
    run: Run, what: str, ours: Server, byhand: Server, *, bound: float | None, behind: int | None = None
) -> Result:
    told = interleaved([ours, byhand], rounds=run.rounds, seconds=run.seconds, behind=behind)
    pairs = list(zip(told[ours.name], told[byhand.name], strict=True))
    ratio = Spread([mine.per_second / theirs.per_second for mine, theirs in pairs])
    by_cpu = Spread([theirs.cpu / mine.cpu for mine, theirs in pairs])
    mine, theirs = (Spread([load.per_second for load in told[each.name]]).middle for each in (ours, byhand))
    cost, their_cost = (Spread([load.cpu for load in told[each.name]]).middle for each in (ours, byhand))
    store_cost = Spread([load.behind for load in told[ours.name]]).middle
    said = f"; {store_cost:.1f} µs of the store's server" if behind else ""
    return Result(
        what=what,
        bound="—" if bound is None else f"≥ {bound:.2f}",
        measured=f"{ratio.text()}; by processor time {by_cpu.text()}",
        numbers=f"{mine:,.0f} and {theirs:,.0f} requests/s; {cost:.1f} and {their_cost:.1f} µs of processor each{said}",
        holds=Verdict.UNASKED if bound is None else verdict(ratio.middle >= bound, by_cpu.middle >= bound),
        figures={f"{ours.name}.cpu": cost, f"{byhand.name}.cpu": their_cost, f"{ours.name}.behind": store_cost},
    )
