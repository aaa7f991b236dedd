"""Fixtures of the examples: those of the tests, and their run when the examples are tested alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.opening import Opener
from tests import servers
from tests.conftest import anyio_backend, database_url, emulate_port, openid_url, postgres_url

__all__ = ["anyio_backend", "database_url", "emulate_port", "openid_url", "postgres_url"]

collect_ignore_glob = ["*/app.py", "packages/people/*"]  # programs: they read the environment as they start


@pytest.fixture(scope="session", autouse=True)
def run() -> Iterator[None]:
    """A folder for servers, unless the run of all tests has one."""
    if servers.RUN in os.environ:
        yield
        return
    folder = servers.begin_run()
    yield
    servers.end_run(folder)
    del os.environ[servers.RUN]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Opens the program of a guide on a SQLite file of its own."""
    return Opener(f"sqlite+aiosqlite:///{tmp_path}/app.db", monkeypatch)
