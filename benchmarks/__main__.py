"""`python -m benchmarks`: measures what DESIGN promises about speed, and writes the table into README.md."""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks import capacity
from benchmarks.report import README, page, table
from benchmarks.results import Result, Row, Run, Verdict
from benchmarks.rows import ending, footprint, imports, requests, signing_in, sizes, trips

ROWS: Mapping[str, Row] = {
    "noise": requests.noise,
    "memory": requests.memory,
    "sqlite": requests.sqlite,
    "postgres": requests.postgres,
    "redis": requests.redis,
    "near": requests.near,
    "scale": requests.nothing,
    "trips": trips.trips,
    "sign-ins": signing_in.per_second,
    "sign-ins-postgres": signing_in.on_postgres,
    "meanwhile": signing_in.meanwhile,
    "connections": signing_in.connections,
    "sizes": sizes.sizes,
    "ending-redis": ending.redis,
    "ending-postgres": ending.postgres,
    "footprint": footprint.footprint,
    "import": imports.imports,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help="only these, separated by commas: %(default)s")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="short runs, 100,000 sessions: does it work at all")
    size.add_argument(
        "--large",
        action="store_true",
        help="10,000,000 sessions in each store: 6 GB of memory, 12 GB of disk, within 40 minutes",
    )
    asked = parser.parse_args()
    names = asked.rows.split(",")
    if unknown := set(names) - set(ROWS):
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="powauth-benchmarks-") as folder:
        run = Run(folder=Path(folder))
        if asked.quick:
            run = replace(run, rounds=2, seconds=1, many=100_000, many_on_servers=10_000)
        if asked.large:
            run = replace(run, many=10_000_000, many_on_servers=10_000_000, budget=600)
        results = [result for name in names for result in _measured(name, run)]
    print(table(results))
    if names == list(ROWS) and not asked.quick:
        README.write_text(page(results))
        capacity.write(results)
        print(f"written to {README.parent.name}/{README.name} and {capacity.PAGE.name}")
    return 0


def _measured(name: str, run: Run) -> list[Result]:
    began = time.monotonic()
    own = run.folder / name
    own.mkdir()
    try:
        results = list(ROWS[name](replace(run, folder=own)))
    except Exception as error:  # noqa: BLE001  the other rows are worth having
        traceback.print_exc()
        results = [Result(what=name, bound="", measured="not measured", numbers=str(type(error)), holds=Verdict.NO)]
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main())
