"""Extension and Manifest: how a feature says what it adds. Core has no features."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, dataclass_transform

from powauth.context import Context, Hook
from powauth.errors import ConfigurationError
from powauth.forms import F, Form
from powauth.mail import MailKind
from powauth.pages import Button, Page
from powauth.records import Record
from powauth.session import Session
from powauth.tokens import TokenKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link from one page to another. Its words stand under the message code `text`."""

    on: Page
    to: Page
    text: str


Offer = Callable[[Context], Awaitable[Sequence[Button]]]
"""Returns the buttons that a visitor finds on a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """Buttons on another extension's page, as each request has it: who is asked depends on tenant and account."""

    on: Page
    offer: Offer


class EveryWayIn:
    """Stands for all pages that sign somebody in, whoever serves them."""


EVERY_WAY_IN = EveryWayIn()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Fields that are added to another extension's page; they arrive as `request.extra(form)`."""

    on: Page | EveryWayIn
    form: type[Form]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Work that comes back, in every tenant, while the application runs.

    It does a batch in one unit of work and says how much it did; it is asked again until nothing is left.
    """

    name: str
    run: Callable[[Context], Awaitable[int]]


Return = Callable[[Context], Awaitable[Session | None]]
"""Returns the session that a browser's cookie stands for, begun by `sign_in` or already going on; `None` if none.

Asked on top-level navigations and requests of the site itself, where the session's own cookie opens nothing."""

CommandResult = Mapping[str, object] | Sequence[Mapping[str, object]] | AsyncIterator[str] | None
"""What a command prints: one thing, several, or nothing; a table for people, JSON for programs. Never a secret.

An iterator gives the lines of a file, however long, in a format that the command chose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[F]):
    """A command of the command line, as `powauth <extension> <name>`, in one unit of work.

    The fields of the form are its options: `expires_in` is `--expires-in`, a box is a flag, a password is asked for
    and never an argument. An `AuthError` that it raises is told in words.
    """

    name: str
    help: str
    form: type[F]
    run: Callable[[F, Context], Awaitable[CommandResult]]
    writes: bool = True
    """Whether it changes anything. One that only reads keeps nobody waiting, however long it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A page as it is served, and the value that the extension names it by."""

    original: Page
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that an extension adds. Message codes in it are bare: `forgot` becomes `reset_password.forgot`."""

    routes: tuple[Page | Route, ...] = ()
    tokens: tuple[TokenKind, ...] = ()
    hooks: tuple[Hook[Any], ...] = ()
    records: tuple[type[Record], ...] = ()
    fields: tuple[Fields, ...] = ()
    links: tuple[Link, ...] = ()
    buttons: tuple[Buttons, ...] = ()
    """Forms of one click that stand on other pages."""
    messages: Mapping[str, str] = field(default_factory=dict[str, str])
    mails: tuple[MailKind, ...] = ()
    commands: tuple[Command[Any], ...] = ()
    cookies: tuple[str, ...] = ()
    """The names of the cookies that it reads from `ctx.caller.cookies` and writes by `ctx.write_cookie`."""
    returns: tuple[Return, ...] = ()
    """How a browser whose session is over may come back without anybody typing anything."""
    holds: tuple[Page, ...] = ()
    """Pages that would sign somebody in, and do not because this extension stands between."""
    chores: tuple[Chore, ...] = ()
    """Work that comes back while the application runs."""

    def served(self) -> tuple[Route, ...]:
        """Return its pages, each with the value that the extension names it by."""
        return tuple(route if isinstance(route, Route) else Route(original=route, page=route) for route in self.routes)

    def without(self, *pages: Page) -> "Manifest":
        """Return the same without these pages, and without links and fields that need them.

        Raises `ConfigurationError` for a page that is not in it.
        """
        self._need(*pages)
        return replace(
            self,
            routes=tuple(route for route in self.served() if route.original not in pages),
            links=tuple(link for link in self.links if link.on not in pages and link.to not in pages),
            buttons=tuple(buttons for buttons in self.buttons if buttons.on not in pages),
            fields=tuple(added for added in self.fields if added.on not in pages),
        )

    def with_page(self, page: Page, **changes: Any) -> "Manifest":  # noqa: ANN401  fields of the page
        """Return the same with a page changed: `path`, `submit`, `form`, `requires` or another of its fields.

        Raises `ConfigurationError` for a page that is not in it.
        """
        self._need(page)
        routes = (
            Route(original=route.original, page=replace(route.page, **changes)) if route.original == page else route
            for route in self.served()
        )
        return replace(self, routes=tuple(routes))

    def _need(self, *pages: Page) -> None:
        served = [route.original for route in self.served()]
        strangers = [page for page in pages if page not in served]
        if strangers:  # nothing would change, and nobody would notice
            raise ConfigurationError(*(f"{page.name} ({page.path}) is no page of this manifest" for page in strangers))

    def plus(self, more: "Manifest") -> "Manifest":
        """Return both together; of two messages with one code, the later one's."""
        return Manifest(
            routes=(*self.routes, *more.routes),
            tokens=(*self.tokens, *more.tokens),
            hooks=(*self.hooks, *more.hooks),
            records=(*self.records, *more.records),
            fields=(*self.fields, *more.fields),
            links=(*self.links, *more.links),
            buttons=(*self.buttons, *more.buttons),
            messages={**self.messages, **more.messages},
            mails=(*self.mails, *more.mails),
            commands=(*self.commands, *more.commands),
            cookies=(*self.cookies, *more.cookies),
            returns=(*self.returns, *more.returns),
            holds=(*self.holds, *more.holds),
            chores=(*self.chores, *more.chores),
        )


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Extension:
    """Base of every extension. A subclass is a frozen, keyword-only dataclass: its fields are its settings."""

    name: ClassVar[str] = ""
    requires: ClassVar[tuple[type["Extension"], ...]] = ()
    """Extensions that have to be enabled as well."""
    after: ClassVar[tuple[type["Extension"], ...]] = ()
    """Extensions that, if they are enabled, have to be listed before it."""
    templates: ClassVar[Path | None] = None
    """The folder of its templates."""
    locale: ClassVar[Path | None] = None
    """The folder of its catalogues, as `de/LC_MESSAGES/powauth.mo`; its English words stand in the manifest."""

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        dataclass(frozen=True, kw_only=True)(cls)

    def manifest(self) -> Manifest:
        """Return what it adds; called once by each `Auth` that enables it."""
        return Manifest()

    def manifest_among(self, extensions: Sequence["Extension"]) -> Manifest:  # noqa: ARG002  for who looks at others
        """Return what it adds beside these, itself included: for who asks for what another extension asks for."""
        return self.manifest()

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with its settings, a sentence each."""
        return ()

    def strict_problems(self) -> tuple[str, ...]:
        """Return which of its settings the strict profile does without, a sentence each."""
        return ()
