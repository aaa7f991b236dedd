"""A small application for tests: a user model, a database file of its own, a clock that stands, an outbox."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Extension, MemoryStore, Passwords
from powauth.accounts import Account
from powauth.asgi.raw import ASGIApp
from powauth.context import Context
from powauth.extensions.audit import Audit
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.health import Health
from powauth.extensions.impersonation import Impersonation
from powauth.extensions.invitation import Invitation
from powauth.extensions.lock import Lock
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove
from powauth.extensions.providers import Providers
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.reopen import Reopen
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.roles import Roles, grant
from powauth.extensions.security_mails import SecurityMails
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.providers import GitHub
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.testing import FrozenClock, Outbox, Site

SECRET = "7c1e0f5a9d3b8264e2f7a1c09b5d3e86"
ORIGIN = "https://example.com"
BASE_URL = f"{ORIGIN}/auth"
PASSWORD = "four quiet green owls"
QUICK = Passwords(memory=64, time=1)


def anybody(ctx: Context, account: Account) -> bool:
    """Say yes."""
    return True


def all_extensions() -> tuple[Extension, ...]:
    """Return every extension of the foundation, as an application lists them."""
    return (SignUp(), SignIn(), ManageAccount(), SessionList(), Prove())


def whole_house() -> tuple[Extension, ...]:
    """Return every extension, as an application lists them that leaves nothing out."""
    return (
        *all_extensions(),
        EmailConfirmation(),
        ResetPassword(),
        Lock(),
        Reopen(),
        RememberMe(),
        SecurityMails(),
        Health(),
        Audit(),
        Roles(),
        Impersonation(),
        Invitation(may_invite=anybody),
        Providers(providers=[GitHub(client_id="id", client_secret="secret")]),
    )


@dataclass(frozen=True)
class House:
    """One application: its `Auth`, its user class, its engine, its clock."""

    auth: Auth[Any]
    user: type[Any]
    engine: AsyncEngine
    sessionmaker: async_sessionmaker[AsyncSession]
    clock: FrozenClock

    def site(self, app: ASGIApp | None = None, **settings: Any) -> Site:
        return Site(self.auth, app, **settings)


@asynccontextmanager
async def house(
    folder: Path,
    *,
    extensions: Sequence[Extension] | None = None,
    url: str | None = None,
    engine_settings: dict[str, Any] | None = None,
    **settings: Any,
) -> AsyncGenerator[House]:
    """Open a small application; `settings` are those of `Auth`."""

    class Base(DeclarativeBase):
        pass

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
        name: Mapped[str | None] = mapped_column(String(80))

    engine = create_async_engine(url or f"sqlite+aiosqlite:///{folder}/app.db", **(engine_settings or {}))
    sessionmaker = async_sessionmaker(engine, expire_on_commit=False)
    database = SQLAlchemyDatabase(sessionmaker, User, encryption=settings.pop("encryption", None))
    clock = settings.pop("clock", None) or FrozenClock()
    defaults: dict[str, Any] = {
        "secret": SECRET,
        "base_url": BASE_URL,
        "store": MemoryStore(clock),
        "mailer": Outbox(),
        "passwords": QUICK,
        "application": "Example",
    }
    auth: Auth[Any] = Auth(
        database=database,
        extensions=all_extensions() if extensions is None else extensions,
        clock=clock,
        **{**defaults, **settings},
    )
    await database.create_tables()
    await auth.open()
    try:
        yield House(auth, User, engine, sessionmaker, clock)
    finally:
        await auth.close()
        await engine.dispose()


async def sign_up(site: Site, email: str = "ada@example.com", password: str = PASSWORD) -> None:
    """Let a browser sign up, and be signed in by that."""
    answer = await site.post("/sign-up", email=email, password=password)
    assert answer.status in {201, 303}, answer.text


async def confirm(site: Site) -> None:
    """Open the newest link of the mailbox and press its button."""
    answer = await site.post(site.outbox.link)
    assert answer.status in {204, 303}, answer.text


async def sign_in(site: Site, email: str = "ada@example.com", password: str = PASSWORD) -> None:
    """Let a browser sign in."""
    answer = await site.post("/sign-in", email=email, password=password)
    assert answer.status in {200, 303}, answer.text


async def settle(site: Site, email: str = "ada@example.com", password: str = PASSWORD) -> None:
    """Let a browser sign up, confirm and sign in, and forget the mails about that."""
    await sign_up(site, email, password)
    await confirm(site)
    await sign_in(site, email, password)
    site.outbox.clear()


async def let(home: House, email: str, *roles: str) -> None:
    """Give somebody roles."""
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        assert account is not None
        for role in roles:
            await grant(ctx, account, role)
