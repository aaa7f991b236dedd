"""Accounts and rows of one's own in one transaction, and work that no request began."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, NewAccount, sign_up
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class Notebook(Base):
    __tablename__ = "notebooks"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner: Mapped[str]
    title: Mapped[str]


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    extensions=[SignUp(), SignIn(), EmailConfirmation()],
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)


async def welcome(email: str, title: str) -> None:
    """Make an account and its first notebook: both, or neither."""
    async with sessions() as db:
        async with auth.begin(db=db) as ctx:
            new = NewAccount(email=email)
            await sign_up(ctx, new)
            account = await ctx.accounts.by_handle(new.handle)
        if account is None:  # visitors are not told, so `sign_up` does not raise
            raise ValueError(f"{email} is taken")
        db.add(Notebook(owner=account.id, title=title))
        await db.commit()


async def unproved() -> list[str]:
    """Return the addresses that nobody proved, as a nightly job would: a unit that only reads."""
    async with auth.begin(writes=False) as ctx:
        return [account.email or "" for account in await ctx.accounts.find() if not account.is_confirmed]


async def main() -> None:
    """Run as a script: `python -c "import asyncio, app; asyncio.run(app.main())"`."""
    await database.create_tables()
    await auth.open()
    try:
        await welcome("ada@example.com", "Numbers")
        print(await unproved())
    finally:
        await auth.close()
        await engine.dispose()
