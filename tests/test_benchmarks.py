"""The benchmarks run. What they measure is never a test: only what they count."""

import subprocess
import sys
from pathlib import Path

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
