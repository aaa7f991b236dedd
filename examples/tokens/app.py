"""An API for a single-page application on another site and for a mobile app: tokens, codes, a socket."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Account, Auth
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_account, current_socket, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase

FRONT_END = "https://notes.example"


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
database = SQLAlchemyDatabase(async_sessionmaker(engine), User)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    origins=[FRONT_END],
    app_links=["com.example.notes:/signed-in"],
    extensions=[SignUp(), SignIn()],
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
app.add_middleware(  # for the routes below; Powauth's own answer these origins by themselves
    CORSMiddleware,
    allow_origins=[FRONT_END],
    allow_methods=["*"],
    allow_headers=["Authorization", "Content-Type"],
)
install(app, auth)


@app.get("/me")
async def me(account: Annotated[Account, Depends(current_account(auth))]) -> dict[str, str | None]:
    return {"email": account.email}


@app.websocket("/feed")
async def feed(socket: WebSocket) -> None:
    async with current_socket(auth).open(socket) as session:
        await socket.accept()
        await socket.send_json({"session": session.public_id})
        async for line in socket.iter_text():
            await socket.send_json({"you_said": line})
