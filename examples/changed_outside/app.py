"""A user row that the application changes by itself: what is seen at once, and what has to be said to Powauth."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Session
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_session, current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(default="")


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    extensions=[SignUp(), SignIn()],
)


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)


@app.get("/me")
async def me(user: Annotated[User, Depends(current_user(auth, db=get_db))]) -> dict[str, str | None]:
    return {"name": user.name, "email": user.email}


@app.post("/me")
async def rename(
    name: str,
    user: Annotated[User, Depends(current_user(auth, db=get_db))],
    db: Annotated[AsyncSession, Depends(get_db)],
) -> None:
    user.name = name  # a column of the application's: loaded in its own session, committed with it
    await db.commit()


@app.get("/session-only")
async def session_only(session: Annotated[Session, Depends(current_session(auth))]) -> dict[str, str]:
    return {"account": session.account_id}


async def end_everything(email: str) -> None:
    """After a change of one's own that nobody should outlive: every session of the account ends at once."""
    async with auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(email)
        if account is not None:
            await ctx.sessions.end_others(account.handle, keep=None)
