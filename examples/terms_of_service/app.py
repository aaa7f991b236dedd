"""An application whose people accept its terms: `uvicorn examples.terms_of_service.app:app`."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from examples.terms_of_service import TermsOfService
from powauth import Auth
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///terms.db"))
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
        TermsOfService(edition=os.environ.get("TERMS", "2026-01"), text="Be kind.\n\nKeep your password to yourself."),
    ],
)


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(title="Terms of service", lifespan=lifespan)
install(app, auth)
CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]


@app.get("/")
async def me(user: CurrentUser) -> dict[str, str | None]:
    return {"id": str(user.id), "email": user.email}
