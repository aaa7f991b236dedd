"""The database or the store goes away: 503 where it is needed, the rest goes on, and nothing is granted meanwhile."""

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth.sqlalchemy import SQLAlchemyStore, writers
from powauth.sqlite import SQLiteStore
from powauth.starlette import current_account, current_session, current_user, install
from powauth.testing import Answer, Site
from tests import servers
from tests.durability.outage import Mortal, mortal
from tests.durability.shop import NEW_PASSWORD, account_of, is_signed_in, shop
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest, own_server: OwnServer) -> Generator[Mortal]:
    with own_server(str(request.param)) as started, mortal(started) as found:
        yield found


def application(home: House) -> Starlette:
    """Return an application with pages of its own: one needs the store, two the database as well."""

    async def of_session(request: Request) -> JSONResponse:
        return JSONResponse((await current_session(home.auth)(request)).public_id)

    async def of_account(request: Request) -> JSONResponse:
        return JSONResponse((await current_account(home.auth)(request)).email)

    async def of_user(request: Request) -> JSONResponse:
        async with home.sessionmaker() as db:
            return JSONResponse((await current_user(home.auth)(request, db)).email)

    pages = {"/of-session": of_session, "/of-account": of_account, "/of-user": of_user}
    app = Starlette(routes=[Route(path, page) for path, page in pages.items()])
    install(app, home.auth)
    return app


NEED_STORE = ("/of-session",)
NEED_DATABASE = ("/of-account", "/of-user", "/account")
FORMS: dict[str, dict[str, object]] = {
    "/account/password": {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    "/account/email": {"email": "new@example.com", "current_password": PASSWORD},
    "/account/profile": {"name": "Ada"},
    "/account/close": {"current_password": PASSWORD},
    "/prove": {"password": PASSWORD},
    "/sessions/end-others": {},
}
STRANGERS: dict[str, dict[str, object]] = {
    "/sign-up": {"email": "eve@example.com", "password": PASSWORD},
    "/sign-in": {"email": ADA, "password": PASSWORD},
}


async def people(home: House) -> tuple[Site, Site, Site]:
    """Let somebody sign up with a browser and sign in with a program; return both, and a stranger."""
    app = application(home)
    browser = home.site(app)
    assert (await browser.post("/sign-up", email=ADA, password=PASSWORD)).status == 303
    program = browser.program()
    assert (await program.post("/sign-in", email=ADA, password=PASSWORD)).status == 200
    return browser, program, browser.program()


def assert_unavailable(answer: Answer) -> None:
    assert answer.status == 503, (answer.status, answer.text[:300])
    assert int(answer.header("retry-after") or 0) >= 1
    assert not [cookie for cookie in answer.cookies() if "session" in cookie]


async def assert_all_unavailable(browser: Site, program: Site, stranger: Site, pages: tuple[str, ...]) -> None:
    for site in (browser, program):
        for path in pages:
            assert_unavailable(await site._ask("GET", path, site._headers("GET"), b""))
        for path, fields in FORMS.items():
            assert_unavailable(await send_only(site, path, fields))
        assert site.cookie
    for path, fields in STRANGERS.items():
        assert_unavailable(await send_only(stranger, path, fields))
    assert stranger.cookie is None


async def send_only(site: Site, path: str, fields: dict[str, object]) -> Answer:
    """Send a form without letting mails arrive: their sender would stumble over the same."""
    site_deliver, site.deliver = site.deliver, nothing  # type: ignore[method-assign]
    try:
        return await site.post(path, **fields)
    finally:
        site.deliver = site_deliver  # type: ignore[method-assign]


async def nothing() -> None: ...


async def assert_normal(browser: Site, program: Site, stranger: Site) -> None:
    for site in (browser, program):
        for path in (*NEED_STORE, *NEED_DATABASE):
            assert (await site.get(path)).status == 200, path
    assert (await program.post("/account/profile", name="Ada")).status == 200
    assert (await stranger.post("/sign-in", email=ADA, password=PASSWORD)).status == 200


async def test_without_the_database_pages_that_need_the_store_alone_go_on(server: Mortal, tmp_path: Path) -> None:
    async with shop(server.url, store=SQLiteStore(tmp_path / "store.db")) as home, asyncio.timeout(120):
        browser, program, stranger = await people(home)
        await asyncio.to_thread(server.kill)
        for site in (browser, program):
            assert (await site._ask("GET", "/of-session", site._headers("GET"), b"")).status == 200
        await assert_all_unavailable(browser, program, stranger, NEED_DATABASE)
        await asyncio.to_thread(server.revive)
        await assert_normal(browser, program, stranger)
        assert await account_of(home, "eve@example.com") is None


async def test_without_the_server_of_database_and_store_everything_waits(server: Mortal) -> None:
    async with shop(server.url) as home, asyncio.timeout(120):
        browser, program, stranger = await people(home)
        await asyncio.to_thread(server.kill)
        await assert_all_unavailable(browser, program, stranger, (*NEED_STORE, *NEED_DATABASE))
        await asyncio.to_thread(server.revive)
        await assert_normal(browser, program, stranger)


async def test_without_the_server_of_the_store_alone_nobody_is_signed_in(server: Mortal, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/app.db"
    async with shop(url, store=SQLAlchemyStore(server.url)) as home, asyncio.timeout(120):
        browser, program, stranger = await people(home)
        await asyncio.to_thread(server.kill)
        await assert_all_unavailable(browser, program, stranger, (*NEED_STORE, *NEED_DATABASE))
        ada = await account_of(home, ADA)
        assert ada
        assert ada.epoch == 0
        await asyncio.to_thread(server.revive)
        await assert_normal(browser, program, stranger)


async def test_a_store_file_that_another_process_holds_is_503_and_never_a_sign_in(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "store.db", patience=timedelta(milliseconds=20))
    async with shop(f"sqlite+aiosqlite:///{tmp_path}/app.db", store=store) as home:
        browser, program, stranger = await people(home)
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for path, fields in STRANGERS.items():
                assert_unavailable(await send_only(stranger, path, fields))
            for path, fields in FORMS.items():
                if path != "/account/profile":
                    assert_unavailable(await send_only(program, path, fields))
            assert stranger.cookie is None
            assert (await browser._ask("GET", "/of-session", browser._headers("GET"), b"")).status == 200  # reads
            other.execute("ROLLBACK")
        await assert_normal(browser, program, stranger)
        ada = await account_of(home, ADA)
        assert ada
        assert ada.epoch == 0


async def test_a_database_file_that_another_process_holds_is_503_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE", 0.02)
    url = f"sqlite+aiosqlite:///{tmp_path}/app.db"
    async with shop(url, engine_settings={"connect_args": {"timeout": 0}}) as home:
        browser, program, stranger = await people(home)
        with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for site in (browser, program):
                assert (await site._ask("GET", "/of-session", site._headers("GET"), b"")).status == 200
            await assert_all_unavailable(browser, program, stranger, NEED_DATABASE)
            other.execute("ROLLBACK")
        await assert_normal(browser, program, stranger)


async def test_a_database_file_that_is_held_between_password_and_session_is_503_and_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_PATIENCE", 0.02)
    url = f"sqlite+aiosqlite:///{tmp_path}/app.db"
    async with shop(url, engine_settings={"connect_args": {"timeout": 0}}) as home:
        _, _, stranger = await people(home)
        hasher = home.auth.plan.hasher
        verify = hasher.verify
        with closing(sqlite3.connect(tmp_path / "app.db", isolation_level=None)) as other:

            async def verify_and_hold(*values: object, **options: object) -> object:
                verdict = await verify(*values, **options)  # type: ignore[arg-type]
                other.execute("BEGIN IMMEDIATE")
                return verdict

            monkeypatch.setattr(hasher, "verify", verify_and_hold)
            assert_unavailable(await send_only(stranger, "/sign-in", STRANGERS["/sign-in"]))
            assert not await is_signed_in(stranger)
            other.execute("ROLLBACK")
