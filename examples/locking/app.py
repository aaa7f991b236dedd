"""Locks: by an administrator, by the owner, by very many failures, and one of the application's own."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Account, Auth, Context, Detour, InvalidCredentials, SigningIn, lock_account, on, unlock_account
from powauth.extensions.lock import Lock
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.security_mails import SecurityMails
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_account, current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    is_administrator: Mapped[bool] = mapped_column(default=False)
    has_paid: Mapped[bool] = mapped_column(default=True)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)


async def who_owes_stays_out(event: SigningIn, ctx: Context) -> Detour | None:
    """A lock of the application's own: every way in passes it."""
    user = await ctx.accounts.user(event.account)
    if not user.has_paid:
        raise InvalidCredentials
    return None


auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    hooks=[on(SigningIn, who_owes_stays_out)],
    extensions=[SignUp(), SignIn(), ManageAccount(), ResetPassword(), Lock(), SecurityMails()],
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

CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]


@app.get("/me")
async def me(account: Annotated[Account, Depends(current_account(auth))]) -> dict[str, str | None]:
    return {"email": account.email}


@app.post("/people/{email}/lock")
async def lock(email: str, user: CurrentUser) -> None:
    await set_lock(email, user, locked=True)


@app.post("/people/{email}/unlock")
async def unlock(email: str, user: CurrentUser) -> None:
    await set_lock(email, user, locked=False)


async def set_lock(email: str, user: User, *, locked: bool) -> None:
    if not user.is_administrator:
        raise HTTPException(403)
    async with auth.begin() as ctx:
        account = await ctx.accounts.by_email(email)
        if account is None:
            raise HTTPException(404)
        await (lock_account if locked else unlock_account)(ctx, account.handle)
