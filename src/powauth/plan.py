"""Plan: what an `Auth` made of its settings and extensions, once, at start. Everything in here is ready to use."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, lru_cache, partial
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from powauth.accounts import Account
from powauth.clock import Clock
from powauth.database import Database, Schema
from powauth.errors import NotFound
from powauth.events import Event
from powauth.forms import Form
from powauth.languages import Languages
from powauth.limits import Backoff, Limits
from powauth.mail import Mailer, MailKind
from powauth.messages import Words
from powauth.pages import Button, Detour, Page
from powauth.passwords import Hasher, Passwords
from powauth.pending import CODE_LIFETIME, Parking
from powauth.revocations import RevocationRecord, Revocations, Table
from powauth.session import Session
from powauth.sessions import Sessions, SessionSettings
from powauth.signing import Signer
from powauth.stores import Store
from powauth.telemetry import Telemetry
from powauth.templates import Templates
from powauth.tenants import SINGLE, Tenant, Tenants
from powauth.tokens import TokenKind

IdentifierKind = Literal["email", "username"]
Network = IPv4Network | IPv6Network
AnyHook = Callable[[Any, Any], Awaitable[Detour | None]]
"""A hook whose event was checked by `on`."""
AnyReturn = Callable[[Any], Awaitable[Session | None]]
"""A way back whose context is that of a unit of work."""
AnyOffer = Callable[[Any], Awaitable[Sequence[Button]]]
"""Who offers buttons, with the context of a unit of work."""
AnyChore = Callable[[Any], Awaitable[int]]
"""A chore whose context is that of a unit of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """How cookies are written."""

    domain: str | None = None
    """Share them with sub-domains: every one of those can then write them, so `powauth check` says so."""


Destination = str | Callable[[Account | None], str]
"""A path on this site, or what chooses one for an account; `None` where nobody is signed in any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where people are sent: a path on this site, or a callable that chooses one for an account."""

    after_sign_in: Destination = "/"
    after_sign_up: Destination = "/"
    after_sign_out: Destination = "/"
    after_close: Destination = "/"
    home: str = "/"
    """The application's start page."""
    sign_in: str | None = None
    """A sign-in page of the application's own, where people are sent who have to sign in; else the one that ships."""

    def get(self, name: str, account: Account | None = None) -> str:
        """Return the path of this name, for this account."""
        destination = {
            "after_sign_in": self.after_sign_in,
            "after_sign_up": self.after_sign_up,
            "after_sign_out": self.after_sign_out,
            "after_close": self.after_close,
        }.get(name, self.home)
        return destination if isinstance(destination, str) else destination(account)


@dataclass(frozen=True, slots=True)
class Bound:
    """A page, whose it is, and the value that the extension names it by."""

    extension: str
    original: Page
    page: Page

    @property
    def code(self) -> str:
        """The name of the page for programs, templates and messages: `extension.page`."""
        return f"{self.extension}.{self.page.name}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an `Auth` made of its settings and extensions."""

    name: str
    application: str
    base_url: str
    origins: frozenset[str]
    app_links: tuple[str, ...]
    identifiers: tuple[IdentifierKind, ...]
    profile: Literal["standard", "strict"]
    clock: Clock
    database: Database[Any] = field(repr=False)
    schema: Schema = field(repr=False)
    store: Store = field(repr=False)
    watched: Store = field(repr=False)
    """The same, as telemetry sees it; the store itself where there is none."""
    telemetry: Telemetry | None = field(repr=False)
    signer: Signer = field(repr=False)
    hasher: Hasher = field(repr=False)
    passwords: Passwords
    session_settings: SessionSettings
    backoff: Backoff
    cookies: Cookies
    paths: Paths
    mailer: Mailer
    sends_mail: bool
    """Whether the application sends what it owes; otherwise a process of its own has to."""
    templates: Templates | None
    languages: Languages = field(repr=False)
    trusted_proxies: tuple[Network, ...]
    tenants: Tenants | None
    entrance: Page | None
    """Where people are sent who have to sign in."""
    acting_end: Page | None
    """What somebody sends who stops acting as another."""
    fields: Mapping[Page, tuple[type[Form], ...]] = field(repr=False)
    """The forms that extensions add to a page."""
    field_owners: Mapping[type[Form], str] = field(repr=False)
    """The extension that adds a form's fields to a page, and has the words for them."""
    links: Mapping[Page, tuple[tuple[str, Page], ...]] = field(repr=False)
    """From a page: message code and target of each link."""
    buttons: Mapping[Page, tuple[AnyOffer, ...]] = field(repr=False)
    """Who has buttons to offer on a page."""
    extensions: Mapping[type[Any], Any] = field(repr=False)
    hooks: Mapping[type[Event], tuple[AnyHook, ...]] = field(repr=False)
    pages: Mapping[Page, Bound] = field(repr=False)
    """By the value that the extension names it by."""
    token_kinds: tuple[TokenKind, ...]
    mail_kinds: Mapping[str, MailKind] = field(repr=False)
    mail_names: Mapping[MailKind, str] = field(repr=False)
    """The qualified name `extension.mail` of each kind."""
    extra_forms: Mapping[str, type[Form]] = field(repr=False)
    """The forms that extensions add to pages, by qualified name."""

    cookie_kinds: tuple[str, ...]
    """The cookies that extensions declare."""
    returns: tuple[AnyReturn, ...] = field(repr=False)
    """How a browser whose session is over may come back."""
    held: frozenset[Page]
    """Pages that sign nobody in, because an extension stands between."""
    chores: Mapping[str, AnyChore] = field(repr=False)
    """Work that comes back, by its qualified name."""

    folders: tuple[tuple[str, str], ...]
    """The templates of extensions: name and folder."""
    bells: list[asyncio.Event] = field(default_factory=list[asyncio.Event], repr=False)

    @cached_property
    def single(self) -> Tenant:
        """The only tenant where there are none."""
        return Tenant(SINGLE, self.base_url)

    @cached_property
    def is_https(self) -> bool:
        """Whether pages are served over TLS."""
        return self.base_url.startswith("https:")

    @cached_property
    def mount(self) -> str:
        """The path that stands before every page's own, without a slash at its end."""
        return urlsplit(self.base_url).path.rstrip("/")

    def bell(self) -> asyncio.Event:
        """Return what is rung when a mail is owed; made in the event loop that waits for it."""
        bell = asyncio.Event()
        self.bells.append(bell)
        return bell

    def ring(self) -> None:
        """Tell the sender that a mail is owed."""
        for bell in self.bells:
            bell.set()

    def path(self, page: Page, **parts: str) -> str:
        """Return the address of a page on this site."""
        path = self.pages[page].page.path
        for name, value in parts.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        return self.mount + path

    def path_by_name(self, name: str) -> str:
        """Return the address of the page `extension.page`. Raises `LookupError` if nobody serves it."""
        for original, bound in self.pages.items():
            if bound.code == name:
                return self.path(original)
        msg = f"no page is called {name}: enable the extension that serves it"
        raise LookupError(msg)

    def words(self, language: str = "") -> Words:
        """Return the words of a language; of the default one where it is not offered, or none is named."""
        return self.languages.words(language)

    def language_of(self, tenant: Tenant) -> str:
        """Return the language of a tenant's people, as far as they ask for no other."""
        return self.languages.choose((), tenant.language)

    def listens(self, event: type[Event]) -> bool:
        """Say whether a hook listens to an event."""
        return bool(self.hooks_of(event))

    def hooks_of(self, event: type[Event]) -> tuple[AnyHook, ...]:
        """Return the hooks of an event: of its own kind first, then of what it is a kind of, those of `Event` last."""
        if event not in self._hooks:
            kinds = (kind for kind in event.__mro__ if issubclass(kind, Event))
            self._hooks[event] = tuple(hook for kind in kinds for hook in self.hooks.get(kind, ()))
        return self._hooks[event]

    @cached_property
    def _hooks(self) -> dict[type[Event], tuple[AnyHook, ...]]:
        """What `hooks_of` found out, once for each class."""
        return {}

    @cached_property
    def entrance_path(self) -> str | None:
        """Where people are sent who have to sign in; `None` where there is no such page."""
        return self.paths.sign_in or (self.path(self.entrance) if self.entrance else None)

    def all_tenants(self) -> tuple[Tenant, ...]:
        """Return every tenant, or the single one."""
        return tuple(self.tenants.all()) if self.tenants else (self.single,)

    @cached_property
    def cookie_name(self) -> Callable[[str], str]:
        """The name of a cookie; `__Host-` where the browser can promise that nobody else wrote it."""
        return lru_cache(maxsize=16)(self._cookie_name)

    def _cookie_name(self, what: str) -> str:
        prefix = "__Host-" if self.is_https and self.cookies.domain is None else ""
        return f"{prefix}{self.name}-{what}"

    @cached_property
    def sessions(self) -> Callable[[str], Sessions]:
        """The sessions of a tenant, by its id."""
        return lru_cache(maxsize=1024)(self._sessions)

    def _sessions(self, tenant: str) -> Sessions:
        return Sessions(
            self.watched,
            self.signer,
            self.clock,
            self.session_settings,
            name=self.name,
            tenant=tenant,
            revocations=self.revocations(tenant),
        )

    @cached_property
    def revokes(self) -> bool:
        """Whether what ends stands in the database, too: the store may lose it."""
        return RevocationRecord in self.schema.records

    @cached_property
    def known_revocations(self) -> dict[str, Revocations]:
        """What ended, by the id of each tenant that was asked about."""
        return {}

    def revocations(self, tenant: str) -> Revocations | None:
        """Return what ended in a tenant, by its id; `None` where the store loses nothing."""
        if self.revokes and tenant not in self.known_revocations:
            table = Table(database=self.database, schema=self.schema, tenant=partial(self.tenant_of, tenant))
            settings = self.session_settings
            self.known_revocations[tenant] = Revocations(
                table, self.clock, idle=settings.idle, known_within=settings.ends_known_within
            )
        return self.known_revocations.get(tenant)

    def tenant_of(self, id: str) -> Tenant:
        """Return the tenant of this id. Raises `NotFound`."""
        for tenant in self.all_tenants():
            if tenant.id == id:
                return tenant
        raise NotFound

    def doubt(self, *, is_reached: bool) -> None:  # noqa: ARG002  what answers again may be another copy, either way
        """Ask the database before anything is answered from the store, which did not answer for a moment."""
        for revocations in self.known_revocations.values():
            revocations.doubt()

    def parking(self, tenant: str) -> Parking:
        """Return the parked sign-ins of a tenant."""
        return Parking(self.watched, self.signer, self.clock, name=self.name, tenant=tenant)

    def codes(self, tenant: str) -> Parking:
        """Return the sign-ins of a tenant that ended in a browser and wait for the program that began them."""
        return Parking(
            self.watched,
            self.signer,
            self.clock,
            name=self.name,
            tenant=tenant,
            purpose="code",
            lifetime=CODE_LIFETIME,
        )

    def limits(self, tenant: str) -> Limits:
        """Return the limits of a tenant."""
        return Limits(self.watched, self.clock, name=self.name, tenant=tenant)


NOTICE_LIFETIME = timedelta(seconds=60)
