"""SQLiteStore keeps the contract, its secrets and what it acknowledged, and lets nobody wait but the caller."""

# ruff: noqa: ASYNC220, ASYNC240  a test may block: nobody else is in its loop

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.sqlite import SQLiteStore
from powauth.sqlite.store import CHECKPOINT_EVERY, GET, LIST, OWNED, PURGE
from powauth.stores import Key, Store
from powauth.testing import store_races as steps
from powauth.testing.clock import FrozenClock
from powauth.testing.contestants import Contestant
from powauth.testing.store_contract import KEY, StoreContract, value_of
from powauth.testing.store_races import later


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, path: Path) -> AsyncIterator[Store]:
        store = SQLiteStore(path, clock=clock)
        await store.open()
        yield store
        await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(path, patience=timedelta(milliseconds=100))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def other(path: Path, store: SQLiteStore) -> Iterator[sqlite3.Connection]:
    """Somebody else who has the file open."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        yield other


@pytest.fixture
def process() -> Iterator[Contestant]:
    process = Contestant()
    yield process
    process.end()


# ---- the file ----


async def test_only_its_owner_may_read_the_file_and_its_log(path: Path, store: SQLiteStore) -> None:
    await store.put(KEY, b"value", expires_at=later())
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.touch(0o644)
    store = SQLiteStore(path)
    await store.open()
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    await store.close()


async def test_the_database_of_the_application_is_refused_and_left_as_it_was(path: Path) -> None:
    with closing(sqlite3.connect(path)) as application:
        application.execute("CREATE TABLE users (id)")
    path.chmod(0o640)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="another program's database: give SQLiteStore a path of its own"):
        await SQLiteStore(path).open()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (before, 0o640)


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("Dear diary, " * 100)
    with pytest.raises(ConfigurationError, match="no SQLite file"):
        await SQLiteStore(path).open()
    assert path.read_text().startswith("Dear diary")


async def test_a_file_of_a_later_format_is_refused(path: Path, store: SQLiteStore, other: sqlite3.Connection) -> None:
    other.execute("PRAGMA user_version = 2")
    with pytest.raises(ConfigurationError, match="a later Powauth"):
        await SQLiteStore(path).open()


async def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing/store\.db .*name a file in a folder that exists"):
        await SQLiteStore(tmp_path / "missing" / "store.db").open()


def test_memory_is_no_path() -> None:
    with pytest.raises(ConfigurationError, match="take MemoryStore"):
        SQLiteStore(":memory:")


async def test_a_store_that_is_not_open_says_so(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not open"):
        await SQLiteStore(path).get(KEY)


async def test_a_store_that_was_opened_before_a_fork_is_refused(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = os.getpid()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: parent + 1)
        with pytest.raises(ConfigurationError, match="open it in each process"):
            await store.get(KEY)


async def test_five_stores_can_make_the_file_at_once(path: Path) -> None:
    stores = [SQLiteStore(path) for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    await stores[0].put(KEY, b"value", expires_at=later())
    assert [await value_of(store, KEY) for store in stores] == [b"value"] * 5
    for store in stores:
        await store.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


@pytest.mark.parametrize("question", [GET, LIST, OWNED, PURGE])
async def test_no_call_reads_the_whole_table(other: sqlite3.Connection, question: str) -> None:
    plan = other.execute("EXPLAIN QUERY PLAN " + question, ["0"] * question.count("?")).fetchall()
    assert all("SEARCH" in line or "LIST SUBQUERY" in line for *_, line in plan), plan


async def test_the_log_stays_short_while_much_is_written(path: Path, store: SQLiteStore) -> None:
    for number in range(5 * CHECKPOINT_EVERY):
        await store.put(KEY, b"%d" % number, expires_at=later())
        if store._checkpoint:
            await store._checkpoint
    assert path.with_name("store.db-wal").stat().st_size < 3 * CHECKPOINT_EVERY * 3 * 4096


@pytest.mark.parametrize(("power_safe", "synchronous"), [(False, 1), (True, 2)])
async def test_a_power_safe_store_waits_for_the_disk(path: Path, *, power_safe: bool, synchronous: int) -> None:
    store = SQLiteStore(path, power_safe=power_safe)
    await store.open()
    assert store._db.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    await store.close()


# ---- others who write ----


async def test_a_writer_waits_for_another_without_holding_up_readers(
    store: SQLiteStore, other: sqlite3.Connection
) -> None:
    await store.put(KEY, b"old", expires_at=later())
    other.execute("BEGIN IMMEDIATE")
    writer = asyncio.create_task(store.put(KEY, b"new", expires_at=later()))
    for _ in range(10):
        await asyncio.sleep(0)
        assert await value_of(store, KEY) == b"old"
    assert not writer.done()
    other.execute("ROLLBACK")
    await writer
    assert await value_of(store, KEY) == b"new"


async def test_a_writer_that_waits_too_long_is_told_and_wrote_nothing(
    store: SQLiteStore, other: sqlite3.Connection
) -> None:
    await store.put(KEY, b"1", expires_at=later())
    version = (await store.list(KEY.kind, KEY.owner))[0][1].version
    other.execute("BEGIN IMMEDIATE")
    for write in (
        partial(store.put, KEY, b"new", expires_at=later()),
        partial(store.add, Key("session", "ada", "another"), b"new", expires_at=later()),
        partial(store.replace, KEY, b"new", version=version, expires_at=later()),
        partial(store.take, KEY),
        partial(store.delete, KEY),
        partial(store.increment, KEY, expires_at=later()),
        partial(store.delete_all, KEY.kind, KEY.owner),
        partial(store.purge),
    ):
        with pytest.raises(StoreUnavailable):
            await write()
    other.execute("ROLLBACK")
    assert [(id, entry.value, entry.version) for id, entry in await store.list(KEY.kind, KEY.owner)] == [
        (KEY.id, b"1", version)
    ]
    assert await store.increment(KEY, expires_at=later()) == 2


async def test_what_is_absent_is_taken_by_nobody_without_waiting(store: SQLiteStore, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    assert await store.take(KEY) is None
    assert await store.delete_all(KEY.kind, KEY.owner) == 0


async def test_a_damaged_file_means_unavailable_and_never_absent(path: Path, store: SQLiteStore) -> None:
    for number in range(200):
        await store.put(Key("session", "ada", str(number)), b"x" * 400, expires_at=later())
    await store.close()
    damaged = path.read_bytes()
    path.write_bytes(damaged[:4096] + b"\xff" * (len(damaged) - 4096))
    await store.open()
    with pytest.raises(StoreUnavailable):
        await store.get(Key("session", "ada", "7"))


# ---- SIGKILL (S70) ----


async def test_what_was_acknowledged_before_a_kill_is_so_after_a_restart(path: Path, process: Contestant) -> None:
    process.open(partial(SQLiteStore, path))
    keys = {name: Key("session", name, "1") for name in ("put", "taken", "deleted", "replaced", "counted")}
    for name in ("put", "taken", "deleted", "replaced"):
        process.do(steps.put, keys[name])
    assert process.do(steps.take, keys["taken"], None)
    assert process.do(steps.delete_all, keys["deleted"], None) == 1
    assert process.do(steps.replace, keys["replaced"], process.do(steps.read, keys["replaced"]))
    assert process.do(steps.increment, keys["counted"], None) == 1
    process.kill()

    restarted = SQLiteStore(path)
    await restarted.open()
    assert {name: await value_of(restarted, key) for name, key in keys.items()} == {
        "put": b"1",
        "taken": None,
        "deleted": None,
        "replaced": b"new",
        "counted": b"1",
    }
    await restarted.close()


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 5, 10])
async def test_a_kill_in_the_middle_of_writing_loses_nothing_acknowledged_and_locks_nobody_out(
    path: Path, process: Contestant, milliseconds: int
) -> None:
    process.open(partial(SQLiteStore, path))
    acknowledged = [process.do(steps.increment, KEY, None) for _ in range(20)][-1]
    process.begin(steps.increment_often, KEY, None)
    await asyncio.sleep(milliseconds / 1000)  # the kill is to come at any point, so it is not placed
    process.kill()

    restarted = SQLiteStore(path)
    await restarted.open()
    assert await restarted.increment(KEY, expires_at=later()) > acknowledged
    assert restarted._db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    await restarted.close()


HOLD = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("DELETE FROM entries")
print("held", flush=True)
time.sleep(60)
"""


async def test_a_process_killed_while_it_holds_the_file_lets_go_of_it_and_of_what_it_began(
    path: Path, store: SQLiteStore
) -> None:
    await store.put(KEY, b"value", expires_at=later())
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailable):
            await store.take(KEY)
        holder.kill()
    entry = await store.take(KEY)
    assert entry is not None
    assert entry.value == b"value"
