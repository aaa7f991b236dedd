"""The package that everybody shares: who the customers are, and how they sign in."""

import os
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class Customer(AccountColumns, Base):
    __tablename__ = "customers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, Customer)
auth = Auth(
    name="people",
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    extensions=[SignUp(), SignIn(), ManageAccount()],
)


async def get_db() -> AsyncGenerator[AsyncSession]:
    async with sessions() as db:
        yield db
