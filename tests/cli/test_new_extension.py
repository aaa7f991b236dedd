"""`powauth new-extension`: what it writes works as it is, and passes every check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.project import ROOT, Project, project

MYPY = "[mypy]\nstrict = true\n"
PYRIGHT = '{"typeCheckingMode": "strict", "include": ["."], "extraPaths": ["%s"]}'
LONG = "keeper_of_many_zoos_and_parks_2"
AS_TESTS = "**/tests/**:S101"  # assert is how tests speak


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return project(tmp_path / "shop")


def checked(shop: Project, *command: str) -> None:
    result = subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=shop.folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "MYPYPATH": str(ROOT / "src"), "PYTHONPATH": str(ROOT / "src")},
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_is_written_passes_every_check_and_its_own_tests_and_auth_takes_it(shop: Project) -> None:
    shop.path("parts").mkdir()
    shop.write("parts/__init__.py", "")
    shop.done("new-extension", "first")
    shop.done("new-extension", LONG, "--into", "parts")
    shop.write("mypy.ini", MYPY)
    shop.write("pyrightconfig.json", PYRIGHT % (ROOT / "src"))
    ours = 'lint.isort.known-first-party=["first", "parts"]'  # where it stands, Powauth is somebody else's
    style = ("--config", str(ROOT / "pyproject.toml"), "--config", ours)
    checked(shop, "ruff", "check", *style, "--extend-per-file-ignores", AS_TESTS, "--no-cache", "first", "parts")
    checked(shop, "ruff", "format", *style, "--check", "--no-cache", "first", "parts")
    checked(shop, "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "first", "parts")
    checked(shop, "basedpyright", "--pythonpath", sys.executable, "first", "parts")
    checked(
        shop, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "first", "parts/keeper_of_many_zoos_and_parks_2"
    )
    shop.done(
        "add",
        "first:First",
        "parts.keeper_of_many_zoos_and_parks_2:KeeperOfManyZoosAndParks2",
        "--app",
        "app:app",
        "--yes",
    )
    assert shop.enabled()[-2:] == ["first", "keeper_of_many_zoos_and_parks_2"]


WORDS = ["", "First", "1st", "a-b", "a b", "a.b", "../up", "_x", "a" * 32, "é", "class", "match"]
TAKEN = ["lock", "json", "pytest", "app", "note", "user"]


@pytest.mark.parametrize("name", [*WORDS, *TAKEN])
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_written(shop: Project, name: str) -> None:
    before = shop.files()
    assert shop.powauth("new-extension", name).returncode == 2
    assert shop.files() == before


def test_what_stands_there_is_left_alone(shop: Project) -> None:
    shop.done("new-extension", "first")
    before = shop.files()
    assert shop.powauth("new-extension", "first").returncode == 1
    shop.path("second").symlink_to(shop.folder.parent)
    assert shop.powauth("new-extension", "second").returncode == 1
    shop.path("third").symlink_to(shop.folder.parent / "nowhere")
    assert shop.powauth("new-extension", "third").returncode == 1
    assert shop.files() == before


def test_below_a_folder_that_is_no_package_it_cannot_be_written_as_one(shop: Project) -> None:
    shop.write("not-a-package/__init__.py", "")
    assert shop.powauth("new-extension", "first", "--into", "not-a-package").returncode == 2


def test_a_program_is_told_what_was_written_and_how_it_is_named(shop: Project) -> None:
    shop.write("parts/__init__.py", "")
    told = shop.data("new-extension", "first", "--into", "parts")
    assert told["extension"] == "parts.first:First"
    assert all(shop.path(name).is_file() for name in told["files"])
