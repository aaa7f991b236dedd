"""Mistakes of whoever writes an application."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.requests import Request

from powauth import Account, Auth, Context, Cookies, Passwords, Proof, Session, SessionSettings, authenticate
from powauth.extensions.prove import recent
from powauth.extensions.sign_in import SignIn
from powauth.fastapi import current_user as fastapi_user
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.starlette import current_account, current_session, current_user, sign_in


class Base(DeclarativeBase):
    """The application's own tables."""


class User(AccountColumns, Base):
    """The application's own user."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Article(Base):
    """No user."""

    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)


engine = create_async_engine("sqlite+aiosqlite://")
sessions = async_sessionmaker(engine)
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(secret="…", database=database, base_url="https://example.com/auth")

# ---- settings ----

SQLAlchemyDatabase(sessions, Article)  # expect-error: without the columns of an account
SQLAlchemyDatabase(engine, User)  # expect-error: an engine makes no sessions
Auth(database=database, base_url="https://example.com/auth")  # expect-error: without a secret
Auth(secret="…", base_url="https://example.com/auth")  # expect-error: without a database
Auth(secret="…", database=database)  # expect-error: without an address
Auth(secret="…", database=engine, base_url="https://example.com/auth")  # expect-error: an engine is no database
Auth(secret="…", database=database, base_url="https://example.com/auth", extension=[])  # expect-error: misspelt
Auth(secret="…", database=database, base_url="https://example.com/auth", extensions=[SignIn])  # expect-error: a class
Auth("…", database=database, base_url="https://example.com/auth")  # expect-error: settings are named
auth.secret = "other"  # expect-error: frozen
SessionSettings(idle="30 minutes")  # expect-error: a timedelta belongs there
SessionSettings(idle=1800)  # expect-error: a timedelta belongs there
Passwords(min_length="8")  # expect-error: a number belongs there
Cookies(secure=False)  # expect-error: no such choice
recent("5 minutes")  # expect-error: a timedelta belongs there
recent(timedelta(minutes=5), SignIn)  # expect-error: factors are names

# ---- who is signed in ----


async def page(request: Request, db: AsyncSession) -> None:
    """Take one for another."""
    one: Article = await current_user(auth)(request, db)  # expect-error: the user is a User
    two: User = await current_user(auth, optional=True)(request, db)  # expect-error: it may be nobody
    three: Session = await current_account(auth)(request)  # expect-error: an account is no session
    four: User = await current_account(auth)(request)  # expect-error: an account is no user
    five: Session = await current_session(auth, optional=True)(request)  # expect-error: it may be nobody
    print(one, two, three, four, five)
    print((await current_account(auth, optional=True)(request)).email)  # expect-error: it may be nobody
    current_session(auth, require=timedelta(minutes=5))  # expect-error: a requirement belongs there
    current_session(database)  # expect-error: an Auth belongs there
    fastapi_user(auth)  # expect-error: in whose database session
    await current_user(auth)(request)  # expect-error: in whose database session


# ---- signing in ----


async def enter(request: Request, ctx: Context, account: Account, proof: Proof) -> None:
    """Sign somebody in from a handler of one's own."""
    await sign_in(auth, request, account)  # expect-error: an account is no proof
    await sign_in(request, proof)  # expect-error: of which Auth
    sign_in(auth, request, proof)  # expect-error: not awaited
    authenticate(ctx, "ada@example.com", "secret")  # expect-error: not awaited
    found: Account = await authenticate(ctx, "ada@example.com", "secret")  # expect-error: an account and its proof
    session: Session = await sign_in(auth, request, proof)  # expect-error: it may be a detour
    print(found, session)
