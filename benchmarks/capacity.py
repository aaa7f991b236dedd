"""The page about capacity: what the run measured, and the arithmetic with it, written between its marks."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import Result, cores

PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "capacity.md"
MARKS = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- /measured -->)", re.DOTALL)

PEOPLE = 10_000_000
PAGES = 20
"""Signed-in requests of a person on a day."""
BUSIEST = 0.1
"""The share of a day that its busiest hour has."""
LOAD = 0.6
"""How busy a core may be before those who wait notice."""
SPARE = 2
"""Memory for each byte that is used: fragments, copies while a snapshot is written, growth."""


def write(results: Sequence[Result]) -> None:
    """Write what was measured into the page; nothing where one of its figures is missing."""
    figures = {name: value for result in results for name, value in result.figures.items()}
    try:
        said = measured(figures) + plan(figures)
    except KeyError as missing:
        print(f"{PAGE.name} stays as it is: {missing} was not measured")
        return
    PAGE.write_text(MARKS.sub(lambda _: said, PAGE.read_text()))


def measured(figures: Mapping[str, float]) -> str:
    """Return the table of what one of each carries."""
    rows = [
        ("one core with the application", "a signed-in request, session on Redis", _each(figures["powauth-redis.cpu"])),
        ("", "the same with the near cache", _each(figures["powauth-near.cpu"])),
        ("", "the same, session in PostgreSQL", _each(figures["powauth-postgres.cpu"])),
        ("", "a sign-in, its hash included", _each(figures["sign_in.cpu"] * 1000)),
        ("one Redis, which uses one core", "a session read", _each(figures["powauth-redis.behind"])),
        ("", "a session begun", _each(figures["redis.start"])),
        (
            "one core with PostgreSQL",
            "a session read, or an account by its key",
            _each(figures["powauth-postgres.behind"]),
        ),
        ("", "a sign-in", _each(figures["sign_in.behind"] * 1000)),
    ]
    head = f"Measured on {datetime.now(UTC):%Y-%m-%d}, on a machine with {cores()} cores, by processor time.\n\n"
    table = "| what | does | takes | so it carries at most |\n|---|---|---|---|\n"
    sizes = ", ".join(
        f"{figures[f'{name}.bytes']:,.0f} bytes {where}"
        for name, where in (("redis", "on Redis"), ("postgres", "in PostgreSQL"), ("sqlite", "in SQLite"))
    )
    return (
        head
        + table
        + "".join(f"| {what} | {does} | {each} |\n" for what, does, each in rows)
        + f"\nA session takes {sizes}, and {figures['memory.bytes']:,.0f} in a process's own memory. A process that"
        f" nobody asks for anything has {figures['process.mib']:.0f} MiB and uses {figures['process.idle']:.2%} of a core.\n"
    )


def plan(figures: Mapping[str, float]) -> str:
    """Return the arithmetic for ten million people."""
    requests = PEOPLE * PAGES * BUSIEST / 3600
    sign_ins = PEOPLE * BUSIEST / 3600
    asking = requests * figures["powauth-redis.cpu"] / 1e6
    entering = sign_ins * figures["sign_in.cpu"] / 1e3
    reads = requests * figures["powauth-redis.behind"] / 1e6
    writes = (requests + sign_ins) * figures["redis.start"] / 1e6
    rows = requests * figures["powauth-postgres.behind"] / 1e6
    lookups = sign_ins * figures["sign_in.behind"] / 1e3
    memory = PEOPLE * figures["redis.bytes"] / 1e9
    return f"""
## Ten million signed-in people

{PEOPLE:,} people, each with one session, {PAGES} signed-in requests a day and one sign-in a day; the busiest hour has {BUSIEST:.0%} of the day. A core is planned for {LOAD:.0%}.

- Requests in the busiest hour: {PEOPLE:,} × {PAGES} × {BUSIEST} ÷ 3,600 s = **{requests:,.0f} a second**. Sign-ins: {PEOPLE:,} × {BUSIEST} ÷ 3,600 s = **{sign_ins:,.0f} a second**.
- The application's cores, for Powauth and an empty page: {requests:,.0f} × {figures["powauth-redis.cpu"]:.0f} µs + {sign_ins:,.0f} × {figures["sign_in.cpu"]:.1f} ms = {asking:.2f} + {entering:.2f} cores; ÷ {LOAD} = **{(asking + entering) / LOAD:.1f} cores**. What your own pages do comes on top.
- Redis: {requests:,.0f} × {figures["powauth-redis.behind"]:.1f} µs for reads, and at worst a write for each as well, ({requests:,.0f} + {sign_ins:,.0f}) × {figures["redis.start"]:.1f} µs, = {reads:.2f} + {writes:.2f} of the one core that it uses; ÷ {LOAD} = **{(reads + writes) / LOAD:.1f} Redis**. Memory: {PEOPLE:,} × {figures["redis.bytes"]:,.0f} bytes = {memory:.1f} GB, × {SPARE} = **{memory * SPARE:.0f} GB**.
- PostgreSQL, where every page wants the account: {requests:,.0f} × {figures["powauth-postgres.behind"]:.0f} µs + {sign_ins:,.0f} × {figures["sign_in.behind"]:.2f} ms = {rows:.2f} + {lookups:.2f} cores; ÷ {LOAD} = **{(rows + lookups) / LOAD:.1f} cores**. Pages that only ask whether somebody is signed in cost it nothing.
- With sessions in PostgreSQL as well and no Redis: {PEOPLE:,} × {figures["postgres.bytes"]:,.0f} bytes = **{PEOPLE * figures["postgres.bytes"] / 1e9:.1f} GB**, and {requests:,.0f} × {figures["powauth-postgres.behind"]:.0f} µs = {rows:.2f} cores more for the reads.
"""


def _each(microseconds: float) -> str:
    took = f"{microseconds:,.1f} µs" if microseconds < 1000 else f"{microseconds / 1000:,.1f} ms"
    return f"{took} | {1e6 / microseconds:,.0f} a second"
