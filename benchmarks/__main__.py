"""`python -m benchmarks`: measures what DESIGN promises about speed, and writes the table into README.md."""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.report import README, page, table
from benchmarks.results import Result, Row, Run
from benchmarks.rows import imports, requests, signing_in, sizes, trips

ROWS: Mapping[str, Row] = {
    "memory": requests.memory,
    "sqlite": requests.sqlite,
    "postgres": requests.postgres,
    "redis": requests.redis,
    "scale": requests.nothing,
    "trips": trips.trips,
    "sign-ins": signing_in.per_second,
    "meanwhile": signing_in.meanwhile,
    "connections": signing_in.connections,
    "sizes": sizes.sizes,
    "import": imports.imports,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help="only these, separated by commas: %(default)s")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="short runs, 100,000 sessions: does it work at all")
    size.add_argument("--large", action="store_true", help="10,000,000 sessions: takes 6 GB of disk and minutes more")
    asked = parser.parse_args()
    names = asked.rows.split(",")
    if unknown := set(names) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="powauth-benchmarks-") as folder:
        run = Run(folder=Path(folder))
        if asked.quick:
            run = replace(run, rounds=2, seconds=1, many=100_000)
        if asked.large:
            run = replace(run, many=10_000_000, budget=900)
        results = [result for name in names for result in _measured(name, run)]
    print(table(results))
    if names == list(ROWS) and not asked.quick:
        README.write_text(page(results))
        print(f"written to {README.parent.name}/{README.name}")
    return 0


def _measured(name: str, run: Run) -> list[Result]:
    began = time.monotonic()
    own = run.folder / name
    own.mkdir()
    results = list(ROWS[name](replace(run, folder=own)))
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
