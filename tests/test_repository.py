"""What every file of the repository must keep to."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A registry's own hosts, an index of any kind, an option that names one, and what lock files write.
INDEX = re.compile(
    rb"""pythonhosted\.org | registry\.npmjs\.org | pypi\.org/simple | https?://[^\s"'<>]*/simple(?![\w.-])"""
    rb"""|index-url[=\s"']+\w+:// | "resolved":\s*"http | ^registry\s*=""",
    re.VERBOSE | re.MULTILINE,
)
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:work|root)/")
PIN = re.compile(r"^[a-z0-9].*==", re.IGNORECASE)


def files() -> Iterator[tuple[Path, bytes]]:
    """Give what is tracked, or would be at the next commit, but this file, which names what it looks for."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listing.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and path != Path(__file__):
            yield path, path.read_bytes()


def test_no_file_names_a_package_index() -> None:
    assert [path for path, content in files() if INDEX.search(content)] == []


def test_no_file_holds_a_path_of_the_machine_it_was_made_on() -> None:
    assert [path for path, content in files() if MACHINE_PATH.search(content)] == []


@pytest.mark.parametrize(
    "line",
    [
        "https://files.pythonhosted.org/packages/x.whl",
        "--index-url https://mirror.example/pypi",
        'index-url = "https://mirror.example"',
        "https://mirror.example/simple/",
        '"resolved": "https://mirror.example/x.tgz"',
        "registry=https://mirror.example",
    ],
)
def test_an_index_would_be_found(line: str) -> None:
    assert INDEX.search(line.encode())


@pytest.mark.parametrize("pins", sorted(ROOT.glob("requirements/*.txt")), ids=lambda path: path.name)
def test_every_pin_has_its_hash(pins: Path) -> None:
    lines = pins.read_text().splitlines()
    followed_by = [(line, after) for line, after in itertools.pairwise(lines) if PIN.match(line)]
    assert followed_by
    assert [line for line, after in followed_by if "--hash=sha256:" not in after] == []


def test_there_is_a_license() -> None:
    assert "MIT License" in (ROOT / "LICENSE").read_text()
