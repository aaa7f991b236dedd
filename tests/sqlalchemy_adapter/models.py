"""Applications under test: user models with primary keys of every kind, each with metadata of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth.database import Schema
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.testing.backend import Backend

Model = Callable[[], type[Any]]


def with_integer() -> type[Any]:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str | None] = mapped_column(String(80))
        rank: Mapped[int | None]

    return User


def with_uuid() -> type[Any]:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
        name: Mapped[str | None] = mapped_column(String(80))
        rank: Mapped[int | None]

    return User


def with_text() -> type[Any]:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: f"usr_{uuid4().hex}")
        name: Mapped[str | None] = mapped_column(String(80))
        rank: Mapped[int | None]

    return User


def with_two_columns() -> type[Any]:
    class Base(DeclarativeBase): ...

    class User(AccountColumns, Base):
        __tablename__ = "users"
        region: Mapped[str] = mapped_column(String(10), primary_key=True, default="eu")
        number: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
        name: Mapped[str | None] = mapped_column(String(80))
        rank: Mapped[int | None]

    return User


@asynccontextmanager
async def backend_on(url: str, model: Model, schema: Schema, **engine_settings: Any) -> AsyncIterator[Backend]:
    """Make an application's database with all its tables."""
    async with engine_on(url, **engine_settings) as engine:
        database = SQLAlchemyDatabase(async_sessionmaker(engine), model())
        assert database.declare(schema) == []
        await database.create_tables()
        yield Backend(database, schema)


@asynccontextmanager
async def engine_on(url: str, **settings: Any) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(url, **settings)
    try:
        yield engine
    finally:
        await engine.dispose()
