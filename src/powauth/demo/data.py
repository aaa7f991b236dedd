"""The demo's data folder: a secret, a database, and nothing that it did not make itself."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

SECRET = "secret"
DATABASE = "demo.db"
BESIDE = "demo.db-powauth-sessions.db"
"""Where sessions are if nobody says otherwise: beside the database."""
STORE = "sessions.db"
ENDINGS = ("", "-wal", "-shm", "-journal")
"""What SQLite calls the files that it makes."""


def default_folder() -> Path:
    """Return where a user's programs keep their data (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "powauth-demo"


@dataclass(frozen=True)
class DataFolder:
    """A folder that only its owner may look into."""

    path: Path

    def __post_init__(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def database(self) -> URL:
        """The database of accounts and mails."""
        return URL.create("sqlite+aiosqlite", database=str(self.path / DATABASE))

    @property
    def store(self) -> Path:
        """A file for sessions, and whatever else expires."""
        return self.path / STORE

    def secret(self) -> str:
        """Return the secret, made at the first start; nobody but its owner may read its file."""
        path = self.path / SECRET
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        return path.read_text()

    def empty(self) -> None:
        """Remove the files of the demo, and no others."""
        databases = [name + ending for name in (DATABASE, BESIDE, STORE) for ending in ENDINGS]
        for name in (SECRET, *databases):
            (self.path / name).unlink(missing_ok=True)
