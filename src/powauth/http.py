"""What comes in and what goes out: RawRequest, Request, and Html, Redirect, Json, Empty."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, Literal, TypeVar, cast
from urllib.parse import parse_qsl

from powauth.errors import NotFound, Unreadable
from powauth.forms import F, Form

E = TypeVar("E", bound=Form)

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

ReadBody = Callable[[int], Awaitable[bytes]]
"""Reads the body, at most so many bytes. Raises `TooLarge`, and `Unreadable` when the client is gone."""


async def no_body(most: int) -> bytes:  # noqa: ARG001  the shape of ReadBody
    """Return the body of a request that has none."""
    return b""


class RawRequest:
    """A request as an adapter hands it over. Header names are in lower case; `path` is below the mount point.

    `client` is the peer's network address, as the server tells it. An adapter may read each of these as it is asked
    for: most pages of an application want nothing but a cookie.
    """

    # No frozen dataclass: there is one for every request, and those take five times as long to make.
    __slots__ = ("_body", "_client", "_headers", "_method", "_path", "_query")

    def __init__(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Sequence[tuple[str, str]] = (),
        client: str = "",
        body: ReadBody = no_body,
    ) -> None:
        self._method = method
        self._path = path
        self._query = query
        self._headers = headers
        self._client = client
        self._body = body

    @property
    def method(self) -> str:
        """The method, as it came."""
        return self._method

    @property
    def path(self) -> str:
        """The path below the mount point."""
        return self._path

    @property
    def query(self) -> str:
        """The query string, without its question mark."""
        return self._query

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """All headers, in the order in which they came."""
        return self._headers

    @property
    def client(self) -> str:
        """The peer's network address, as the server tells it."""
        return self._client

    @property
    def body(self) -> ReadBody:
        """Reads the body."""
        return self._body

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name."""
        values = self.header_values(name)
        return values[0] if values else None

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return the values of all headers of that name."""
        return tuple(value for found, value in self.headers if found == name)

    @property
    def is_unsafe(self) -> bool:
        """Whether it may change something: not GET, HEAD, OPTIONS."""
        return self.method not in SAFE

    @property
    def is_navigation(self) -> bool:
        """Whether the browser says that a person goes there: not a page that embeds it, nor a script."""
        return (self.header("sec-fetch-dest"), self.header("sec-fetch-mode")) == ("document", "navigate")

    @property
    def is_prefetch(self) -> bool:
        """Whether the browser asks ahead of the person: nothing is renewed or used up for that."""
        purposes = self.header_values("sec-purpose") or self.header_values("purpose")
        return any("prefetch" in purpose or "prerender" in purpose for purpose in purposes)

    @property
    def known_method(self) -> str:
        """The method if it is one of RFC 9110 §9 or PATCH; a client may make others up."""
        return self.method if self.method in METHODS else "_OTHER"


def read_query(raw: RawRequest) -> Mapping[str, str]:
    """Return the query string; of two values with one name the first. Raises `Unreadable`."""
    try:
        return dict(reversed(parse_qsl(raw.query, max_num_fields=100)))
    except ValueError as error:
        raise Unreadable from error


def read_cookie(raw: RawRequest, name: str) -> str | None:
    """Return the value of a cookie; of two with one name the first."""
    for header in raw.header_values("cookie"):
        for part in header.split(";"):
            found, separator, value = part.strip().partition("=")
            if separator and found == name:
                return value
    return None


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to be written; `max_age` zero deletes it, `None` lets it end with the browser."""

    name: str
    value: str = field(repr=False)
    max_age: timedelta | None = None
    secure: bool = True
    domain: str | None = None

    def header(self) -> str:
        """Return the value of its Set-Cookie header (RFC 6265 §4.1)."""
        parts = [f"{self.name}={self.value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.max_age is not None:
            parts.append(f"Max-Age={int(self.max_age.total_seconds())}")
        if self.secure:
            parts.append("Secure")
        if self.domain:
            parts.append(f"Domain={self.domain}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Request(Generic[F]):
    """A request that passed the doors: its form is read, its client known."""

    raw: RawRequest
    form: F
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    """The parts of the path, by the names in the page's path."""
    extras: Mapping[type[Form], Form] = field(default_factory=dict[type[Form], Form])
    client: str = ""
    """The client's network address, after trusted proxies; IPv6 whole."""
    wants: Literal["html", "json"] = "json"
    language: str = "en"
    is_json_body: bool = False
    sent: frozenset[str] = frozenset()
    """The names that the body had, so that an absent field and an empty one can be told apart."""

    def extra(self, form: type[E]) -> E:
        """Return the fields that an extension added to this page. Raises `NotFound` for a form nobody added."""
        found = self.extras.get(form)
        if found is None:
            raise NotFound
        return cast("E", found)


@dataclass(frozen=True, slots=True)
class Html:
    """A page."""

    body: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go there with GET (RFC 9110 §15.4.4)."""

    to: str
    status: int = 303
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Json:
    """Data; `problem` marks RFC 9457 `application/problem+json`."""

    data: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing to say."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class File:
    """Bytes that never change under their address, such as a style sheet."""

    body: bytes
    type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Response = Html | Redirect | Json | Empty | File


def accept_prefers_html(headers: Sequence[str]) -> bool:
    """Say whether `text/html` is named above JSON in Accept (RFC 9110 §12.5.1); wildcards do not name it."""
    html = json = 0.0
    for part in ",".join(headers).split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if name in {"text/html", "application/xhtml+xml"}:
            html = max(html, quality)
        elif name == "application/json" or name.endswith("+json"):
            json = max(json, quality)
    return html > 0 and html > json


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
