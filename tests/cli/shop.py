"""A shop for tests of the command line: an application written to a folder, and a person at its terminal."""

import asyncio
import importlib
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from click.testing import CliRunner, Result

from powauth import Auth, NewAccount, Session
from powauth.cli import main
from powauth.operations import Entered, authenticate, sign_in, sign_up

SECRET = "7c1e0f5a9d3b8264e2f7a1c09b5d3e86"
PASSWORD = "four quiet green owls"
ADA = "ada@example.com"

SOURCE = """
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import *
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp, SignUpForm
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase

{more}

class Base(DeclarativeBase):
    pass

class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None]

engine = create_async_engine("sqlite+aiosqlite:///{folder}/app.db")
database = SQLAlchemyDatabase(async_sessionmaker(engine), User)
settings = dict(
    secret="{secret}",
    database=database,
    base_url="https://example.com/auth",
    extensions=(SignUp(), SignIn(), ManageAccount(), SessionList(), Prove()),
    passwords=Passwords(memory=64, time=1),
    mailer=lambda mail: None,
)
settings |= dict({settings})
auth = Auth(**settings)
{after}
"""

MAKER = """
from pathlib import Path

async def show(request, ctx):
    return Shown()

class Ours(Extension):
    name = "ours"
    templates = Path("{folder}")

    def manifest(self):
        page = Get(name="page", path="/ours", show=show)
        return Manifest(routes=(page,), messages={{"page.title": "Ours"}})
"""
"""An extension with a folder of templates."""


@dataclass(frozen=True)
class Shop:
    """An application in a folder, which commands find by its module's name."""

    folder: Path
    module: str

    @property
    def app(self) -> str:
        return f"{self.module}:auth"

    def run(self, *args: str, typed: str | None = None, app: str | None = None) -> Result:
        """Run a command about this application; `typed` is what comes from standard input."""
        sys.modules.pop(self.module, None)  # as in a process of its own
        return CliRunner().invoke(main, [*args, "--app", app or self.app], input=typed)

    def data(self, *args: str, typed: str | None = None) -> Any:
        """Run a command that has to succeed, and return its JSON."""
        result = self.run(*args, "--json", typed=typed)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def refusal(self, *args: str, typed: str | None = None) -> Any:
        """Run a command that has to fail, and return the error that it writes as JSON."""
        result = self.run(*args, "--json", typed=typed)
        assert result.exit_code == 1, result.output
        return json.loads(result.stderr[result.stderr.index('{"error"') :])["error"]  # a question may stand before it

    def create(self, email: str = ADA, *options: str) -> Any:
        return self.data("accounts", "create", "--email", email, "--password-stdin", *options, typed=PASSWORD)

    def work(self, work: Callable[[Auth[Any]], Awaitable[Any]]) -> Any:
        """Do something in the application itself, in an event loop of its own."""
        sys.modules.pop(self.module, None)
        auth: Auth[Any] = importlib.import_module(self.module).auth

        async def opened() -> Any:
            await auth.database.create_tables()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  of SQLAlchemy's
            await auth.open()
            try:
                return await work(auth)
            finally:
                await auth.close()
                await auth.database.dispose()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  the same

        return asyncio.run(opened())

    def sign_in(self, email: str = ADA, password: str = PASSWORD) -> Session:
        """Sign somebody in, past the pages."""

        async def signed_in(auth: Auth[Any]) -> Session:
            async with auth.begin() as ctx:
                proved = await authenticate(ctx, email, password)
            async with auth.begin() as ctx:
                entered = await sign_in(ctx, (proved.proof,), transport="cookie")
            assert isinstance(entered, Entered)
            return entered.session

        session: Session = self.work(signed_in)
        return session


def write(folder: Path, *, more: str = "", after: str = "", **settings: str) -> Shop:
    """Write an application and make its tables; `settings` of its `Auth` are Python, as it would be written."""
    module = f"shop_{uuid4().hex[:8]}"
    given = ", ".join(f"{name}={value}" for name, value in settings.items())
    source = SOURCE.format(more=more, after=after, folder=folder, secret=SECRET, settings=given)
    (folder / f"{module}.py").write_text(source)
    return Shop(folder, module)


def with_tables(shop: Shop) -> Shop:
    """Make the tables of an application."""

    async def nothing(_: Auth[Any]) -> None:
        return

    shop.work(nothing)
    return shop


__all__ = ["ADA", "MAKER", "PASSWORD", "SECRET", "NewAccount", "Shop", "sign_up", "with_tables", "write"]
