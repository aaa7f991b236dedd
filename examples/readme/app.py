import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Text
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp, SignUpForm
from powauth.fastapi import current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None]


class MySignUp(SignUpForm):
    name: Annotated[str, Text(max=80)]


sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///app.db"))
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],  # `powauth secret` makes one
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    extensions=[SignUp(form=MySignUp), SignIn(), ManageAccount(), EmailConfirmation(), ResetPassword()],
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db


app = FastAPI(lifespan=lifespan)
install(app, auth)  # pages, JSON API, OpenAPI, middleware, lifespan; under /auth
CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]


@app.get("/me")
async def me(user: CurrentUser) -> dict[str, str | None]:
    return {"id": str(user.id), "email": user.email, "name": user.name}
