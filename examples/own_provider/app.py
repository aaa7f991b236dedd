"""A provider that Powauth has no value for: Linear, which answers by GraphQL.

LINEAR_ID=… LINEAR_SECRET=… AUTH_SECRET=… uvicorn app:app
"""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.providers import Providers
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import install
from powauth.oauth import ClientAuthentication, Network, OAuth2, Tokens, Tools
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


@dataclass(frozen=True, kw_only=True)
class Linear(OAuth2):
    """Linear. `Linear(client_id=…, client_secret=…)`."""

    name: str = "linear"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("read",)
    scope_separator: str = ","
    authorization_endpoint: str = "https://linear.app/oauth/authorize"
    token_endpoint: str = "https://api.linear.app/oauth/token"
    userinfo_endpoint: str = "https://api.linear.app/graphql"
    issuer: str = "https://linear.app"

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return what Linear says of the person."""
        query = {"query": "{ viewer { id name email } }"}
        return await self.fetch(tools, tokens, self.userinfo_endpoint, method="POST", json=query)

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Linear's words in those of OpenID Connect. It does not say who proved the address: so nobody did."""
        viewer = raw["data"]["viewer"]
        return {"sub": viewer["id"], "name": viewer["name"], "email": viewer["email"]}

    def at(self, origin: str) -> Self:
        """Return the same for something on this machine that imitates Linear."""
        return replace(
            self,
            authorization_endpoint=f"{origin}/oauth/authorize",
            token_endpoint=f"{origin}/oauth/token",
            userinfo_endpoint=f"{origin}/graphql",
            network=Network.LOOPBACK,
        )


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
database = SQLAlchemyDatabase(async_sessionmaker(engine, expire_on_commit=False), User)
linear = Linear(client_id=os.environ["LINEAR_ID"], client_secret=os.environ["LINEAR_SECRET"])
if "LINEAR_AT" in os.environ:
    linear = linear.at(os.environ["LINEAR_AT"])
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url=os.environ.get("AUTH_BASE_URL", "http://127.0.0.1:8000/auth"),
    extensions=[SignUp(), SignIn(), ManageAccount(), EmailConfirmation(), Providers(providers=[linear])],
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)
