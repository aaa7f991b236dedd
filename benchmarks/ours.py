"""The same applications with Powauth, as its README shows them."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.bulk import fill
from benchmarks.lag import Lag
from benchmarks.people import PASSWORD, PEOPLE, address
from benchmarks.served import Served, cpu
from powauth import Account, AccountId, Auth, MemoryStore, NewAccount, Proof, Session, Store
from powauth.accounts import new_handle
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.redis import RedisStore
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase, SQLAlchemyStore
from powauth.sqlite import SQLiteStore
from powauth.starlette import current_session, install

SECRET = secrets.token_hex(32)


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


def make_auth(engine: AsyncEngine, store: Store) -> tuple[Auth[User], SQLAlchemyDatabase[User]]:
    database = SQLAlchemyDatabase(async_sessionmaker(engine, expire_on_commit=False), User)
    auth = Auth(
        secret=SECRET,
        database=database,
        store=store,
        base_url="http://127.0.0.1:8000/auth",
        extensions=[SignUp(), SignIn(), ManageAccount(), SessionList()],
        trusted_proxies=["127.0.0.0/8"],  # so that clients of a benchmark have addresses of their own
    )
    return auth, database


def make_engine(folder: Path, url: str = "") -> AsyncEngine:
    return create_async_engine(url or f"sqlite+aiosqlite:///{folder}/app.db")


def page(auth: Auth[User], database: SQLAlchemyDatabase[User], lag: Lag | None = None) -> Starlette:
    """An application with one page for signed-in people."""
    current = current_session(auth)

    async def me(request: Request) -> Response:
        session = await current(request)
        return JSONResponse({"id": session.account_id})

    async def blocked(_: Request) -> Response:
        return PlainTextResponse(lag.take() if lag else "")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await database.create_tables()
        async with lag.watching() if lag else _nothing():
            yield

    app = Starlette(routes=[Route("/me", me), cpu, Route("/lag", blocked)], lifespan=lifespan)
    install(app, auth)
    return app


@asynccontextmanager
async def _nothing() -> AsyncGenerator[None]:
    yield


def memory(folder: Path, sessions: int) -> Served:
    return _served(folder, MemoryStore(), sessions)


def sqlite(folder: Path, sessions: int) -> Served:
    return _served(folder, SQLiteStore(folder / "sessions.db"), sessions)


def postgres(folder: Path, sessions: int, *, url: str) -> Served:
    return _served(folder, SQLAlchemyStore(url), sessions)


def redis(folder: Path, sessions: int, *, url: str) -> Served:
    return _served(folder, RedisStore.from_url(url), sessions)


def near(folder: Path, sessions: int, *, url: str) -> Served:
    return _served(folder, RedisStore.from_url(url, near_cache=True), sessions)


def sqlite_full(folder: Path, sessions: int, *, budget: str) -> Served:
    """A thousand sessions among very many."""
    store = SQLiteStore(folder / "sessions.db")
    served = _served(folder, store, 1000)
    fill(folder / "sessions.db", sessions - 1000, budget=float(budget))
    return served


def _served(folder: Path, store: Store, sessions: int) -> Served:
    auth, database = make_auth(make_engine(folder), store)
    return Served(page(auth, database), asyncio.run(start_sessions(auth, database, sessions)))


async def start_sessions(auth: Auth[User], database: SQLAlchemyDatabase[User], count: int) -> list[str]:
    """Sign in so many, and return their cookies."""
    await database.create_tables()  # also for pages that ask the store alone: some stores have a table beside them
    await auth.plan.store.open()
    started = [new_session(auth, new_account(auth)) for _ in range(count)]
    for session in started:
        await auth.plan.sessions("").start(session)
    await auth.plan.store.close()
    await database.dispose()
    return [cookie_of(auth, session) for session in started]


def new_account(auth: Auth[User]) -> Account:
    """Return an account that is not in the database: a page that wants the session does not ask there."""
    return Account(AccountId(str(uuid4())), new_handle(), None, None, None, auth.clock.now())


def new_session(auth: Auth[User], account: Account) -> Session:
    proof = Proof(account.handle, account.epoch, "password", auth.clock.now())
    sessions = auth.plan.sessions("")
    return sessions.new(account, (proof,), transport="cookie", client="192.0.2.1", device="Firefox on Linux")


def cookie_of(auth: Auth[User], session: Session) -> str:
    return f"{auth.plan.cookie_name('session')}={auth.plan.sessions('').secret(session)}"


def signing_in(folder: Path, sessions: int, *, url: str = "") -> Served:
    """People who can sign in, at the price that a password has by default, and the event loop watched."""
    engine = make_engine(folder, url)
    auth, database = make_auth(engine, MemoryStore())

    async def prepare() -> list[str]:
        await database.create_tables()
        await make_accounts(auth)
        await engine.dispose()
        return await start_sessions(auth, database, sessions)

    cookies = asyncio.run(prepare())
    auth.plan.hasher.close()  # its threads were of this preparation
    auth, database = make_auth(engine, auth.plan.store)
    return Served(page(auth, database, Lag()), cookies)


async def make_accounts(auth: Auth[User]) -> None:
    password_hash = await auth.plan.hasher.hash(PASSWORD, client="")
    async with auth.begin() as ctx:
        for number in range(PEOPLE):
            new = NewAccount(email=address(number), password_hash=password_hash, confirmed_at=ctx.now)
            await ctx.accounts.add(new, now=ctx.now)
