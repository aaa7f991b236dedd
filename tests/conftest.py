"""Fixtures of every test: real servers, and what `SERVERS=none` leaves out."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tests import servers

pytest_plugins = ["powauth.testing.plugin"]

NEEDS_A_SERVER = {
    "postgres_url", "mariadb_url", "valkey_url", "redis_url", "chromium_path", "own_server", "openid_url",
    "emulate_port",
}  # fmt: skip
WITHOUT_SERVERS = os.environ.get("SERVERS") == "none"
run_folder = pytest.StashKey[Path]()
left_out = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty database on PostgreSQL, for SQLAlchemy with asyncpg."""
    with servers.database("postgres") as url:
        yield url


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """An empty database on MariaDB, for SQLAlchemy with asyncmy."""
    with servers.database("mariadb") as url:
        yield url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.servers),
        pytest.param("mariadb", marks=pytest.mark.servers),
    ]
)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database on each engine in turn, for SQLAlchemy."""
    with servers.database(str(request.param)) as url:
        yield url


@pytest.fixture
def valkey_url() -> str:
    """An empty numbered database on Valkey, this worker's own; channels are shared by all workers."""
    return servers.empty_valkey()


@pytest.fixture(params=servers.REDIS_KINDS)
def redis_url(request: pytest.FixtureRequest) -> str:
    """An empty numbered database on Valkey and on Redis in turn, this worker's own."""
    return servers.empty_valkey(str(request.param))


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Chromium, to be started with `servers.CHROMIUM_FLAGS`."""
    return servers.chromium()


@pytest.fixture(scope="session")
def openid_url() -> str:
    """The issuer of a certified OpenID provider, tests/node/openid.mjs, shared by the whole run."""
    return f"http://127.0.0.1:{servers.shared('openid').port}"


@pytest.fixture(scope="session")
def emulate_port() -> Callable[[str], int]:
    """The ports of well-known providers imitated, by their names in `servers.EMULATED`."""
    first = servers.shared("emulate").port
    return lambda name: first + servers.EMULATED.index(name)


@pytest.fixture(scope="session")
def own_server() -> Callable[[str], AbstractContextManager[servers.Server]]:
    """Start a server for one test alone, which may kill it: `with own_server("valkey") as server`."""
    return servers.own


# ---- the run ----


class Worker(Protocol):
    """A worker of pytest-xdist, as its controller sees it."""

    config: pytest.Config


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[left_out] = 0
    if not is_worker(config):
        config.stash[run_folder] = servers.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if run_folder in config.stash:
        servers.end_run(config.stash[run_folder])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if NEEDS_A_SERVER.intersection(fixtures_of(item)):
            item.add_marker(pytest.mark.servers)
    if WITHOUT_SERVERS:
        dropped = [item for item in items if item.get_closest_marker("servers")]
        items[:] = [item for item in items if not item.get_closest_marker("servers")]
        config.stash[left_out] = len(dropped)
        config.hook.pytest_deselected(items=dropped)


def fixtures_of(item: pytest.Item) -> Sequence[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else ()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if is_worker(session.config):
        output: dict[str, object] = session.config.workeroutput  # type: ignore[attr-defined]
        output["left_out"] = session.config.stash[left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Worker) -> None:
    """Hear from a worker how many tests it left out; each of them collects all tests."""
    output = getattr(node, "workeroutput", {})  # a worker that crashed has none
    node.config.stash[left_out] = max(node.config.stash[left_out], int(output.get("left_out", 0)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[left_out]:
        terminalreporter.section("not run")
        terminalreporter.line(
            f"SERVERS=none: {config.stash[left_out]} tests were not run: "
            "those that need PostgreSQL, MariaDB, Valkey, Redis, Chromium or providers on Node."
        )
