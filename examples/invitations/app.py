"""Sign-up by invitation only: `uvicorn examples.invitations.app:app`.

The first person is invited at the command line:
`powauth invitation create --app examples.invitations.app:auth --email ada@example.com --team Owls --role owner`.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from examples.invitations.team import InviteForm, JoinForm, Profile, User, join, may_grant, may_invite
from powauth import Auth, on
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.invitation import Invitation, InvitationAccepted
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.sign_in import SignIn
from powauth.fastapi import current_user, install
from powauth.sqlalchemy import SQLAlchemyDatabase

engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///teams.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)

auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    application="Teams",
    extensions=[  # no SignUp: an invitation is the only way to an account
        SignIn(),
        ManageAccount(profile=Profile),
        EmailConfirmation(),
        ResetPassword(),
        Invitation(may_invite=may_invite, may_grant=may_grant, form=InviteForm, sign_up_form=JoinForm),
    ],
    hooks=[on(InvitationAccepted, join)],
)


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(title="Teams", lifespan=lifespan)
install(app, auth)
CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]


@app.get("/")
async def me(user: CurrentUser) -> dict[str, str | None]:
    return {"name": user.name, "team": user.team, "role": user.role}
