"""What an attacker has: every page there is, requests that no browser would send, and an eye on what changed."""

import importlib
import pkgutil
import sqlite3
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from powauth import Auth, Extension, MemoryStore
from powauth import extensions as ours
from powauth.asgi.raw import Message
from powauth.extensions.sign_in import SignIn
from powauth.forms import FormField, asked
from powauth.pages import Page
from powauth.routing import FormPage, Get, Post, form_of
from powauth.testing import Answer, Site
from powauth.testing.factor import CodeFactor
from powauth.testing.site import HTML, _answer
from tests.house import PASSWORD, House, anybody, confirm, house, sign_up

Headers = Sequence[tuple[str, str]]

ADA = "ada@example.com"
EVE = "eve@example.com"
WRONG = "seven loud purple crows"
HOST = ("host", "example.com")
ORIGIN = ("origin", "https://example.com")
FORM = ("content-type", "application/x-www-form-urlencoded")
JSON = ("content-type", "application/json")
SENDS_JSON = (HOST, ("accept", "application/json"), ORIGIN, JSON)
SENDS_HTML = (HOST, ("accept", HTML), ORIGIN, FORM)
READS_JSON = (HOST, ("accept", "application/json"))
READS_HTML = (HOST, ("accept", HTML))


# ---- all that there is ----

OPENED: Mapping[str, Mapping[str, Any]] = {"invitation": {"may_invite": anybody}}
"""Settings that let Ada in where nobody may come by default."""


def every_extension() -> tuple[Extension, ...]:
    """Every extension in the package that needs no settings, and the factor for tests, each after what it needs."""
    kinds = [kind for kind in _kinds() if _is_plain(kind)]
    ordered: list[type[Extension]] = [SignIn]
    while len(ordered) < len(kinds):
        ready = (kind for kind in kinds if kind not in ordered and _needs(kind, kinds) <= set(ordered))
        ordered.append(next(ready))
    return (*(kind(**OPENED.get(kind.name, {})) for kind in ordered), CodeFactor(asks=(EVE,)))


def _kinds() -> list[type[Extension]]:
    names = [module.name for module in pkgutil.iter_modules(ours.__path__)]
    modules = [importlib.import_module(f"powauth.extensions.{name}") for name in names]
    own = {kind for module in modules for kind in vars(module).values() if _is_extension(kind)}
    return sorted((kind for kind in own if kind.__module__ == f"powauth.extensions.{kind.name}"), key=lambda k: k.name)


def _is_extension(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Extension) and bool(kind.name)


def _is_plain(kind: type[Extension]) -> bool:
    try:
        return not kind().problems()
    except TypeError:
        return False


def _needs(kind: type[Extension], kinds: Sequence[type[Extension]]) -> set[type[Extension]]:
    return {needed for needed in (*kind.requires, *kind.after) if needed in kinds}


def posts(auth: Auth[Any]) -> list[tuple[str, Post[Any]]]:
    """The path of every route that may change something, and its page."""
    return [(filled(bound.page), bound.page) for bound in auth.plan.pages.values() if isinstance(bound.page, Post)]


def gets(auth: Auth[Any]) -> list[str]:
    """The path of every route that is looked at."""
    return [filled(bound.page) for bound in auth.plan.pages.values() if isinstance(bound.page, (Get, FormPage))]


def filled(page: Page) -> str:
    """The path of a page with something in each of its places."""
    return page.path.replace("{", "").replace("}", "")


def fields(auth: Auth[Any], page: Page) -> tuple[FormField, ...]:
    """The fields that are asked for on a page, those of other extensions included."""
    original = next(original for original, bound in auth.plan.pages.items() if bound.page == page)
    form = form_of(page)
    forms = (*([form] if form else []), *auth.plan.fields.get(original, ()))
    return tuple(known for form in forms for known in asked(form, auth.plan.identifiers))


# ---- a house with somebody in it ----


@asynccontextmanager
async def inhabited(folder: Path, **settings: Any) -> AsyncGenerator[House]:
    """A house with every extension, where Ada and, behind a second factor, Eve have accounts."""
    settings.setdefault("extensions", every_extension())
    async with house(folder, **settings) as home:
        for email in (ADA, EVE):
            site = home.site()
            await sign_up(site, email)
            if home.auth.plan.held:
                await confirm(site)
        home.site().outbox.clear()
        yield home


async def signed_in(home: House, email: str = ADA) -> Site:
    """A browser that is signed in."""
    site = home.site()
    assert (await site.post("/sign-in", email=email, password=PASSWORD)).location == "/"
    return site


async def parked(home: House) -> Site:
    """A browser with Eve's password and without her second factor."""
    site = home.site()
    assert (await site.post("/sign-in", email=EVE, password=PASSWORD)).location == "/auth/test-code"
    return site


# ---- requests that no browser would send ----


@dataclass(frozen=True)
class Wire:
    """Sends any bytes under any path, with any headers, twice if need be, from any address."""

    site: Site

    async def send(
        self, method: str, path: str, headers: Headers = (), body: bytes = b"", *, query: str = "", client: str = ""
    ) -> Answer:
        whole = self.site.auth.plan.mount + path
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": whole,
            "raw_path": whole.encode("utf-8", "surrogatepass"),
            "query_string": query.encode("utf-8", "surrogatepass"),
            "root_path": "" if self.site._has_app else self.site.auth.plan.mount,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": (client or self.site.client, 50000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        received: list[Message] = []
        chunks = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]
        waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        waiting[-1]["more_body"] = False

        async def receive() -> Message:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            received.append(message)

        await self.site._app(scope, receive, send)
        return _answer(received)

    def cookies(self) -> Headers:
        """The header with the browser's cookies."""
        jar = self.site.jar
        return (("cookie", "; ".join(f"{name}={value}" for name, value in jar.items())),) if jar else ()


def urlencoded(**values: str) -> bytes:
    """The body of a form."""
    return urlencode(values).encode()


# ---- what changed ----


def database(home: House) -> list[str]:
    """All that stands in the database."""
    with closing(sqlite3.connect(str(home.engine.url.database))) as connection:
        return list(connection.iterdump())


def unaudited(home: House) -> list[str]:
    """All that stands in the database, but for the rows that say what was tried: those are added by every attempt."""
    return [line for line in database(home) if not line.startswith('INSERT INTO "powauth_audit"')]


def stored(home: House) -> Mapping[Any, int]:
    """Everything in the store and its version; of sessions only that they are there: they are touched and renewed."""
    store = home.auth.plan.store
    assert isinstance(store, MemoryStore)
    return {
        key: 0 if key.kind.endswith(":session") else entry.version
        for key, entry in store._entries.items()
        if not key.id.startswith("audit:")  # how many rows a stranger had
    }


def sessions(home: House) -> set[str]:
    """The ids of all sessions there are."""
    return {key.id for key in stored(home) if key.kind.endswith(":session")}


def sets_session(answer: Answer, auth: Auth[Any]) -> bool:
    """Whether an answer hands a session out, as a cookie or as a token."""
    name = auth.plan.cookie_name("session")
    given = any(value.startswith(f"{name}=") and not value.startswith(f"{name}=;") for value in answer.cookies())
    return given or b'"token"' in answer.body


def variants(secret: str) -> Iterator[str]:
    """A secret cut short, lengthened, spelled otherwise, and with each of its characters changed."""
    yield from (
        secret[:-1],
        secret[1:],
        secret[: len(secret) // 2],
        f"{secret}A",
        f"{secret}=",
        f"{secret}.",
        f"A{secret}",
    )
    yield from (secret.swapcase(), secret * 2, "", ".", "=", "A" * len(secret), f'"{secret}"', f"{secret}%00")
    for at, character in enumerate(secret):
        yield secret[:at] + ("B" if character != "B" else "C") + secret[at + 1 :]
