"""One world of accounts per company, in shared tables: a sub-domain each, and a sign-up that makes the company."""

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, NewAccount, RawRequest, Tenant, sign_up
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase

DOMAIN = os.environ.get("DOMAIN", "localhost:8000")
SCHEME = "https" if os.environ.get("HTTPS") else "http"


class Base(DeclarativeBase):
    pass


class Company(Base):
    __tablename__ = "companies"
    id: Mapped[str] = mapped_column(String(48), primary_key=True)


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    company: Mapped[str] = mapped_column(String(48), index=True)
    text: Mapped[str]


class Companies:
    """The tenants that there are, in memory: `resolve` is asked with every request, `load` every few seconds."""

    def __init__(self) -> None:
        self._by_host: dict[str, Tenant] = {}

    async def load(self) -> None:
        async with sessions() as db:
            for name in await db.scalars(select(Company.id)):
                self.add(name)

    def add(self, name: str) -> Tenant:
        host = f"{name}.{DOMAIN}"
        self._by_host[host] = Tenant(name, f"{SCHEME}://{host}/auth")
        return self._by_host[host]

    def resolve(self, raw: RawRequest) -> Tenant | None:
        return self._by_host.get((raw.header("host") or "").lower())

    def all(self) -> Iterable[Tenant]:
        return tuple(self._by_host.values())


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)
companies = Companies()
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url=f"{SCHEME}://{DOMAIN}/auth",
    tenant=companies,
    extensions=[SignUp(), SignIn(), ManageAccount(), ResetPassword()],
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
Database = Annotated[AsyncSession, Depends(get_db)]
CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]


class Founding(BaseModel):
    company: str = Field(pattern="[a-z][a-z0-9-]{1,30}")
    email: str
    password: str


@app.post("/found", status_code=201)
async def found(sent: Founding, db: Database) -> dict[str, str]:
    """Make a company and its first account, both or neither."""
    tenant = Tenant(sent.company, f"{SCHEME}://{sent.company}.{DOMAIN}/auth")
    await reserve(db, sent.company)
    async with auth.begin(db=db, tenant=tenant) as ctx:
        await sign_up(ctx, NewAccount(email=sent.email), sent.password)
    await db.commit()
    return {"sign_in_at": companies.add(sent.company).base_url + "/sign-in"}


async def reserve(db: AsyncSession, company: str) -> None:
    """Take a name, or refuse: nobody founds their way into a company that exists."""
    db.add(Company(id=company))
    try:
        await db.flush()
    except IntegrityError as error:
        raise HTTPException(409) from error


@app.post("/notes", status_code=201)
async def write(text: str, user: CurrentUser, db: Database) -> None:
    db.add(Note(company=user.tenant, text=text))
    await db.commit()


@app.get("/notes")
async def read(user: CurrentUser, db: Database) -> list[str]:
    return list(await db.scalars(select(Note.text).where(Note.company == user.tenant)))
