"""Site: a browser in memory, for an application with an `Auth` in it."""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from powauth.asgi import AuthApp, AuthMiddleware
from powauth.asgi.raw import ASGIApp, Message
from powauth.auth import Auth
from powauth.csrf import origin_of
from powauth.errors import AuthError
from powauth.jinja import JinjaTemplates
from powauth.mail import Mail
from powauth.routing import Router
from powauth.testing.outbox import Outbox

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401  whatever was sent
        """The body as data."""
        return jsonlib.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem."""
        code: str = self.json["code"]
        return code

    @property
    def location(self) -> str:
        """Where a redirect leads; empty if it does not."""
        return self.header("location") or ""

    def header(self, name: str) -> str | None:
        """Return the first header of that name."""
        return next((value for known, value in self.headers if known == name), None)

    def cookies(self) -> list[str]:
        """Return every Set-Cookie header."""
        return [value for name, value in self.headers if name == "set-cookie"]


class Site:
    """A browser in memory. It keeps cookies, sends forms with an Origin, and lets mails arrive at once.

        site = Site(auth)
        await site.post("/sign-up", email="ada@example.com", password="long enough words")

    Paths are those of the `Auth`'s pages; with `app`, also the application's own. `site.program()` asks for JSON.
    """

    def __init__(
        self, auth: Auth[Any], app: ASGIApp | None = None, *, accept: str = HTML, client: str = "127.0.0.1"
    ) -> None:
        self.auth = auth
        self.accept = accept
        self.client = client
        self.jar: dict[str, str] = {}
        self.headers: dict[str, str] = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
        self.bearer: str | None = None
        self._app = app or AuthMiddleware(AuthApp(auth, JinjaTemplates()), auth=auth)
        self._has_app = app is not None
        self._router = Router([bound.page for bound in auth.plan.pages.values()])

    @property
    def outbox(self) -> Outbox:
        """The mails that were sent. `Auth(mailer=Outbox())` has to say so."""
        mailer = self.auth.plan.mailer
        if not isinstance(mailer, Outbox):
            msg = "the mails of a Site are seen with Auth(mailer=Outbox())"
            raise TypeError(msg)
        return mailer

    @property
    def mail(self) -> Mail:
        """The newest mail."""
        return self.outbox.last

    def browser(self, *, client: str | None = None) -> "Site":
        """Return another browser, without any of this one's cookies."""
        return self._twin(self.accept, client)

    def program(self, *, client: str | None = None) -> "Site":
        """Return a client that sends and receives JSON."""
        return self._twin("application/json", client)

    def _twin(self, accept: str, client: str | None) -> "Site":
        app = self._app if self._has_app else None
        return Site(self.auth, app, accept=accept, client=client or self.client)

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Go to an address."""
        return await self.send("GET", path, headers=headers)

    async def post(self, path: str, /, **fields: object) -> Answer:
        """Send a form, or JSON from a program."""
        if self.accept == HTML:
            return await self.send("POST", path, form=fields)
        return await self.send("POST", path, json=fields)

    async def send(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, object] | None = None,
        json: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and let the mails that it caused arrive. Headers here replace those of the browser."""
        all_headers = self._headers(method)
        if form is not None:
            body = urlencode({name: "on" if value is True else value for name, value in form.items()}).encode()
            all_headers["content-type"] = "application/x-www-form-urlencoded"
        elif json is not None:
            body = jsonlib.dumps(json).encode()
            all_headers["content-type"] = "application/json"
        all_headers |= {name.lower(): value for name, value in (headers or {}).items()}
        answer = await self._ask(method, path, all_headers, body)
        self._keep(answer)
        await self.deliver()
        return answer

    async def deliver(self) -> None:
        """Let every mail arrive that is due."""
        if isinstance(self.auth.plan.mailer, Outbox):
            await self.auth.sender(JinjaTemplates()).send_due()

    def _headers(self, method: str) -> dict[str, str]:
        parts = urlsplit(self.auth.base_url)
        headers = {**self.headers, "host": parts.netloc, "accept": self.accept}
        if method != "GET":
            headers["origin"] = origin_of(self.auth.base_url)
        if self.jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        if self.bearer:
            headers["authorization"] = f"Bearer {self.bearer}"
        return headers

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        whole, query = self._whole(path)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": urlsplit(self.auth.base_url).scheme,
            "path": whole,
            "raw_path": whole.encode(),
            "query_string": query.encode(),
            "root_path": "" if self._has_app else self.auth.plan.mount,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": (self.client, 50000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        received: list[Message] = []
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return pending.pop(0) if pending else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            received.append(message)

        await self._app(scope, receive, send)
        return _answer(received)

    def _whole(self, path: str) -> tuple[str, str]:
        parts = urlsplit(path)
        mount = self.auth.plan.mount
        if parts.path.startswith(f"{mount}/") or (self._has_app and not self._is_page(parts.path)):
            return parts.path, parts.query
        return mount + parts.path, parts.query

    def _is_page(self, path: str) -> bool:
        try:
            self._router.find(path, "GET")
        except AuthError as error:
            return error.status == 405
        return True

    def _keep(self, answer: Answer) -> None:
        for header in answer.cookies():
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.jar.pop(name, None)
                else:
                    self.jar[name] = morsel.value

    @property
    def cookie(self) -> str | None:
        """The session's cookie."""
        return self.jar.get(self.auth.plan.cookie_name("session"))


def _answer(messages: list[Message]) -> Answer:
    start = next(message for message in messages if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in messages if message["type"] == "http.response.body")
    headers = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"])
    return Answer(start["status"], headers, body)
