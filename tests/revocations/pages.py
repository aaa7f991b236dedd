"""An application on a store that loses writes: how its pages answer, and what they ask."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth import SessionSettings
from powauth.accounts import Handle
from powauth.starlette import current_session, install
from powauth.testing import Site
from tests.house import House

ADA = "ada@example.com"
NEW_PASSWORD = "seven loud purple herons"
KNOWN_WITHIN = SessionSettings().ends_known_within


def application(home: House) -> Starlette:
    """Return an application with a page that asks the store alone."""

    async def of_session(request: Request) -> JSONResponse:
        return JSONResponse((await current_session(home.auth)(request)).public_id)

    app = Starlette(routes=[Route("/of-session", of_session)])
    install(app, home.auth)
    return app


def browser(home: House) -> Site:
    return home.site(application(home))


async def status(site: Site) -> int:
    """Return how a page answers that asks the store alone."""
    headers = {**site._headers("GET"), "accept": "application/json"}
    return (await site._ask("GET", "/of-session", headers, b"")).status


async def sign_out(site: Site) -> None:
    await site.post("/sign-out")


def copied(site: Site, home: House | None = None) -> Site:
    """Return somebody who copied the browser's cookies, and goes with them to this process or another one."""
    thief = browser(home) if home else site.browser()
    thief.jar.update(site.jar)
    return thief


def as_program(site: Site) -> Site:
    """Return a client with the browser's cookies that reads JSON."""
    program = site.program()
    program.jar.update(site.jar)
    return program


@contextmanager
def statements(home: House) -> Generator[list[str]]:
    """Note what the database is asked meanwhile."""
    seen: list[str] = []

    def note(*values: Any) -> None:
        seen.append(values[2])

    event.listen(home.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(home.engine.sync_engine, "before_cursor_execute", note)


@contextmanager
def without_table(folder: Path) -> Generator[None]:
    """Let nobody ask the table meanwhile, as if the database did not answer."""
    with closing(sqlite3.connect(folder / "app.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


async def handle_of(home: House, email: str = ADA) -> Handle:
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(email)
        assert account
        return account.handle
