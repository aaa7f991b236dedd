"""Files: CSV and JSON, put into a database that has no name and is gone with the process, then read like any other."""

import csv
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeGuard, cast

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from powauth.cli.failures import Misused
from powauth.cli.importing.engines import Origin
from powauth.cli.importing.newcomer import Remark
from powauth.cli.importing.tables import LINE

MAX_LINE = 1024 * 1024  # characters of one line or one row: no account has more, and memory is bounded by it
MAX_FIELD = 256 * 1024  # characters of one field; MAX_LINE would let a quote that never closes swallow megabytes
MAX_DOCUMENT = 64 * 1024 * 1024  # bytes of a JSON file that is one list, which has to be read whole
BATCH = 1000
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
COLUMNS = 500  # of one row; what has more is no table of accounts

Read = Iterator["dict[str, Any] | Remark"]


@dataclass(frozen=True, slots=True)
class Staged:
    """What was read from files."""

    origin: Origin
    remarks: tuple[Remark, ...]
    """Lines that could not be read."""


def is_file(text: str) -> bool:
    """Whether `--from` names a file or folder rather than a database."""
    return "://" not in text


def stage(path: Path, table: str) -> Staged:
    """Read a file, as the table of that name, or a folder, each file as the table of its own. Raises `Misused`."""
    files = {found.stem: found for found in sorted(path.iterdir()) if found.suffix in SUFFIXES} if path.is_dir() else {}
    if not path.is_dir():
        files = {table: path}
    if not path.exists() or not files:
        raise Misused(f"there is no file {path}, or no {', '.join(SUFFIXES)} in it", code="source")
    database = sqlite3.connect("", check_same_thread=False)  # no name: SQLite unlinks it as soon as it is open
    remarks = [remark for name, file in files.items() for remark in _stage(database, name, file)]
    database.commit()
    engine = create_engine("sqlite://", creator=lambda: database, poolclass=StaticPool, hide_parameters=True)
    return Staged(Origin(engine), tuple(remarks))


def _stage(database: sqlite3.Connection, name: str, file: Path) -> list[Remark]:
    remarks: list[Remark] = []
    batch: list[tuple[int, dict[str, Any]]] = []
    columns: list[str] = []
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            for line, found in enumerate(read(file, lines), start=1):
                if isinstance(found, Remark):
                    remarks.append(found)
                    continue
                batch.append((line, found))
                if len(batch) == BATCH:
                    columns = _insert(database, name, columns, batch)
                    batch = []
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}", code="source") from error
    columns = _insert(database, name, columns, batch)
    for column in ("id", "user_id"):
        if column in columns:
            database.execute(f"CREATE INDEX {quoted(f'{name}_{column}')} ON {quoted(name)} ({column})")
    return remarks


def _insert(
    database: sqlite3.Connection, table: str, known: list[str], batch: Sequence[tuple[int, dict[str, Any]]]
) -> list[str]:
    """Insert rows, with columns as they come up; return the columns that there are now."""
    columns = list(dict.fromkeys([*known, *(name for _, row in batch for name in row)]))
    if len({name.lower() for name in columns}) != len(columns) or len(columns) > COLUMNS:
        raise Misused(f"{table}: columns that differ only in case, or more than {COLUMNS}", code="source")
    if not known:
        database.execute(f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({LINE} INTEGER PRIMARY KEY)")
    for column in columns[len(known) :]:
        database.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column)}")
    places = ", ".join("?" * (len(columns) + 1))
    names = ", ".join(map(quoted, [LINE, *columns]))
    rows = [(line, *(row.get(name) for name in columns)) for line, row in batch]
    database.executemany(f"INSERT INTO {quoted(table)} ({names}) VALUES ({places})", rows)  # noqa: S608  names are quoted
    return columns


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def read(file: Path, lines: IO[str]) -> Read:
    """Yield the rows of a file, and a remark for each that cannot be read."""
    if file.suffix in {".csv", ".tsv"}:
        return read_csv(file, lines)
    if file.suffix == ".json" and first_sign(lines) == "[":
        return read_document(file, lines)
    return read_lines(lines)


def first_sign(lines: IO[str]) -> str:
    """Return the first character that is no space, and begin anew."""
    begin = lines.read(1024).lstrip()[:1]
    lines.seek(0)
    return begin


def read_csv(file: Path, lines: IO[str]) -> Read:
    """Yield rows of CSV (RFC 4180) with a header; the separator is what the header has most of."""
    csv.field_size_limit(MAX_FIELD)
    bounded = Lines(lines)
    header = next(bounded, "")
    separator = max(",\t;", key=header.count)
    names = [name.strip() for name in next(csv.reader([header or "\n"], delimiter=separator))]
    if not names or "" in names or len(set(names)) != len(names) or not all(map(is_text, names)):
        raise Misused(f"{file}: the first line has to name the columns, each of them once", code="source")
    while not bounded.is_over:
        try:
            for fields in csv.reader(bounded, delimiter=separator):
                bounded.room = MAX_LINE
                if len(fields) == len(names) and all(map(is_text, fields)):
                    yield {
                        name: None if value in {"", r"\N"} else value for name, value in zip(names, fields, strict=True)
                    }
                elif fields:
                    why = f"{len(fields)} fields instead of {len(names)}, or no UTF-8"
                    yield unreadable(bounded.number, why)
        except (csv.Error, TooLong) as error:
            yield unreadable(bounded.number, str(error))  # and on with the next line
            bounded.room = MAX_LINE


class TooLong(Exception):
    """A row that is not read."""


class Lines(Iterator[str]):
    """Lines with their number. No more of a long one, or of a row of many, is ever in memory than there is room."""

    def __init__(self, lines: IO[str]) -> None:
        self.number = 0
        self.room = MAX_LINE
        self.is_over = False
        self._lines = lines

    def __next__(self) -> str:
        """Return the next line. Raises `TooLong`, after which the line is over."""
        line = self._lines.readline(MAX_LINE)
        self.number += 1
        self.is_over = not line
        if self.is_over:
            raise StopIteration
        self.room -= len(line)
        if len(line) == MAX_LINE and not line.endswith("\n"):
            while (rest := self._lines.readline(MAX_LINE)) and not rest.endswith("\n"):
                pass
            self.room = 0
        if self.room <= 0:
            raise TooLong(f"longer than {MAX_LINE} characters")
        return line


def read_lines(lines: IO[str]) -> Read:
    """Yield rows of JSON lines: an object in each."""
    bounded = Lines(lines)
    while not bounded.is_over:
        try:
            for line in bounded:
                bounded.room = MAX_LINE
                if line.strip():
                    yield flat(bounded.number, parsed(line))
        except TooLong as error:
            yield unreadable(bounded.number, str(error))
            bounded.room = MAX_LINE


def read_document(file: Path, lines: IO[str]) -> Read:
    """Yield rows of a JSON file that is one list. Raises `Misused`."""
    if file.stat().st_size > MAX_DOCUMENT:
        raise Misused(f"{file} is too large for one list: write an object a line, and call it .jsonl", code="source")
    found = parsed(lines.read())
    if not is_list(found):
        raise Misused(f"{file} is no list of objects in JSON", code="source")
    for number, item in enumerate(found, start=1):
        yield flat(number, item)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a list."""
    return isinstance(value, list)


def parsed(text: str) -> object:
    """Return what stands in JSON; `None` if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def flat(number: int, item: object) -> dict[str, Any] | Remark:
    """Return an object with its lists and objects as JSON text."""
    if not isinstance(item, dict):
        return unreadable(number, "no object in JSON")
    row: dict[str, Any] = {name: simple(value) for name, value in cast("dict[str, Any]", item).items()}
    if all(is_text(part) for pair in row.items() for part in pair) and "" not in row and LINE not in row:
        return row
    return unreadable(number, "a name or a value that is no text")


def simple(value: object) -> object:
    """Return a value as SQLite holds it."""
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    return json.dumps(value)


def is_text(value: object) -> bool:
    """Whether a value can be written as UTF-8, if it is text at all."""
    return not isinstance(value, str) or value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def unreadable(number: int, why: str) -> Remark:
    """Return what is said of a line that cannot be read."""
    return Remark("unreadable", f"it cannot be read: {why}", "left_out", f"line {number}")
