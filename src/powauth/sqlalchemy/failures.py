"""What went wrong, in Powauth's words: the errors of every engine and driver become four."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from powauth.errors import DatabaseUnavailable, Deadlocked, PowauthError, Taken

_UNIQUE = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "1062"}
_REFERENCED = {"23503", "23001", "SQLITE_CONSTRAINT_FOREIGNKEY", "SQLITE_CONSTRAINT_TRIGGER", "1451"}
_DEADLOCKED = {
    *("40001", "40P01", "55P03"),  # PostgreSQL: serialisation failure, deadlock, lock not available
    *("1205", "1213", "1020"),  # MariaDB: lock wait time-out, deadlock, record changed since the snapshot
}
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_UNAVAILABLE_SQLITE = ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_READONLY", "SQLITE_NOTADB")
_UNAVAILABLE_POSTGRESQL = ("08", "53", "54000", "57", "58")  # connection, resources, notices, intervention, system
_UNAVAILABLE_MARIADB = {"1040", "1053", "1129", "1203", "1317", "1927"}  # full, shutting down, killed
_MARIADB_KEY = re.compile(r"for key '(?:[^']*\.)?([^'.]+)'\s*$")
_POSTGRESQL_KEY = re.compile(r"\(([^()]*)\)=\(")
_SQLITE_KEY = re.compile(r"failed: (.*)$")


@dataclass(frozen=True, slots=True)
class Uniques:
    """The unique columns of one table, and what the fields that stand in them are called."""

    table: Table
    fields: Mapping[str, str]

    def field(self, error: BaseException) -> str | None:
        """Return the field whose value exists already, `None` when the engine does not tell."""
        columns = _columns(error) or self._constraint(_constraint(error))
        return next((self.fields[column] for column in columns if column in self.fields), None)

    def _constraint(self, name: str | None) -> tuple[str, ...]:
        if name == "PRIMARY":
            return tuple(column.name for column in self.table.primary_key.columns)
        constraints = [item for item in self.table.constraints if isinstance(item, UniqueConstraint)]
        found = [item.columns for item in constraints if item.name == name]
        found += [item.columns for item in self.table.indexes if item.unique and item.name == name]
        return tuple(column.name for columns in found for column in columns)


def translated(error: BaseException, uniques: Uniques | None = None) -> PowauthError | None:
    """Return what the error means to a caller; `None` for a programmer's mistake, which is raised as it is."""
    code = _code(error)
    if isinstance(error, StatementError):
        error.hide_parameters = True  # password hashes and addresses would stand in the application's log
    if isinstance(error, IntegrityError):
        return Taken(uniques.field(error) if uniques else None) if code in _UNIQUE else None
    if code in _DEADLOCKED or code.startswith(_BUSY):
        return Deadlocked()
    return DatabaseUnavailable() if _is_unavailable(error, code) else None


def translated_read(error: BaseException) -> PowauthError | None:
    """Return what the error means to who only read: there is nothing to begin again, a writer is in the way."""
    meaning = translated(error)
    return DatabaseUnavailable() if isinstance(meaning, Deadlocked) else meaning


def is_busy(error: BaseException) -> bool:
    """Whether another connection holds the one write lock that a SQLite database has."""
    return _code(error).startswith(_BUSY)


def is_stale(error: BaseException) -> bool:
    """Whether the connection was dead already when it was taken from the pool."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_reference(error: IntegrityError) -> bool:
    """Whether rows of another table refer to the row."""
    return _code(error) in _REFERENCED


def _is_unavailable(error: BaseException, code: str) -> bool:
    if isinstance(error, (PoolTimeoutError, OSError)) or is_stale(error) or _is_bare(error):
        return True
    if code.startswith("SQLITE_"):
        return code.startswith(_UNAVAILABLE_SQLITE)
    if code.isdigit() and len(code) == 4:
        return code in _UNAVAILABLE_MARIADB or code.startswith("2")  # 2000 to 2999: the client's own
    if len(code) == 5:
        return code.startswith(_UNAVAILABLE_POSTGRESQL)
    return _is_nameless(error)


def _is_bare(error: BaseException) -> bool:
    # what a driver raises while it connects, or loses its connection, reaches us as it is
    return type(error).__module__.partition(".")[0] in {"asyncpg", "asyncmy", "psycopg"}


def _is_nameless(error: BaseException) -> bool:
    # a driver that could not connect has no answer of the server to quote
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, SQLAlchemyError) and bool(names & {"OperationalError", "InterfaceError"})


def _code(error: BaseException) -> str:
    """Return SQLSTATE, MariaDB's number or SQLite's name of the error; empty if there is none."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        return str(getattr(original, "sqlite_errorname", ""))
    number = original.args[0] if original is not None and original.args else None
    if isinstance(number, int):  # MariaDB's SQLSTATE says less than its number
        return str(number)
    states = (getattr(holder, "sqlstate", None) for holder in (original, getattr(original, "__cause__", None)))
    return next((state for state in states if isinstance(state, str)), "")


def _columns(error: BaseException) -> tuple[str, ...]:
    """Return the columns that the engine names: SQLite in its message, PostgreSQL in its detail."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(original, sqlite3.Error):
        found = _SQLITE_KEY.search(str(original))
        return tuple(name.rpartition(".")[2].strip() for name in found[1].split(",")) if found else ()
    found = _POSTGRESQL_KEY.search(_detail(original))
    return tuple(name.strip().strip('"') for name in found[1].split(",")) if found else ()


def _detail(original: BaseException | None) -> str:
    diagnosis = getattr(original, "diag", None)  # psycopg
    cause = getattr(original, "__cause__", None)  # asyncpg
    return str(getattr(diagnosis, "message_detail", None) or getattr(cause, "detail", None) or "")


def _constraint(error: BaseException) -> str | None:
    """Return the name of the constraint, which is all that MariaDB tells."""
    found = _MARIADB_KEY.search(str(error.orig.args[-1])) if isinstance(error, DBAPIError) and error.orig else None
    return found[1] if found else None
