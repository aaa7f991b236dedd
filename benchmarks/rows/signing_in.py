"""Sign-ins: how many per second, what others notice of them, and what they hold while they wait."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks import processes
from benchmarks.engines import postgres_url
from benchmarks.load import answers_of, start_client
from benchmarks.ours import make_accounts, make_auth, make_engine
from benchmarks.people import PASSWORD, address
from benchmarks.results import Result, Run, Spread, Verdict, cores, percentile, verdict
from benchmarks.servers import Server, serving
from powauth import Caller, MemoryStore, passwords
from powauth.operations import authenticate
from tests import servers as databases

CLIENTS = 16
READERS = 4
PAUSE = 0.01  # seconds, about: these are people who look at pages, not a load


def per_second(run: Run) -> Sequence[Result]:
    seconds = 2 * run.seconds
    ratios: list[float] = []
    by_cpu: list[float] = []
    rate, hashes = 0.0, dict[str, float]()
    with serving("powauth-sign-in", run.folder, sessions=1) as server:
        _sign_in(server, 1)
        for _ in range(max(2, run.rounds // 2)):
            hashes = _hash(seconds)
            before = server.cpu()
            signed_in, all_of_it = answers_of(_sign_in_for(server, seconds))
            rate = len(signed_in) / all_of_it
            ratios.append(rate / hashes["per_second"])
            by_cpu.append(hashes["cpu"] * len(signed_in) / (server.cpu() - before))
    return [
        Result(
            what="sign-ins per second, beside cores ÷ the time of one argon2 hash",
            bound="≥ 0.95",
            measured=f"{Spread(ratios).text()}; by processor time {Spread(by_cpu).text()}",
            numbers=f"{rate:.1f} sign-ins/s and {hashes['per_second']:.1f} hashes/s on {cores()} cores; "
            f"one hash alone {hashes['alone'] * 1e3:.1f} ms",
            holds=verdict(Spread(ratios).middle >= 0.95, Spread(by_cpu).middle >= 0.95),
        )
    ]


def on_postgres(run: Run) -> Sequence[Result]:
    """For scale: what the database does for a sign-in."""
    with postgres_url() as url, serving("powauth-sign-in", run.folder, sessions=1, url=url) as server:
        _sign_in(server, 1)
        database = databases.shared("postgres").pid
        before, before_behind = server.cpu(), processes.cpu(database)
        signed_in, all_of_it = answers_of(_sign_in_for(server, 2 * run.seconds))
        used, used_behind = server.cpu() - before, processes.cpu(database) - before_behind
    rate, cost, behind = (len(signed_in) / all_of_it, used / len(signed_in), used_behind / len(signed_in))
    return [
        Result(
            what="for scale: a sign-in with its account in PostgreSQL",
            bound="—",
            measured=f"**{rate:.1f}** sign-ins/s",
            numbers=f"{cost * 1e3:.1f} ms of processor, the hash included; {behind * 1e3:.2f} ms of PostgreSQL's",
            holds=Verdict.UNASKED,
            figures={"sign_in.cpu": cost * 1e3, "sign_in.behind": behind * 1e3},
        )
    ]


def _sign_in(server: Server, seconds: int) -> None:
    answers_of(_sign_in_for(server, seconds))


def _sign_in_for(server: Server, seconds: float) -> subprocess.Popen[str]:
    return start_client("sign-in", str(server.port), str(CLIENTS), str(seconds))


def _hash(seconds: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.hashing", str(seconds), str(cores())]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return said


def meanwhile(run: Run) -> Sequence[Result]:
    """Measure readers at rest and while others sign in, turn by turn."""
    seconds = 2 * run.seconds
    rest: list[float] = []
    busy: list[float] = []
    late: list[float] = []
    blocked: list[float] = []
    collected: list[float] = []
    beginning: list[float] = []
    ratios: list[float] = []
    with serving("powauth-sign-in", run.folder) as server:
        _sign_in(server, 1)
        for _ in range(max(2, run.rounds // 2)):
            quiet, _ = answers_of(_read(server, seconds))
            server.ask("/lag")
            signers = _sign_in_for(server, seconds + 2)
            time.sleep(1)  # all of them begin in the same instant, which is told apart
            beginning += json.loads(server.ask("/lag"))["busy"]
            disturbed, _ = answers_of(_read(server, seconds))
            lag = json.loads(server.ask("/lag"))
            answers_of(signers)
            ratios.append(percentile(disturbed, 0.99) / percentile(quiet, 0.99))
            rest, busy = rest + quiet, busy + disturbed
            late, blocked, collected = late + lag["late"], blocked + lag["busy"], collected + lag["collected"]
    quiet_99, busy_99 = percentile(rest, 0.99) * 1e3, percentile(busy, 0.99) * 1e3
    return [
        Result(
            what=f"p99 of a signed-in request while {CLIENTS} clients sign in without pause, beside its p99 at rest",
            bound="≤ 3",
            measured=Spread(ratios).text(),
            numbers=f"{busy_99:.2f} and {quiet_99:.2f} ms",
            holds=verdict(Spread(ratios).middle <= 3),
        ),
        Result(
            what="the longest that the event loop was blocked meanwhile",
            bound="≤ 5 ms",
            measured=f"**{max(blocked):.1f} ms** of its own work between two ticks;"
            f" {max(beginning):.1f} ms when all {CLIENTS} began in the same instant",
            numbers=f"p99.9 {percentile(blocked, 0.999):.1f} ms; longest garbage collection"
            f" {max(collected, default=0):.1f} ms; ticks came late by {percentile(late, 0.99):.1f} ms (p99)"
            f" and {max(late):.1f} ms (longest), neighbours on the machine included",
            holds=verdict(max(blocked) <= 5),
        ),
    ]


def _read(server: Server, seconds: int) -> subprocess.Popen[str]:
    return start_client("read", str(server.port), str(server.cookies), str(READERS), str(seconds), str(PAUSE))


def connections(run: Run) -> Sequence[Result]:
    held = asyncio.run(_held(run))
    return [
        Result(
            what=f"database connections held while {CLIENTS} sign-ins wait for their hash",
            bound="0",
            measured=str(held),
            numbers="counted when all of them wait",
            holds=verdict(held == 0),
        )
    ]


async def _held(run: Run) -> int:
    engine = make_engine(run.folder)
    auth, database = make_auth(engine, MemoryStore())
    await database.create_tables()
    await make_accounts(auth)
    waiting = asyncio.Barrier(CLIENTS + 1)

    async def verify(*_: object, **__: object) -> passwords.Verdict:
        await waiting.wait()  # all are here
        await waiting.wait()  # and were counted
        return passwords.Verdict(ok=True)

    auth.plan.hasher.verify = verify  # type: ignore[method-assign]

    async def sign_in(number: int) -> None:
        async with auth.begin(caller=Caller(client=f"192.0.2.{number}")) as ctx:
            await authenticate(ctx, address(number), PASSWORD)

    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(sign_in(number))
        await waiting.wait()
        held: int = engine.pool.checkedout()  # type: ignore[attr-defined]
        await waiting.wait()
    await auth.close()
    await engine.dispose()
    return held
