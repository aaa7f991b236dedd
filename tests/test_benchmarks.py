"""The benchmarks run. What they measure is never a test: only what they count."""

import subprocess
import sys
from pathlib import Path

from benchmarks import capacity
from benchmarks.rows import imports

ROOT = Path(__file__).parent.parent


def test_a_row_can_be_measured_quickly() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--rows", "trips,connections"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "| session: 1 + 0 + 0; account: 1 + 0 + 1; user: 1 + 0 + 1 | yes |" in said
    assert "| 0 | yes |" in said


def test_a_row_that_is_not_there_is_refused_by_name() -> None:
    command = [sys.executable, "-m", "benchmarks", "--rows", "trips,luck"]
    refused = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "there is no row luck" in refused.stderr


def test_importing_powauth_brings_no_framework_orm_or_driver() -> None:
    _, foreign = imports.once()
    assert foreign == []


def test_the_page_about_capacity_reckons_with_what_was_measured() -> None:
    names = ["powauth-redis.cpu", "powauth-near.cpu", "powauth-postgres.cpu", "sign_in.cpu", "sign_in.behind"]
    names += ["powauth-redis.behind", "powauth-postgres.behind", "redis.start", "process.mib", "process.idle"]
    names += [f"{store}.bytes" for store in ("memory", "sqlite", "redis", "postgres")]
    figures = {**dict.fromkeys(names, 20.0), "powauth-redis.cpu": 90.0, "redis.bytes": 600.0}
    said = capacity.plan(figures)
    assert "**5,556 a second**" in said  # 10,000,000 × 20 × 0.1 ÷ 3,600
    assert "5,556 × 90 µs + 278 × 20.0 ms = 0.50 + 5.56 cores; ÷ 0.6 = **10.1 cores**" in said
    assert "10,000,000 × 600 bytes = 6.0 GB, × 2 = **12 GB**" in said
    assert "11,111 a second" in capacity.measured(figures)  # 1,000,000 ÷ 90
    assert len(capacity.MARKS.findall(capacity.PAGE.read_text())) == 1
