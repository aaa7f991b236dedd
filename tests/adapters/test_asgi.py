"""Powauth under any ASGI server, without a framework."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from powauth import AuthenticationFailed, Context, on
from powauth.asgi import AuthApp, AuthMiddleware, Guarded, visit_of
from powauth.asgi.raw import ASGIApp, Message, Receive, Scope, Send
from powauth.extensions.prove import recent
from powauth.jinja import JinjaTemplates
from powauth.testing import Site, sign_in_as
from tests.house import PASSWORD, House, house, sign_up

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Heard:
    """What an application sent."""

    messages: list[Message] = field(default_factory=list[Message])

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])

    def header(self, name: str) -> list[str]:
        return [value.decode() for key, value in self.messages[0]["headers"] if key.decode().lower() == name]


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    body: Sequence[bytes] = (),
    kind: str = "http",
    **scope: Any,
) -> Heard:
    """Send a request as a server does, its body in pieces."""
    heard = Heard()
    all_headers = {"host": "example.com", "sec-fetch-site": "same-origin", **(headers or {})}
    pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    pieces.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return pieces.pop(0) if pieces else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        heard.messages.append(message)

    whole = {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in all_headers.items()],
        "client": ("192.0.2.1", 1),
        **scope,
    }
    await app(whole, receive, send)
    return heard


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as opened:
        await sign_up(opened.site())
        yield opened


@pytest.fixture
def pages(home: House) -> AuthApp:
    """The pages alone, at the path of `base_url`."""
    return AuthApp(home.auth, JinjaTemplates())


async def cookie_of(home: House) -> dict[str, str]:
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account is not None
    cookies = await sign_in_as(home.auth, account)
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


# ---- the pages alone ----


async def test_the_pages_carry_their_cookies_without_the_middleware(pages: AuthApp) -> None:
    body = [form(email=ADA, password=PASSWORD)]
    heard = await ask(pages, "POST", "/auth/sign-in", root_path="/auth", headers={"content-type": FORM}, body=body)
    assert any(value.startswith("__Host-powauth-session=") for value in heard.header("set-cookie"))
    assert heard.header("cache-control") == ["private, no-store"]


async def test_a_body_may_come_in_pieces(pages: AuthApp) -> None:
    whole = form(email=ADA, password=PASSWORD)
    pieces = [whole[i : i + 3] for i in range(0, len(whole), 3)]
    heard = await ask(pages, "POST", "/auth/sign-in", root_path="/auth", headers={"content-type": FORM}, body=pieces)
    assert any(value.startswith("__Host-powauth-session=") for value in heard.header("set-cookie"))


async def test_a_body_that_never_ends_is_refused(pages: AuthApp) -> None:
    pieces = [b"x" * 65536] * 100
    heard = await ask(pages, "POST", "/auth/sign-in", root_path="/auth", headers={"content-type": FORM}, body=pieces)
    assert heard.status == 413


async def test_a_head_request_gets_the_headers_of_a_page_and_no_body(pages: AuthApp) -> None:
    heard = await ask(pages, "HEAD", "/auth/sign-in", root_path="/auth", headers={"accept": "text/html"})
    assert (heard.status, heard.body) == (200, b"")
    assert heard.header("content-type") == ["text/html; charset=utf-8"]


async def test_no_page_is_a_socket(pages: AuthApp) -> None:
    heard = await ask(pages, "GET", "/auth/session", root_path="/auth", kind="websocket")
    assert heard.messages == [{"type": "websocket.close", "code": 1008}]


async def test_the_host_header_has_no_say_in_which_page_is_meant_and_where_it_leads(pages: AuthApp) -> None:
    """S56."""
    for host in ("evil.example", "example.com/auth/session?", "example.com:80@evil.example"):
        headers = {"host": host, "accept": "text/html"}
        heard = await ask(pages, "GET", "/auth/account", root_path="/auth", headers=headers)
        assert heard.header("location") == ["/auth/sign-in?next=%2Fauth%2Faccount"]


# ---- the middleware ----


async def greet(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without asking who is there."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_the_middleware_leaves_answers_alone_that_asked_for_no_session(home: House) -> None:
    heard = await ask(AuthMiddleware(greet, auth=home.auth), "GET", "/", headers=await cookie_of(home))
    assert heard.messages[0]["headers"] == [(b"cache-control", b"public")]


async def test_the_middleware_makes_an_answer_private_that_asked_for_a_session(home: House) -> None:
    async def asking(scope: Scope, receive: Receive, send: Send) -> None:
        await visit_of(scope, home.auth).session()
        await greet(scope, receive, send)

    cookie = await cookie_of(home)
    home.clock.move(timedelta(minutes=16))
    heard = await ask(AuthMiddleware(asking, auth=home.auth), "GET", "/", headers=cookie)
    assert heard.header("cache-control") == ["private, no-store"]
    assert heard.header("vary") == ["Cookie, Authorization, Accept"]
    assert len(heard.header("set-cookie")) == 1


async def test_a_prefetch_renews_nothing(home: House) -> None:
    async def asking(scope: Scope, receive: Receive, send: Send) -> None:
        await visit_of(scope, home.auth).session()
        await greet(scope, receive, send)

    cookie = await cookie_of(home)
    home.clock.move(timedelta(minutes=16))
    prefetch = {**cookie, "sec-purpose": "prefetch"}
    heard = await ask(AuthMiddleware(asking, auth=home.auth), "GET", "/", headers=prefetch)
    assert heard.header("set-cookie") == []


async def test_an_answer_that_starts_late_renews_nothing(home: House) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await visit_of(scope, home.auth).session()
        home.clock.move(timedelta(seconds=31))
        await greet(scope, receive, send)

    cookie = await cookie_of(home)
    home.clock.move(timedelta(minutes=16))
    heard = await ask(AuthMiddleware(slow, auth=home.auth), "GET", "/", headers=cookie)
    assert (heard.header("set-cookie"), heard.header("cache-control")) == ([], ["private, no-store"])


async def test_other_scopes_pass_through(home: House) -> None:
    seen: list[str] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    await ask(AuthMiddleware(note, auth=home.auth), "GET", "/", kind="lifespan")
    await ask(Guarded(note, home.auth), "GET", "/", kind="lifespan")
    assert seen == ["lifespan", "lifespan"]


# ---- a guarded mount ----


@pytest.fixture
def guarded(home: House) -> ASGIApp:
    return AuthMiddleware(Guarded(greet, home.auth, templates=JinjaTemplates()), auth=home.auth)


async def test_a_guarded_application_is_reached_by_signed_in_people_alone(home: House, guarded: ASGIApp) -> None:
    assert (await ask(guarded, "GET", "/in", headers=await cookie_of(home))).body == b"hello"
    program = await ask(guarded, "GET", "/in")
    assert (program.status, program.header("content-type")) == (401, ["application/problem+json"])
    person = await ask(guarded, "GET", "/in", headers={"accept": "text/html"}, query_string=b"x=1")
    assert person.header("location") == ["/auth/sign-in?next=%2Fin%3Fx%3D1"]


async def test_a_guarded_application_learns_nothing_of_a_request_that_is_refused(home: House) -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    guarded = Guarded(never, home.auth)
    assert (await ask(guarded, "GET", "/in")).status == 401
    elsewhere = {**await cookie_of(home), "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert (await ask(guarded, "POST", "/in", headers=elsewhere)).status == 403
    socket = await ask(guarded, "GET", "/in", kind="websocket")
    assert socket.messages == [{"type": "websocket.close", "code": 1008}]


async def test_a_socket_of_a_guarded_application_is_opened_by_this_site_alone(home: House, guarded: ASGIApp) -> None:
    cookie = await cookie_of(home)
    foreign = {**cookie, "origin": "https://evil.example"}
    assert (await ask(guarded, "GET", "/in", kind="websocket", headers=foreign)).messages[0]["code"] == 1008
    own = {**cookie, "origin": "https://example.com"}
    assert (await ask(guarded, "GET", "/in", kind="websocket", headers=own)).messages[0]["type"] != "websocket.close"


async def test_a_guard_may_ask_for_more_than_a_session(home: House) -> None:
    guarded = Guarded(greet, home.auth, require=recent(timedelta(minutes=5)), templates=JinjaTemplates())
    cookie = await cookie_of(home)
    assert (await ask(guarded, "GET", "/in", headers=cookie)).status == 200
    home.clock.move(timedelta(minutes=6))
    asked = await ask(guarded, "GET", "/in", headers={**cookie, "accept": "text/html"})
    assert asked.header("location") == ["/auth/prove?next=%2Fin"]


async def test_a_site_may_have_no_pages_but_those_of_powauth(home: House) -> None:
    site = Site(home.auth, AuthMiddleware(AuthApp(home.auth, JinjaTemplates()), auth=home.auth))
    assert (await site.get("/nowhere")).status == 404


@pytest.mark.parametrize("has_middleware", [True, False])
async def test_a_client_that_hangs_up_when_it_is_answered_stops_no_hook(
    tmp_path: Path, *, has_middleware: bool
) -> None:
    """Whoever guesses must not be able to keep the failure from being counted."""
    heard: list[str] = []
    done = asyncio.Event()

    async def hear(event: AuthenticationFailed, ctx: Context) -> None:
        await asyncio.sleep(0.01)  # longer than the client stays
        heard.append(event.identifier)
        done.set()

    async with house(tmp_path, hooks=(on(AuthenticationFailed, hear),)) as home:
        site = home.site()
        app: ASGIApp = AuthApp(home.auth, JinjaTemplates())
        app = AuthMiddleware(app, auth=home.auth) if has_middleware else app

        async def hangs_up(scope: Scope, receive: Receive, send: Send) -> None:
            async def leave(message: Message) -> None:
                await send(message)
                if message["type"] == "http.response.body":
                    task = asyncio.current_task()
                    assert task
                    task.cancel()

            await app(scope, receive, leave)

        site._app = hangs_up
        guessing = asyncio.create_task(site.post("/sign-in", email=ADA, password="wrong wrong wrong"))
        await asyncio.wait({guessing}, timeout=5)
        async with asyncio.timeout(5):
            await done.wait()
    assert heard == [ADA]
