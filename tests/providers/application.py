"""An application with Powauth, served to Chromium under the one address that the providers send people back to."""

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Auth, Paths
from powauth.demo.serve import listen
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove
from powauth.extensions.providers import Providers
from powauth.extensions.providers.ports import Provider
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.fastapi import install
from powauth.jinja import JinjaTemplates
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.testing import Outbox
from tests import servers
from tests.house import SECRET

KNOWN = "localhost:17399"
"""Where the application is, to the providers; Chromium is told where that leads."""


class Base(DeclarativeBase):
    """Its tables."""


class User(AccountColumns, Base):
    """Its users."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


def make_app(folder: Path, providers: Sequence[Provider]) -> FastAPI:
    """Return the application."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/app.db")
    database = SQLAlchemyDatabase(async_sessionmaker(engine), User)
    auth = Auth(
        secret=SECRET,
        database=database,
        base_url=f"http://{KNOWN}/auth",
        mailer=Outbox(),
        templates=JinjaTemplates(),
        paths=Paths(after_sign_in="/auth/account", after_sign_up="/auth/account", after_sign_out="/auth/sign-in"),
        extensions=[SignUp(), SignIn(), ManageAccount(), Prove(), Providers(providers=providers)],
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await database.create_tables()
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    install(app, auth)
    return app


@contextmanager
def served(folder: Path, providers: Sequence[Provider]) -> Generator[list[str]]:
    """Serve the application on a free port, and return what Chromium has to be started with to find it."""
    with listen(0) as listener:
        server = uvicorn.Server(
            uvicorn.Config(make_app(folder, providers), log_level="warning", timeout_graceful_shutdown=1)
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        servers.wait_until(lambda: server.started, "the application to answer")
        try:
            yield [f"--host-resolver-rules=MAP {KNOWN} 127.0.0.1:{listener.getsockname()[1]}"]
        finally:
            server.should_exit = True
            thread.join()
