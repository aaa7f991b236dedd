"""Routing: the kinds of pages, what they ask of a session, and how a path finds its page."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from powauth.context import Context
from powauth.errors import AlreadySignedIn, MethodNotAllowed, NotFound, NotSignedIn
from powauth.extension import Extension
from powauth.forms import F, Form, NoForm
from powauth.http import Request
from powauth.limits import Limit
from powauth.pages import Outcome, Page
from powauth.paths import normalise

T = TypeVar("T")

Show = Callable[[Request[NoForm], Context], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a page asks of a session. Anybody may come to a page that asks nothing."""

    async def check(self, ctx: Context) -> None:
        """Raise an `AuthError` when the caller may not come."""

    async def check_again(self, ctx: Context) -> None:
        """Raise an `AuthError` when a connection that lasts may not go on. As long as its session does, it may."""

    def problems(self, extensions: Collection[Extension]) -> tuple[str, ...]:  # noqa: ARG002  for those that need any
        """Return why this could never be asked of anybody beside these extensions, a sentence each."""
        return ()


@dataclass(frozen=True, slots=True)
class SignedIn(Requirement):
    """Somebody has to be signed in, and the account open."""

    async def check(self, ctx: Context) -> None:
        """Raise `NotSignedIn` for others."""
        await ctx.account()


@dataclass(frozen=True, slots=True)
class SignedOut(Requirement):
    """Nobody may be signed in: people are sent on."""

    async def check(self, ctx: Context) -> None:
        """Raise `AlreadySignedIn` for others."""
        if await ctx.account_if_any() is not None:
            raise AlreadySignedIn


@dataclass(frozen=True, slots=True)
class Parked(Requirement):
    """A sign-in has to be parked before the page of a detour."""

    page: str = ""
    """The page's name; empty for any."""

    async def check(self, ctx: Context) -> None:
        """Raise `NotSignedIn` for others, `AlreadySignedIn` for who has no step left to take."""
        if ctx.caller.pending is None:
            await SIGNED_OUT.check(ctx)
            raise NotSignedIn
        account = await ctx.accounts.by_handle(ctx.pending.handle)
        if account is None or not account.is_open or account.epoch != ctx.pending.epoch:
            raise NotSignedIn  # its owner changed something meanwhile: what was proved before is worth nothing
        if self.page and ctx.pending.detour != self.page:
            raise NotSignedIn


@dataclass(frozen=True, slots=True)
class All(Requirement):
    """Each of these."""

    requirements: tuple[Requirement, ...]

    async def check(self, ctx: Context) -> None:
        """Raise what the first one that is not met raises."""
        for requirement in self.requirements:
            await requirement.check(ctx)

    async def check_again(self, ctx: Context) -> None:
        """Raise what the first one raises under which a connection may not go on."""
        for requirement in self.requirements:
            await requirement.check_again(ctx)

    def problems(self, extensions: Collection[Extension]) -> tuple[str, ...]:
        """Return the problems of each."""
        return tuple(problem for one in self.requirements for problem in one.problems(extensions))


ANYBODY = Requirement()
SIGNED_IN = SignedIn()
SIGNED_OUT = SignedOut()
PARKED = Parked()

BY_ADDRESS = Limit(60, per=timedelta(minutes=1))
"""Forms sent from one address: more than any person, less than a guessing machine would like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Get(Page):
    """A page to look at."""

    show: Show
    requires: Requirement = ANYBODY
    forms: tuple["Post[Any]", ...] = ()
    """The forms that stand on it."""
    in_navigation: bool = False
    """Whether a signed-in person finds it in the navigation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Page, Generic[F]):
    """What happens when a form is sent."""

    form: type[F]
    submit: Callable[[Request[F], Context], Awaitable[Outcome]]
    requires: Requirement = ANYBODY
    limit: Limit | None = BY_ADDRESS
    is_dangerous: bool = False
    """Whether it cannot be undone."""
    in_navigation_as_button: bool = False
    """Whether a signed-in person finds it in the navigation, as a button."""
    signs_in: bool = False
    """Whether somebody is signed in by it: fields for every way in stand on it."""
    grants_bearer: bool = False
    """Whether its JSON body may ask for a bearer session, because it carries the proof itself."""
    while_acting: bool = False
    """Whether somebody who acts as the account may send it: it changes nothing that is the owner's alone."""
    ends_acting: bool = False
    """Whether it is how that ends: its button stands in the banner on every page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage(Post[F]):
    """A form, and what happens when it is sent: GET shows it, POST sends it."""

    show: Show | None = None
    in_navigation: bool = False
    is_entrance: bool = False
    """Whether people are sent here who have to sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack(Page, Generic[T]):
    """Where another site sends a browser back to, with what it says in the query, or in a form.

    `ask` runs once, and holds no connection while it asks that site; `finish` does with its result what is to be done,
    and may be begun again. A form, which no cookie comes along with, is only put down: `receive` returns the address
    at which the same browser is asked for by GET. It reads no session and touches no cookie.
    """

    ask: Callable[[Request[NoForm], Context], Awaitable[T]]
    finish: Callable[[Request[NoForm], Context, T], Awaitable[Outcome]]
    receive: Callable[[Request[NoForm], Context, str], Awaitable[str]]
    takes_cross_site: bool = True
    """The one exception from what is asked of requests that change something: see `receive`."""


MOST_RECEIVED = 32 * 1024
"""Bytes of a form that another site sends."""

Match = tuple[Page, Mapping[str, str]]


class Router:
    """Finds the page of a path."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._fixed: dict[str, list[Page]] = {}
        self._open: list[tuple[re.Pattern[str], Page]] = []
        for page in pages:
            if "{" in page.path:
                self._open.append((_pattern(page.path), page))
            else:
                self._fixed.setdefault(page.path, []).append(page)

    def find(self, path: str, method: str) -> Match:
        """Return the page that answers and the parts of its path. Raises `NotFound`, `MethodNotAllowed`."""
        clean = normalise(path)
        matches: list[Match] = [(page, {}) for page in self._fixed.get(clean, ())]
        if not matches:
            for pattern, page in self._open:
                if match := pattern.fullmatch(clean):
                    matches.append((page, match.groupdict()))
        if not matches:
            raise NotFound
        for page, params in matches:
            if method in methods(page):
                return page, params
        raise MethodNotAllowed(sorted({method for page, _ in matches for method in methods(page)}))


def methods(page: Page) -> frozenset[str]:
    """Return the methods that a page answers."""
    if isinstance(page, FormPage):
        return frozenset({"GET", "HEAD", "POST"})
    if isinstance(page, CallBack):  # HEAD would use up what it only asks about
        return frozenset({"GET", "POST"})
    return frozenset({"POST"}) if isinstance(page, Post) else frozenset({"GET", "HEAD"})


def as_post(page: Page) -> Post[Any] | None:
    """Return a page that a form is sent to; `None` for one that is only looked at."""
    post: Any = page  # of whatever form
    return post if isinstance(page, Post) else None


def as_call_back(page: Page) -> CallBack[Any] | None:
    """Return a page that another site sends browsers back to; `None` for every other one."""
    kind: type[CallBack[Any]] = CallBack  # of whatever result
    return page if isinstance(page, kind) else None  # pyright: ignore[reportUnknownVariableType]  what it asks is its own


def form_of(page: Page) -> type[Form] | None:
    """Return the form that is sent to a page; `None` for one that is only looked at."""
    post = as_post(page)
    return post.form if post else None


def show_of(page: Page) -> Show | None:
    """Return what shows a page; `None` if it shows nothing but its form, or is never shown."""
    shown: Any = page  # of whatever form
    return shown.show if isinstance(page, (Get, FormPage)) else None


def signs_in(page: Page) -> bool:
    """Say whether somebody is signed in by what is sent to a page."""
    post = as_post(page)
    return post is not None and post.signs_in


def requirement(page: Page) -> Requirement:
    """Return what a page asks of a session."""
    return page.requires if isinstance(page, (Get, Post)) else ANYBODY


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    text = "".join(re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+)" for i, part in enumerate(parts))
    return re.compile(text)
