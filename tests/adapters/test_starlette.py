"""Powauth in a Starlette application: guards as plain callables, templates, WebSockets."""

import logging
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from powauth import Auth, ConfigurationError, MemoryStore, NotFound
from powauth.asgi import Guarded
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.starlette import (
    CurrentSocket,
    current_account,
    current_session,
    current_socket,
    current_user,
    install,
    page_context,
)
from powauth.testing import FrozenClock, Outbox, Site
from tests import servers
from tests.adapters.running import running
from tests.house import PASSWORD, QUICK, SECRET, House, all_extensions, house, sign_up

ADA = "ada@example.com"
JSON = {"accept": "application/json"}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as opened:
        yield opened


def make_app(home: House) -> Starlette:
    """Return an application whose pages ask in each way who is signed in."""
    auth = home.auth

    async def by_session(request: Request) -> Response:
        return PlainTextResponse((await current_session(auth)(request)).public_id)

    async def by_account(request: Request) -> Response:
        account = await current_account(auth, optional=True)(request)
        return JSONResponse(account.email if account else None)

    async def by_user(request: Request) -> Response:
        async with home.sessionmaker() as db:
            user = await current_user(auth)(request, db)
            user.name = "Countess"
            await db.commit()
            return PlainTextResponse(str(user.name))

    async def page(request: Request) -> Response:
        found = await page_context(request, auth)
        account: Any = found["account"]
        url: Any = found["auth_url"]
        return JSONResponse([account and account.email, url("sign_in.new"), found["sign_out_url"], found["notices"]])

    async def missing(request: Request) -> Response:
        raise NotFound

    inside = Starlette(routes=[Route("/{rest:path}", by_session, methods=["GET", "POST"])])
    app = Starlette(
        routes=[
            Route("/by-session", by_session),
            Route("/by-account", by_account),
            Route("/me", by_user),
            Route("/page", page),
            Route("/missing", missing),
            Mount("/members", Guarded(inside, auth)),
        ]
    )
    install(app, auth)
    return app


@pytest.fixture
async def site(home: House) -> Site:
    """Ada's browser, signed in."""
    site = home.site(make_app(home))
    await sign_up(site)
    return site


@pytest.mark.anyio
class TestGuards:
    """What a page of the application's own asks."""

    async def test_a_guard_gives_what_was_asked_for(self, site: Site) -> None:
        assert len((await site.get("/by-session")).text) == 16
        assert (await site.get("/by-account")).json == ADA
        assert (await site.get("/me")).text == "Countess"

    async def test_a_guard_refuses_strangers_in_the_way_they_can_read(self, site: Site) -> None:
        stranger = site.browser()
        assert (await stranger.get("/me?x=1")).location == "/auth/sign-in?next=%2Fme%3Fx%3D1"
        assert (await stranger.get("/me", headers=JSON)).code == "not_signed_in"
        assert (await stranger.get("/by-account")).json is None

    async def test_a_whole_mount_is_guarded(self, site: Site) -> None:
        assert (await site.get("/members/")).status == 200
        assert (await site.get("/members/deep/down")).status == 200
        stranger = site.browser()
        for path in ("/members/", "/members/deep/down?x=1"):
            refused = await stranger.get(path)
            assert refused.status == 303
            assert refused.location.startswith("/auth/sign-in?next=%2Fmembers%2F"), refused.location
        assert (await stranger.get("/members/deep", headers=JSON)).code == "not_signed_in"

    async def test_unsafe_requests_to_a_guarded_mount_come_from_this_site(self, site: Site) -> None:
        refused = await site.send("POST", "/members/", headers={**JSON, "origin": "https://evil.example"})
        assert refused.code == "cross_site"

    async def test_an_outcome_of_powauth_is_answered_wherever_it_is_raised(self, site: Site) -> None:
        assert (await site.get("/missing", headers=JSON)).code == "not_found"
        assert (await site.get("/missing")).status == 404

    async def test_templates_learn_who_is_signed_in_and_where_to_go(self, site: Site) -> None:
        assert (await site.get("/page")).json == [ADA, "/auth/sign-in", "/auth/sign-out", []]
        assert (await site.browser().get("/page")).json[0] is None

    async def test_a_notice_is_shown_once_on_whichever_page_comes_first(self, site: Site) -> None:
        await site.post("/sign-out")
        assert (await site.get("/page")).json[3] == ["You are signed out."]
        assert (await site.get("/page")).json[3] == []

    async def test_an_auth_is_installed_once_and_before_the_application_starts(self, home: House) -> None:
        app = make_app(home)
        with pytest.raises(ConfigurationError, match="taken by another mount"):
            install(app, home.auth)
        started = Starlette()
        await Site(home.auth, started).get("/nothing")
        with pytest.raises(ConfigurationError, match="has started already"):
            install(started, home.auth)


# ---- sockets: over a real server ----


@dataclass(frozen=True)
class Served:
    """An application that is served, and Ada's client."""

    port: int
    clock: FrozenClock
    browser: httpx2.Client
    token: str

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cookie(self) -> str:
        return f"powauth-session={self.browser.cookies['powauth-session']}"

    def feed(self, *, cookie: str | None = None, origin: str | None = None, bearer: str = "") -> ClientConnection:
        """Open the socket."""
        headers = {"Cookie": cookie} if cookie else {}
        headers |= {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return connect(
            f"ws://127.0.0.1:{self.port}/feed",
            additional_headers=headers,
            origin=Origin(origin) if origin else None,
            open_timeout=10,
        )

    def refusal(self, **settings: Any) -> int:
        """Return the status with which the handshake is refused."""
        with pytest.raises(InvalidStatus) as refused:
            self.feed(**settings)
        status: int = refused.value.response.status_code
        return status


OFTEN = 0.05


@contextmanager
def served(folder: Path, look_every: float) -> Generator[Served]:
    class Base(DeclarativeBase):
        pass

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)

    port, clock = servers.free_port(), FrozenClock()
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/app.db")
    database = SQLAlchemyDatabase(async_sessionmaker(engine), User)
    auth = Auth(
        secret=SECRET,
        database=database,
        base_url=f"http://127.0.0.1:{port}/auth",
        store=MemoryStore(clock),
        clock=clock,
        mailer=Outbox(),
        passwords=QUICK,
        extensions=all_extensions(),
    )

    async def feed(socket: WebSocket) -> None:
        async with replace(current_socket(auth), look_every=look_every).open(socket) as session:
            await socket.accept()
            await socket.send_text(session.transport)
            async for _ in socket.iter_text():
                await socket.send_text("again")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await database.create_tables()
        yield
        await engine.dispose()

    app = Starlette(lifespan=lifespan, routes=[WebSocketRoute("/feed", feed)])
    install(app, auth)
    with running(app, port), httpx2.Client(base_url=f"http://127.0.0.1:{port}") as browser:
        ada = {"email": ADA, "password": PASSWORD}
        assert browser.post("/auth/sign-up", json=ada).status_code == 201
        token = httpx2.post(f"http://127.0.0.1:{port}/auth/sign-in", json={**ada, "transport": "bearer"}).json()[
            "token"
        ]
        yield Served(port, clock, browser, token)


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sockets"), OFTEN) as opened:
        yield opened


def test_a_socket_opens_for_a_signed_in_browser_of_this_site(at_work: Served) -> None:
    with at_work.feed(cookie=at_work.cookie, origin=at_work.origin) as socket:
        assert socket.recv(timeout=5) == "cookie"
        socket.send("hello")
        assert socket.recv(timeout=5) == "again"


def test_a_socket_opens_for_a_program_with_a_token_and_no_origin(at_work: Served) -> None:
    with at_work.feed(bearer=at_work.token) as socket:
        assert socket.recv(timeout=5) == "bearer"


def test_a_socket_is_refused_to_strangers(at_work: Served) -> None:
    assert at_work.refusal(origin=at_work.origin) == 403
    assert at_work.refusal(origin=at_work.origin, cookie="powauth-session=x") == 403
    assert at_work.refusal(bearer="x") == 403


def test_a_socket_that_another_site_opens_is_refused(at_work: Served) -> None:
    assert at_work.refusal(cookie=at_work.cookie, origin="https://evil.example") == 403
    assert at_work.refusal(cookie=at_work.cookie) == 403  # a browser always says where it comes from


def test_a_refused_socket_is_no_error_of_the_application(at_work: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert at_work.refusal(origin=at_work.origin) == 403
        time.sleep(0.2)
    assert [record.getMessage() for record in caplog.records] == []


def test_a_socket_renews_no_cookie(at_work: Served) -> None:
    at_work.clock.move(timedelta(minutes=16))
    with at_work.feed(cookie=at_work.cookie, origin=at_work.origin) as socket:
        response = socket.response
        assert response is not None
        assert "set-cookie" not in response.headers
    assert "set-cookie" in at_work.browser.get("/auth/account").headers


def test_a_socket_ends_with_its_session(tmp_path: Path) -> None:
    """S27."""
    with served(tmp_path, OFTEN) as at_work, at_work.feed(bearer=at_work.token) as program:
        assert program.recv(timeout=5) == "bearer"
        with at_work.feed(cookie=at_work.cookie, origin=at_work.origin) as socket:
            assert socket.recv(timeout=5) == "cookie"
            at_work.browser.post("/auth/sign-out", headers={"origin": at_work.origin})
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=5)
            assert socket.close_code == 4401
        program.send("hello")
        assert program.recv(timeout=5) == "again"  # that is another session


def test_a_socket_is_closed_within_five_seconds_by_default(tmp_path: Path) -> None:
    with served(tmp_path, CurrentSocket.look_every) as at_work:
        with at_work.feed(cookie=at_work.cookie, origin=at_work.origin) as socket:
            assert socket.recv(timeout=5) == "cookie"
            at_work.browser.post("/auth/sign-out", headers={"origin": at_work.origin})
            began = time.monotonic()
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=8)
        assert time.monotonic() - began < 5
