"""One world of accounts per company, each in a schema of PostgreSQL of its own; the list of them in a common one."""

import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema

from powauth import Auth, NewAccount, RawRequest, Tenant, sign_up
from powauth.asgi import visit_of
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import current_user, install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase

DOMAIN = os.environ.get("DOMAIN", "localhost:8000")
SCHEME = "https" if os.environ.get("HTTPS") else "http"


class Base(DeclarativeBase):
    """What every company has in its own schema."""


class Common(DeclarativeBase):
    """What stands once, in a schema that is nobody's."""


class Company(Common):
    __tablename__ = "companies"
    __table_args__ = ({"schema": "common"},)
    id: Mapped[str] = mapped_column(String(48), primary_key=True)


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    text: Mapped[str]


class Companies:
    """The tenants that there are, in memory: `resolve` is asked with every request, `load` every few seconds."""

    def __init__(self) -> None:
        self._by_host: dict[str, Tenant] = {}

    async def load(self) -> None:
        async with sessions() as db:
            for name in await db.scalars(select(Company.id)):
                self.add(tenant_of(name))

    def add(self, tenant: Tenant) -> None:
        self._by_host[urlsplit(tenant.base_url).netloc] = tenant

    def resolve(self, raw: RawRequest) -> Tenant | None:
        return self._by_host.get((raw.header("host") or "").lower())

    def all(self) -> Iterable[Tenant]:
        return tuple(self._by_host.values())


def tenant_of(name: str) -> Tenant:
    return Tenant(name, f"{SCHEME}://{name}.{DOMAIN}/auth", schema=f"company_{name}")


engine = create_async_engine(os.environ["DATABASE_URL"])
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


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    async with engine.begin() as connection:
        await connection.execute(CreateSchema("common", if_not_exists=True))
        await connection.run_sync(Common.metadata.create_all)
    await companies.load()
    for tenant in companies.all():
        await database.create_tables(tenant)  # or migrations, for each schema
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)


async def get_db(request: Request) -> AsyncGenerator[AsyncSession]:
    """Give a database session that reads and writes in the schema of whoever's host this is."""
    tenant = visit_of(request.scope, auth).tenant
    async with sessions(bind=engine.execution_options(schema_translate_map={None: tenant.schema})) as db:
        yield db


Database = Annotated[AsyncSession, Depends(get_db)]
CurrentUser = Annotated[User, Depends(current_user(auth, db=get_db))]


class Founding(BaseModel):
    company: str = Field(pattern="[a-z][a-z0-9]{1,30}")
    email: str
    password: str


@app.post("/found", status_code=201)
async def found(sent: Founding) -> dict[str, str]:
    """Make a company with its schema, and its first account. Sent again after a failure, it goes on."""
    tenant = tenant_of(sent.company)
    await database.create_tables(tenant)
    async with sessions() as db:
        await reserve(db, sent.company)
        async with auth.begin(db=db, tenant=tenant) as ctx:
            await sign_up(ctx, NewAccount(email=sent.email), sent.password)
        await db.commit()
    companies.add(tenant)
    return {"sign_in_at": f"{tenant.base_url}/sign-in"}


async def reserve(db: AsyncSession, company: str) -> None:
    """Take a name, or refuse: nobody founds their way into a company that exists."""
    db.add(Company(id=company))
    try:
        await db.flush()
    except IntegrityError as error:
        raise HTTPException(409) from error


@app.post("/notes", status_code=201)
async def write(text: str, user: CurrentUser, db: Database) -> None:
    db.add(Note(text=text))
    await db.commit()


@app.get("/notes")
async def read(user: CurrentUser, db: Database) -> list[str]:
    return list(await db.scalars(select(Note.text)))
