"""An application in which nobody can sign up: accounts are made at the command line or by a script."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, NewAccount, sign_up
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.reset_password import ResetPassword, send_link
from powauth.extensions.sign_in import SignIn
from powauth.fastapi import install
from powauth.operations import Authentic
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    extensions=[SignIn(), ManageAccount(), ResetPassword()],
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)


async def hire(email: str) -> None:
    """Make an account without a password, and mail its owner the link that sets one."""
    async with auth.begin() as ctx:
        made = await sign_up(ctx, NewAccount(email=email))
        if isinstance(made, Authentic):
            await send_link(ctx, made.account)
