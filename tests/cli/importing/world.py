"""What tests of `powauth import` share: an application to move into, and databases to move from."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from powauth import Account, Auth
from tests.cli.shop import PASSWORD, Shop, with_tables, write

HERE = Path(__file__).parent
SETTINGS = {
    "passwords": "Passwords(memory=64, time=1, foreign=[BcryptHashes(truncates=True)])",
}
BCRYPT = "from powauth.bcrypt import BcryptHashes"


def new_home(folder: Path, *, more: str = BCRYPT, after: str = "", **settings: str) -> Shop:
    """Write an application that reads bcrypt, and make its tables."""
    return with_tables(write(folder, more=more, after=after, **{**SETTINGS, **settings}))


def run_maker(name: str, file: Path, *args: str) -> Path:
    """Let another system make its own database, in a process of its own."""
    subprocess.run([sys.executable, str(HERE / "makers" / name), str(file), *args], check=True, timeout=120)
    return file


def database_of(name: str, file: Path) -> sqlite3.Connection:
    """Make a database from a schema that stands beside this file."""
    database = sqlite3.connect(file, isolation_level=None)
    database.executescript((HERE / name).read_text())
    return database


def insert(database: sqlite3.Connection, table: str, **values: Any) -> None:
    """Insert a row."""
    names, places = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
    database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', tuple(values.values()))  # noqa: S608


@dataclass(frozen=True)
class Moved:
    """How an import ended."""

    exit_code: int
    data: dict[str, Any]

    def codes(self, key: str) -> set[str]:
        """Return the codes of what was said of one account."""
        return {remark["code"] for remark in self.data["remarks"] if remark["key"] == key}

    def says(self, code: str) -> list[str]:
        """Return what was said with this code."""
        return [remark["says"] for remark in self.data["remarks"] if remark["code"] == code]


def move(shop: Shop, source: str, origin: object, *args: str) -> Moved:
    """Run `powauth import`."""
    result = shop.run("import", source, "--from", str(origin), *args, "--json")
    assert result.stdout, result.output
    return Moved(result.exit_code, json.loads(result.stdout))


def people(shop: Shop) -> dict[str, Account]:
    """Return all accounts of an application, by address or user name."""

    async def read(auth: Auth[Any]) -> Sequence[Account]:
        async with auth.begin(writes=False) as ctx:
            return await ctx.accounts.find(limit=10_000)

    found: Sequence[Account] = shop.work(read)
    return {account.email or account.username or "": account for account in found}


def upgraded(shop: Shop, email: str, password: str = PASSWORD) -> None:
    """Sign in, and see the hash replaced by one of today's."""
    before = people(shop)[email].password_hash
    shop.sign_in(email, password)
    after = people(shop)[email].password_hash
    assert after is not None
    assert after != before
    assert after.startswith("$argon2id$v=19$m=64,t=1,p=1$")


__all__ = [
    "BCRYPT",
    "HERE",
    "PASSWORD",
    "database_of",
    "insert",
    "move",
    "new_home",
    "people",
    "run_maker",
    "upgraded",
]
