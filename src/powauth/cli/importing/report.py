"""Report: what could not be taken over, for people and for programs; no hash, no secret and no address stands in it."""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from powauth.cli.failures import Misused
from powauth.cli.importing.newcomer import Remark
from powauth.cli.output import Row

FIELDS = ("severity", "code", "key", "says")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

MOST = 1000
"""Remarks that `--json` writes; `--report` has all of them."""


class Report:
    """Collects remarks: counts all of them, and hands each one on."""

    def __init__(self, say: Callable[[str], None], file: IO[str] | None, *, is_csv: bool) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.remarks: list[Remark] = []
        self._say = say
        self._file = file
        self._csv = csv.writer(file) if file and is_csv else None
        self._said: set[str] = set()
        if self._csv:
            self._csv.writerow(FIELDS)

    def add(self, remarks: Sequence[Remark]) -> None:
        """Add remarks; what holds for all accounts is said once."""
        for remark in remarks:
            if remark.code == "no_usernames" or not remark.key:
                if remark.says in self._said:
                    continue
                self._said.add(remark.says)
            self.counts[remark.severity, remark.code] += 1
            if len(self.remarks) < MOST:
                self.remarks.append(remark)
            self._write(remark)

    @property
    def found(self) -> bool:
        """Whether somebody is left out, or something is lost."""
        return any(severity != "note" for severity, _ in self.counts)

    def summary(self) -> list[Row]:
        """Return how many remarks there are of each kind."""
        order = {"left_out": 0, "lost": 1, "note": 2}
        counted = sorted(self.counts.items(), key=lambda item: (order[item[0][0]], item[0][1]))
        return [{"severity": severity, "code": code, "count": count} for (severity, code), count in counted]

    def _write(self, remark: Remark) -> None:
        row = as_row(remark)
        if self._csv:
            self._csv.writerow([harmless(str(row[name])) for name in FIELDS])
        elif self._file:
            self._file.write(json.dumps(row, ensure_ascii=True) + "\n")
        else:
            self._say(f"{LABELS[remark.severity]}  {f'{remark.key}: ' if remark.key else ''}{remark.says}")


LABELS = {"left_out": "left out", "lost": "lost    ", "note": "note    "}


def as_row(remark: Remark) -> Row:
    """Return a remark as a program reads it."""
    return {"severity": remark.severity, "code": remark.code, "key": remark.key, "says": remark.says}


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet computes: the key of an account may be whatever its owner wrote."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def private(path: Path) -> IO[str]:
    """Open a new file that only its owner reads. Raises `Misused`; whatever has the name already stays as it is."""
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise Misused(f"{path} exists already: name another file, or delete it", code="usage") from error
    except OSError as error:
        raise Misused(f"{path} cannot be written: {error.strerror}", code="usage") from error
    return os.fdopen(opened, "w", encoding="utf-8", newline="")
