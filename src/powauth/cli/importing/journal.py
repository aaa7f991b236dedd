"""Journal: who has been taken over already, so that an import which was cut off goes on where it was."""

import json
import os
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from powauth.accounts import Handle
from powauth.cli.failures import Failure, Misused
from powauth.cli.importing.fitting import Fitted
from powauth.cli.importing.newcomer import Identity

APPLICATION_ID = 0x506F7741  # tells a journal from the databases of others

SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (
    key TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, is_done INTEGER NOT NULL, set_aside TEXT NOT NULL
) WITHOUT ROWID;
"""


class Journal:
    """A SQLite file, readable by its owner only.

    Before accounts are written, their handles are noted; afterwards they are marked as done. Whatever is noted and not
    done, when the process was killed between, is looked for by its handle.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = sqlite3.connect(path or "", isolation_level=None, timeout=1)

    @classmethod
    def open(cls, path: Path, about: Mapping[str, str]) -> "Journal":
        """Return the journal in a file, which is made if there is none. Raises `Misused` if it is another import's."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        except OSError as error:
            raise Misused(f"the journal {path} cannot be opened: {error.strerror}", code="journal") from error
        path.chmod(0o600)
        journal = cls(path)
        journal._begin(path, about)
        return journal

    @classmethod
    def peek(cls, path: Path, about: Mapping[str, str]) -> "Journal":
        """Return a journal for a dry run: what the file says, and nothing is ever written to it."""
        journal = cls(None)
        if path.exists():
            with (
                closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as real,
                told(path),
            ):
                real.backup(journal._database)
        journal._begin(path, about)
        return journal

    def _begin(self, path: Path, about: Mapping[str, str]) -> None:
        with told(path):
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("BEGIN EXCLUSIVE")
            self._refuse_others(path)
            for statement in SCHEMA.strip().split(";\n"):
                self._database.execute(statement)
            known = dict(self._database.execute("SELECT name, value FROM about"))
            self._database.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", about.items())
            self._database.execute("COMMIT")
        if known and known != dict(about):
            differs = ", ".join(f"{name} {value}" for name, value in known.items() if about.get(name) != value)
            raise Misused(
                f"the journal {path} is of another import ({differs}): name another with --journal", code="journal"
            )

    def _refuse_others(self, path: Path) -> None:
        """Raise `Misused` for a database that is not ours: tables would be made in it."""
        ours = self._database.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        if not ours and self._database.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._database.execute("ROLLBACK")
            raise Misused(f"{path} is no journal of an import: name another with --journal", code="journal")
        self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def is_done(self, key: str) -> bool:
        """Whether an account was taken over, however long ago, and whatever became of it since."""
        return self._database.execute("SELECT 1 FROM people WHERE key = ? AND is_done", (key,)).fetchone() is not None

    def unsettled(self) -> list[tuple[str, Handle]]:
        """Return the accounts of which nobody knows whether they were written."""
        return list(self._database.execute("SELECT key, handle FROM people WHERE NOT is_done"))

    def intend(self, batch: Sequence[Fitted]) -> None:
        """Note accounts before they are written, and what is set aside of them."""
        rows = [(one.key, one.account.handle, 0, set_aside(one)) for one in batch]
        self._write("INSERT INTO people VALUES (?, ?, ?, ?)", rows)

    def settle(self, done: Sequence[str], undone: Sequence[str]) -> None:
        """Mark accounts as written, and forget those that were not."""
        self._database.execute("BEGIN")
        self._database.executemany("UPDATE people SET is_done = 1 WHERE key = ?", [(key,) for key in done])
        self._database.executemany("DELETE FROM people WHERE key = ? AND NOT is_done", [(key,) for key in undone])
        self._database.execute("COMMIT")

    def key_of(self, handle: Handle) -> str | None:
        """Return which account of the other system an account was."""
        found = self._database.execute("SELECT key FROM people WHERE handle = ?", (handle,)).fetchone()
        return None if found is None else str(found[0])

    def set_aside(self) -> Iterator[str]:
        """Yield what was set aside of those who were taken over, as JSON lines."""
        for (lines,) in self._database.execute("SELECT set_aside FROM people WHERE is_done AND set_aside != ''"):
            yield from str(lines).splitlines()

    def waiting(self, key: str) -> tuple[Handle, list[Identity]]:
        """Return which account somebody became who was taken over, and the identities that were set aside of them."""
        found = self._database.execute("SELECT handle, set_aside FROM people WHERE key = ?", (key,)).fetchone()
        lines = [json.loads(line) for line in str(found[1]).splitlines()]
        kept = [line for line in lines if line["kind"] == "identity"]
        return Handle(found[0]), [Identity(line["provider"], line["subject"], line["issuer"]) for line in kept]

    def found_place(self, key: str, placed: Sequence[Identity]) -> None:
        """Note that identities which were set aside have their place by now."""
        (text,) = self._database.execute("SELECT set_aside FROM people WHERE key = ?", (key,)).fetchone()
        gone = [line_of(identity) for identity in placed]
        left = [line for line in str(text).splitlines() if not any(is_line(line, each) for each in gone)]
        self._write("UPDATE people SET set_aside = ? WHERE key = ?", [("\n".join(left), key)])

    def close(self) -> None:
        """Let another import have the file."""
        self._database.close()

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")


@contextmanager
def told(path: Path) -> Generator[None]:
    """Say in a sentence why a journal cannot be used."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Failure(f"another import is at work with the journal {path}", code="journal") from error
    except sqlite3.DatabaseError as error:
        raise Misused(f"{path} is no journal of an import: name another with --journal", code="journal") from error


def line_of(identity: Identity) -> dict[str, object]:
    """Return an identity as it is set aside."""
    return {
        "kind": "identity",
        "provider": identity.provider,
        "subject": identity.subject,
        "issuer": identity.issuer,
    }


def is_line(text: str, line: Mapping[str, object]) -> bool:
    """Say whether a line that was set aside is this one."""
    kept = json.loads(text)
    return all(kept.get(name) == value for name, value in line.items())


def set_aside(one: Fitted) -> str:
    """Return what has no place here, a JSON object a line: identities, further addresses, roles."""
    head = {"handle": one.account.handle, "key": one.key}
    newcomer = one.newcomer
    identities: Sequence[Mapping[str, object]] = [line_of(identity) for identity in one.lost_identities]
    addresses: Sequence[Mapping[str, object]] = [
        {"kind": "address", "email": known.email, "confirmed": known.is_proved} for known in newcomer.addresses
    ]
    roles: Sequence[Mapping[str, object]] = [{"kind": "role", "role": role} for role in one.lost_roles]
    return "\n".join(json.dumps({**head, **line}) for line in (*identities, *addresses, *roles))
