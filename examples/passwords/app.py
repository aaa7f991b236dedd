"""Rules for passwords: length, words of the house, a list of one's own, a pepper."""

import hashlib
import os
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Passwords, Pepper
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import install
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class OwnList:
    """Passwords that nobody may choose here, kept as Powauth asks for them: by the first five digits of their SHA-1."""

    def __init__(self, passwords: Iterable[str]) -> None:
        self._by_prefix: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for password in passwords:
            digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
            self._by_prefix[digest[:5]][digest[5:]] = 1

    async def counts(self, prefix: str) -> Mapping[str, int]:
        return self._by_prefix[prefix]


engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///app.db"))
sessions = async_sessionmaker(engine, expire_on_commit=False)
database = SQLAlchemyDatabase(sessions, User)
passwords = Passwords(
    min_length=15,
    context_words=["Acme", "Springfield"],
    breach=OwnList(["correct horse battery staple", "the quick brown fox"]),
    peppers=[Pepper("2026", os.environ["AUTH_PEPPER"])],
)
auth = Auth(
    secret=os.environ["AUTH_SECRET"],
    database=database,
    base_url="http://127.0.0.1:8000/auth",
    passwords=passwords,
    extensions=[SignUp(), SignIn(), ManageAccount()],
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    await database.create_tables()
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
install(app, auth)
