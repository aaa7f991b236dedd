"""The same application with Powauth, as its README shows it."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import asynccontextmanager
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.served import Served, cpu
from powauth import (
    Account,
    AccountId,
    Auth,
    ConsoleMailer,
    MemoryStore,
    NewAccount,
    Passwords,
    Proof,
    Session,
    SessionSettings,
    Store,
)
from powauth.accounts import new_handle
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase, SQLAlchemyStore
from powauth.sqlite import SQLiteStore
from powauth.starlette import current_session, install

SECRET = secrets.token_hex(32)
PASSWORD = "four quiet green owls"
DAY = timedelta(hours=24)


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


def make_engine(folder: Path) -> AsyncEngine:
    return create_async_engine(f"sqlite+aiosqlite:///{folder}/app.db")


def make_auth(folder: Path, store: Store, base_url: str = "http://127.0.0.1:8000/auth") -> Auth[User]:
    return Auth(
        secret=SECRET,
        database=SQLAlchemyDatabase(async_sessionmaker(make_engine(folder), expire_on_commit=False), User),
        store=store,
        base_url=base_url,
        extensions=[SignUp(), SignIn(), ManageAccount(), SessionList()],
        trusted_proxies=["127.0.0.0/8"],  # so that clients of a benchmark have addresses of their own
    )


async def create_tables(auth: Auth[User]) -> None:
    if isinstance(auth.database, SQLAlchemyDatabase):
        await auth.database.create_tables()


def page(auth: Auth[User]) -> Starlette:
    """An application with one page for signed-in people."""
    current = current_session(auth)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await create_tables(auth)
        yield

    async def me(request: Request) -> Response:
        session = await current(request)
        return JSONResponse({"id": session.account_id})

    app = Starlette(routes=[Route("/me", me), cpu], lifespan=lifespan)
    install(app, auth)
    return app


def memory(folder: Path, sessions: int) -> Served:
    return _served(folder, MemoryStore(), sessions)


def sqlite(folder: Path, sessions: int) -> Served:
    return _served(folder, SQLiteStore(folder / "sessions.db"), sessions)


def postgres(folder: Path, sessions: int, *, url: str) -> Served:
    return _served(folder, SQLAlchemyStore(url), sessions)


def _served(folder: Path, store: Store, sessions: int) -> Served:
    auth = make_auth(folder, store)
    cookies = asyncio.run(_start_sessions(auth, sessions))
    return Served(page(auth), cookies)


async def _start_sessions(auth: Auth[User], count: int) -> list[str]:
    await auth.plan.store.open()
    sessions = [new_session(auth) for _ in range(count)]
    for session in sessions:
        await auth.plan.sessions("").start(session)
    await auth.plan.store.close()
    return [cookie_of(auth, session) for session in sessions]


def new_session(auth: Auth[User]) -> Session:
    """Return a session as a sign-in makes it; the account is not in the database, and a page does not ask."""
    now = auth.clock.now()
    account = Account(AccountId(str(uuid4())), new_handle(), None, None, None, now)
    proof = Proof(account.handle, 0, "password", now)
    return auth.plan.sessions("").new(
        account, (proof,), transport="cookie", client="192.0.2.1", device="Firefox on Linux"
    )


def cookie_of(auth: Auth[User], session: Session) -> str:
    return f"{auth.plan.cookie_name('session')}={auth.plan.sessions('').secret(session)}"
