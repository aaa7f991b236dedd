"""Signing in with GitHub, Google or the provider of a company, beside passwords.

Set AUTH_SECRET, and for each provider its id and secret: GITHUB_ID, GITHUB_SECRET, GOOGLE_ID, …; then uvicorn app:app
"""

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
from powauth.extensions.prove import Prove
from powauth.extensions.providers import CompleteForm, Providers
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp, SignUpForm
from powauth.fastapi import current_user, install
from powauth.oauth import Network, OpenIDConnect
from powauth.providers import GitHub, Google
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]


class MySignUp(SignUpForm):
    name: Annotated[str, Text(max=80)]


class MyComplete(CompleteForm):
    name: Annotated[str, Text(max=80)]


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)

WORK = OpenIDConnect(
    name="work",
    title="Acme",  # what the button says
    issuer=os.environ["WORK_ISSUER"],
    client_id=os.environ["WORK_ID"],
    client_secret=os.environ["WORK_SECRET"],
    scopes=("profile", "email"),
    network=Network(os.environ.get("WORK_NETWORK", "public")),  # `private`: in your own network; `loopback`: here
)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    extensions=[
        SignUp(form=MySignUp),
        SignIn(),
        ManageAccount(),
        Prove(),
        EmailConfirmation(),
        ResetPassword(),
        Providers(
            providers=[
                GitHub(client_id=os.environ["GITHUB_ID"], client_secret=os.environ["GITHUB_SECRET"]),
                Google(client_id=os.environ["GOOGLE_ID"], client_secret=os.environ["GOOGLE_SECRET"]),
                WORK,
            ],
            profile={"name": "name"},  # the column `name` takes the claim `name`
            form=MyComplete,  # which is asked for where a provider does not tell it
        ),
    ],
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db


app = FastAPI(lifespan=lifespan)
install(app, auth)


@app.get("/me")
async def me(user: Annotated[User, Depends(current_user(auth, db=get_db))]) -> dict[str, str | None]:
    return {"email": user.email, "name": user.name}
