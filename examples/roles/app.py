"""An application with roles: `uvicorn examples.roles.app:app`."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth
from powauth.extensions.impersonation import IN_PERSON, Impersonation
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove
from powauth.extensions.roles import Roles, role
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_account, current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///roles.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    extensions=[
        SignUp(),
        SignIn(),
        ManageAccount(),
        SessionList(),
        Prove(),
        Roles(roles=("member", "editor", "admin")),
        Impersonation(by=("admin",), lifetime=timedelta(hours=1), tells_owner=True),
    ],
)


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db


Editor = Annotated[User, Depends(current_user(auth, db=get_db, require=role("editor")))]
InPerson = Annotated[User, Depends(current_user(auth, db=get_db, require=IN_PERSON))]
admin = APIRouter(prefix="/admin", dependencies=[Depends(current_account(auth, require=role("admin")))])


@admin.get("/people")
async def people() -> list[str]:
    async with auth.begin(writes=False) as ctx:
        return [account.label for account in await ctx.accounts.find()]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(admin)
install(app, auth)


@app.get("/draft")
async def draft(user: Editor) -> dict[str, str | None]:
    return {"editor": user.email}


@app.get("/diary")
async def diary(user: InPerson) -> dict[str, str | None]:
    return {"only_for": user.email}
