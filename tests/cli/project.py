"""A project in a folder, and a person at its terminal: every command is a process of its own."""

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from powauth import Auth
from powauth.cli import main

ROOT = Path(__file__).parents[2]
SECRET = "d41f6c0a97b2e85316c04f7a9be2d853"
README = ROOT / "examples" / "readme" / "app.py"

ENV = """
import asyncio

from alembic import context

from app import Base, engine

def run(connection):
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()

asyncio.run(main())
"""

APP = '''"""A shop."""
import os
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy import String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Passwords
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.testing import Outbox


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None] = mapped_column(String(80))


engine = create_async_engine(os.environ["DATABASE_URL"])
database = SQLAlchemyDatabase(async_sessionmaker(engine, expire_on_commit=False), User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    passwords=Passwords(memory=64, time=1),
    mailer=Outbox(),
    extensions=[  # what people can do
        SignUp(),  # everybody may
        SignIn(),
    ],
)
app = FastAPI()
install(app, auth)
'''


@dataclass(frozen=True)
class Project:
    """Files in a folder."""

    folder: Path
    url: str

    def path(self, name: str) -> Path:
        return self.folder / name

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def files(self) -> dict[str, bytes]:
        """Return every file and what is in it."""
        skipped = {"__pycache__", "app.db", "app.db-powauth-sessions.db"}
        paths = [path for path in self.folder.rglob("*") if path.is_file() and not skipped.intersection(path.parts)]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}

    def run(self, *command: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a person would, in the folder."""
        environment = {
            **os.environ,
            "AUTH_SECRET": SECRET,
            "DATABASE_URL": self.url,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(self.folder)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        }
        environment.pop("POWAUTH_APP", None)
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            input=typed,
            timeout=120,
        )

    def powauth(self, *args: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `powauth`: in this process, where its libraries are imported already, and the project is not yet."""
        with self.entered(**variables):
            result = CliRunner().invoke(main, args, input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return subprocess.CompletedProcess(args, result.exit_code, result.stdout, result.stderr)

    @contextmanager
    def entered(self, **variables: str) -> Generator[None]:
        """Be in the folder, with the variables that it needs; afterwards its modules are forgotten."""
        before = sys.path[:]
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            for name, value in {"AUTH_SECRET": SECRET, "DATABASE_URL": self.url, **variables}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "path", [str(self.folder), *before])
            try:
                yield
            finally:
                for name, module in list(sys.modules.items()):
                    if str(getattr(module, "__file__", None)).startswith(str(self.folder)):
                        del sys.modules[name]

    def enabled(self, auth: str = "auth") -> list[str]:
        """Return the extensions of its `Auth`."""
        with self.entered():
            found: Auth[Any] = getattr(importlib.import_module("app"), auth)
            return [extension.name for extension in found.extensions]

    def done(self, *args: str) -> str:
        """Run `powauth`, which has to succeed."""
        result = self.powauth(*args)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def data(self, *args: str) -> Any:
        """Run `powauth`, which has to succeed, and return its JSON."""
        return json.loads(self.done(*args, "--json"))

    def python(self, code: str, *args: str) -> str:
        """Run a program in the project, which has to succeed."""
        result = self.run(sys.executable, "-c", code, *args)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def alembic(self, *args: str) -> str:
        """Run Alembic, which has to succeed."""
        result = self.run(sys.executable, "-m", "alembic", *args)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def with_alembic(self) -> "Project":
        """Set Alembic up, as a person would, and make the tables that there are."""
        self.alembic("init", "migrations")
        self.write("migrations/env.py", ENV)
        self.alembic("revision", "--autogenerate", "-m", "first")
        self.alembic("upgrade", "head")
        return self


def project(folder: Path, url: str = "", *, app: str = APP) -> Project:
    """Write a project with an application in `app.py`."""
    made = Project(folder, url or f"sqlite+aiosqlite:///{folder}/app.db")
    made.write("app.py", app)
    return made


def copied(of: Project, folder: Path) -> Project:
    """Return the same project in another folder, on a database of its own."""
    shutil.copytree(of.folder, folder, dirs_exist_ok=True)
    return Project(folder, of.url.replace(str(of.folder), str(folder)))
