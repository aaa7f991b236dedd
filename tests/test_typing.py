"""Mistakes that both type checkers catch, and what they both accept."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "typing_tests"
BAD = sorted(FOLDER.glob("bad_*.py"))
MARK = re.compile(r"# expect-error: \S")

Lines = frozenset[tuple[str, int]]
"""File name and line number, from 1."""


@cache
def by_mypy() -> Lines:
    """Return the lines that mypy finds wrong."""
    found = run("mypy", "--output", "json", "--no-error-summary", str(FOLDER))
    errors = [json.loads(line) for line in found.splitlines() if line.startswith("{")]
    return frozenset((Path(e["file"]).name, e["line"]) for e in errors if e["severity"] == "error")


@cache
def by_pyright() -> Lines:
    """Return the lines that pyright finds wrong."""
    # It would look for its settings in every folder above, and prefers a pyrightconfig.json there to ours.
    done = run("basedpyright", "--project", str(ROOT / "pyproject.toml"), "--outputjson", str(FOLDER))
    found = json.loads(done)["generalDiagnostics"]
    return frozenset((Path(e["file"]).name, e["range"]["start"]["line"] + 1) for e in found if e["severity"] == "error")


def run(checker: str, *arguments: str) -> str:
    command = [sys.executable, "-m", checker, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr or done.stdout
    return done.stdout


def expected(path: Path) -> Lines:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return frozenset((path.name, number) for number, line in lines if MARK.search(line))


@pytest.mark.parametrize("checked", [by_mypy, by_pyright])
def test_what_is_meant_to_be_written_is_accepted(checked: Callable[[], Lines]) -> None:
    assert sorted(line for line in checked() if line[0] == "good.py") == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
@pytest.mark.parametrize("checked", [by_mypy, by_pyright])
def test_each_mistake_is_caught_and_nothing_else_is(checked: Callable[[], Lines], path: Path) -> None:
    found = frozenset(line for line in checked() if line[0] == path.name)
    assert sorted(found - expected(path)) == [], "flagged and not expected"
    assert sorted(expected(path) - found) == [], "expected and not flagged"


def test_there_are_mistakes_to_catch() -> None:
    assert sum(len(expected(path)) for path in BAD) > 50
