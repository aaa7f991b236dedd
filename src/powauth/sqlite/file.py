"""The file of a SQLiteStore: made for its owner's eyes only, known by its mark, open in several processes at once."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from powauth.errors import ConfigurationError

MARK = 0x506F7741  # "PoWA", the application_id in the header of the file
FORMAT = 1

TABLE = """
CREATE TABLE entries (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    value BLOB NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, owner, id)
) WITHOUT ROWID
"""
INDEX = "CREATE INDEX entries_by_expiry ON entries (expires_at)"


def connect(path: Path, *, power_safe: bool) -> sqlite3.Connection:
    """Open the file, made where it is missing. Never waits: raises `sqlite3.OperationalError` while another holds it.

    Raises `ConfigurationError` for a file that is not ours, which is left as it was.
    """
    _create(path)
    db = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        _recognise(db, path)
        _hide(path)
        _prepare(db, path)
        db.execute(f"PRAGMA synchronous = {'FULL' if power_safe else 'NORMAL'}")
        # Copying the log into the file waits for the disk: `checkpoint` does it in a thread. This is the last resort.
        db.execute("PRAGMA wal_autocheckpoint = 10000")  # pages of 4 KiB
    except BaseException:
        db.close()
        raise
    return db


def checkpoint(path: Path) -> None:
    """Copy the log into the file, so that it stays short; readers and writers go on meanwhile."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """Hold the write lock of the file from here on: what is read inside stays true until it is written."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _create(path: Path) -> None:
    try:
        # Exclusively: to open and close a file that SQLite has open in this process would drop its locks.
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigurationError(
            f"SQLiteStore cannot make {path} ({error.strerror}): name a file in a folder that exists and may be written"
        ) from error


def _recognise(db: sqlite3.Connection, path: Path) -> None:
    try:
        mark, version, tables = (db.execute(question).fetchone()[0] for question in QUESTIONS)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
            raise
        raise ConfigurationError(f"{path} is no SQLite file: give SQLiteStore a path of its own") from error
    if mark != MARK and tables:
        raise ConfigurationError(f"{path} is another program's database: give SQLiteStore a path of its own")
    if mark == MARK and version > FORMAT:
        raise ConfigurationError(f"{path} was written by a later Powauth: install that one, or delete the file")


QUESTIONS = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")


def _hide(path: Path) -> None:
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with suppress(FileNotFoundError):
            name.chmod(0o600)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise ConfigurationError(f"{path} cannot be shared by processes there: put it on a local disk")
    with transaction(db):
        if db.execute("PRAGMA application_id").fetchone()[0] != MARK:
            db.execute(TABLE)
            db.execute(INDEX)
            db.execute(f"PRAGMA user_version = {FORMAT}")
            db.execute(f"PRAGMA application_id = {MARK}")
