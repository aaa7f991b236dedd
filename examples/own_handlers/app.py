"""A sign-in page, a JSON sign-in and a JSON sign-up of one's own, behind the same gates as the pages that ship."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import (
    Account,
    Auth,
    Detour,
    InvalidCredentials,
    NewAccount,
    Paths,
    Session,
    TooManyAttempts,
    authenticate,
    sign_up,
)
from powauth.extensions.lock import Lock
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.remember_me.forms import RememberForm
from powauth.extensions.sign_in import SignIn
from powauth.fastapi import begin, current_account, install, sign_in
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine)
database = SQLAlchemyDatabase(sessions, User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    paths=Paths(sign_in="/come-in"),
    extensions=[SignIn(), Lock(), RememberMe()],
)


PAGE = """<!doctype html><title>Come in</title><p>{said}</p>
<form method="post"><input name="email" autocomplete="username"><input name="password" type="password">
<label><input name="remember" type="checkbox"> Keep me signed in</label><button>Come in</button></form>"""


class Credentials(BaseModel):
    email: str
    password: str


def doors(auth: Auth[User]) -> APIRouter:
    router = APIRouter()

    @router.get("/come-in")
    async def show() -> HTMLResponse:
        return HTMLResponse(PAGE.format(said=""))

    @router.post("/come-in")
    async def come_in(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        extras = [RememberForm(remember="remember" in form)]
        try:
            async with begin(auth, request) as ctx:
                goal = ctx.target(request.query_params.get("next")) or "/me"
                found = await authenticate(ctx, form.get("email", ""), form.get("password", ""))
            entered = await sign_in(auth, request, found, next=goal, extras=extras)
        except (InvalidCredentials, TooManyAttempts) as error:
            return HTMLResponse(PAGE.format(said="That did not work."), error.status)
        return RedirectResponse(auth.plan.path(entered.page) if isinstance(entered, Detour) else goal, 303)

    @router.post("/api/sign-in")
    async def api_sign_in(request: Request, sent: Credentials) -> dict[str, str]:
        async with begin(auth, request) as ctx:
            found = await authenticate(ctx, sent.email, sent.password)
        return answer(await sign_in(auth, request, found))

    @router.post("/api/sign-up", status_code=201)
    async def api_sign_up(request: Request, sent: Credentials) -> dict[str, str]:
        async with begin(auth, request) as ctx:
            made = await sign_up(ctx, NewAccount(email=sent.email), sent.password)
        return answer(made if isinstance(made, Detour) else await sign_in(auth, request, made))

    def answer(entered: Session | Detour) -> dict[str, str]:
        if isinstance(entered, Detour):
            return {"next_step": auth.plan.path(entered.page)}
        return {"session": entered.public_id}

    @router.get("/me")
    async def me(account: Annotated[Account, Depends(current_account(auth))]) -> dict[str, str]:
        return {"signed_in_as": account.label}

    return router


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)
app.include_router(doors(auth))
