"""The demo as a program: its folder, its port, and how it is started and stopped."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from powauth import ConfigurationError, MemoryStore
from powauth.demo import run
from powauth.demo.data import DataFolder, default_folder
from powauth.demo.pages import ADA, ADA_PASSWORD
from powauth.demo.serve import choose_store, listen
from powauth.redis import RedisStore
from powauth.sqlalchemy import SQLAlchemyStore
from powauth.sqlite import SQLiteStore

PROGRAMS = {"accept": "application/json"}


# ---- its folder ----


def test_only_its_owner_reads_the_secret(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "new" / "folder")
    secret = data.secret()
    assert len(secret) == 64
    assert data.secret() == secret
    assert (data.path / "secret").stat().st_mode & 0o777 == 0o600
    assert data.path.stat().st_mode & 0o777 == 0o700
    assert DataFolder(tmp_path / "other").secret() != secret


def test_fresh_removes_what_the_demo_made_and_nothing_else(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "powauth-demo")
    with process(tmp_path, "port=0") as (started, _):
        assert stop(started) == (0, "")
    with process(tmp_path, "port=0, store='sqlite'") as (started, _):
        assert stop(started) == (0, "")
    (data.path / "letter.txt").write_text("mine")
    assert len(list(data.path.iterdir())) == 5, "a letter, a secret, a database, two files of sessions"
    data.empty()
    assert [path.name for path in data.path.iterdir()] == ["letter.txt"]


def test_the_folder_stands_among_the_users_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "powauth-demo"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_folder() == Path("/home/ada/.local/share/powauth-demo")


def test_a_store_is_chosen_by_a_word_or_an_address(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    assert isinstance(choose_store("memory", data), MemoryStore)
    assert isinstance(choose_store("sqlite", data), SQLiteStore)
    assert isinstance(choose_store("rediss+cluster://shop:secret@one,two", data), RedisStore)
    assert isinstance(choose_store(f"sqlite+aiosqlite:///{tmp_path}/s.db", data), SQLAlchemyStore)
    with pytest.raises(ConfigurationError, match="write memory, sqlite, or the URL of a Redis"):
        choose_store("mongodb", data)


# ---- its port ----


def test_a_taken_port_means_the_next_free_one() -> None:
    with listen(0) as first:
        port = first.getsockname()[1]
        with listen(port) as second:
            host, next_port = second.getsockname()
            assert host == "127.0.0.1"
            assert next_port > port


def test_a_port_that_is_none_is_said_in_a_sentence() -> None:
    with pytest.raises(ConfigurationError, match="--port"):
        listen(65536)


# ---- started and stopped ----


@contextmanager
def process(folder: Path, arguments: str) -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    """Start the demo as a program, and return it with the three lines that it prints."""
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(
        [sys.executable, "-c", f"from powauth.demo import run; run({arguments})"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as started:
        assert started.stdout is not None
        try:
            yield started, [started.stdout.readline().strip() for _ in range(3)]
        finally:
            started.kill()


def stop(started: subprocess.Popen[str]) -> tuple[int, str]:
    """Press Ctrl-C; return the exit code and what was said."""
    started.send_signal(signal.SIGINT)
    said = "".join(started.communicate(timeout=20))
    return started.returncode, said


def test_it_says_where_it_is_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with process(tmp_path, f"port={port}") as (started, lines):
            address = lines[0].removeprefix("Powauth demo: ")
            assert address.startswith("http://127.0.0.1:")
            assert address != f"http://127.0.0.1:{port}"
            assert lines[1].endswith(str(tmp_path / "powauth-demo"))
            assert lines[2].endswith("Ctrl-C")
            with httpx2.Client(base_url=address, headers=PROGRAMS) as program:
                signed_in = program.post("/auth/sign-in", json={"email": ADA, "password": ADA_PASSWORD})
                assert signed_in.status_code == 200
                assert program.get("/me").json()["email"] == ADA
                assert stop(started) == (0, ""), "a connection that is still open does not hold it up"


def test_it_starts_again_with_everybody_signed_in_and_afresh_with_nobody(tmp_path: Path) -> None:
    with process(tmp_path, "port=0") as (started, lines):
        with httpx2.Client(base_url=lines[0].removeprefix("Powauth demo: "), headers=PROGRAMS) as program:
            program.post("/auth/sign-in", json={"email": ADA, "password": ADA_PASSWORD})
            cookies = dict(program.cookies)
        assert stop(started) == (0, "")
    for arguments, status in (("port=0", 200), ("port=0, fresh=True", 401)):
        with process(tmp_path, arguments) as (started, lines):
            address = lines[0].removeprefix("Powauth demo: ")
            with httpx2.Client(base_url=address, headers=PROGRAMS, cookies=cookies) as program:
                assert program.get("/me").status_code == status
            assert stop(started) == (0, "")


def test_a_database_that_does_not_answer_ends_it_with_a_reason(tmp_path: Path) -> None:
    with process(tmp_path, f"port=0, database='sqlite+aiosqlite:///{tmp_path}/no/such/folder/app.db'") as (started, _):
        _, said = started.communicate(timeout=20)
        assert started.returncode == 3
        assert "unable to open database file" in said


@pytest.mark.parametrize("address", ["nonsense", "nosuch://database", "sqlite:///app.db"])
def test_an_address_that_is_none_is_said_in_a_sentence(
    address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match="--database or --store cannot be used"):
        run(port=0, database=address)
