"""Applications under test: user models with primary keys of every kind, each with metadata of its own."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth.database import DatabaseUnit, Schema
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.sqlalchemy.layout import Layout
from powauth.sqlalchemy.transaction import Transaction
from powauth.sqlalchemy.unit import Unit
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


@dataclass(frozen=True)
class App(Backend):
    """An application's engine and its database, whose inside a test may look at."""

    database: SQLAlchemyDatabase[Any]
    engine: AsyncEngine

    @property
    def sessionmaker(self) -> async_sessionmaker[AsyncSession]:
        return self.layout.sessionmaker

    @property
    def layout(self) -> Layout[Any]:
        return self.database._layout


def app_of(engine: AsyncEngine, model: Model, schema: Schema) -> App:
    """Make an application whose tables are yet to be made."""
    database = SQLAlchemyDatabase(async_sessionmaker(engine), model())
    assert database.declare(schema) == []
    return App(database, schema, engine)


@asynccontextmanager
async def app_on(url: str, model: Model, schema: Schema, **engine_settings: Any) -> AsyncGenerator[App]:
    """Make an application with all its tables."""
    async with engine_on(url, **engine_settings) as engine:
        app = app_of(engine, model, schema)
        await app.database.create_tables()
        yield app


def transaction_of(unit: DatabaseUnit) -> Transaction[Any]:
    """Return what a unit runs its statements in."""
    return cast("Unit[Any]", unit)._transaction


@asynccontextmanager
async def engine_on(url: str, **settings: Any) -> AsyncGenerator[AsyncEngine]:
    engine = create_async_engine(url, **settings)
    try:
        yield engine
    finally:
        await engine.dispose()
