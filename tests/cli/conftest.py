"""Fixtures of the command line: an empty folder to be in, and a shop in it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.shop import Shop, with_tables, write


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty, with the paths and variables that a new process has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("POWAUTH_APP", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Shop:
    return with_tables(write(folder))


@pytest.fixture
def make_shop(folder: Path) -> Callable[..., Shop]:
    """Write an application with other settings; its tables are made as well."""

    def make(**settings: str) -> Shop:
        return with_tables(write(folder, **settings))

    return make
