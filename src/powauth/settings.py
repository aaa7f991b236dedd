"""Settings: everything that an application may decide about its `Auth`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from powauth.clock import Clock, SystemClock
from powauth.context import Hook
from powauth.database import Database
from powauth.extension import Extension
from powauth.limits import Backoff
from powauth.mail import Mailer
from powauth.passwords import Passwords
from powauth.plan import Cookies, IdentifierKind, Paths
from powauth.sessions import SessionSettings
from powauth.stores import Store
from powauth.telemetry import Telemetry
from powauth.templates import Templates
from powauth.tenants import Tenants

U = TypeVar("U")


@dataclass(frozen=True, kw_only=True, eq=False)
class Settings(Generic[U]):
    """Everything about sign-in in one application. Frozen; several of them live side by side, told apart by `name`.

    Raises `ConfigurationError` with every problem at once.
    """

    secret: str | Sequence[str] = field(repr=False)
    """One secret, or several: the first signs, the others only verify. `powauth secret` makes one."""
    database: Database[U] = field(repr=False)
    """Where accounts and records last."""
    base_url: str
    """Where the pages are, such as `https://example.com/auth`: the only source of links."""
    extensions: Sequence[Extension] = ()
    """What is enabled, in the order in which their hooks run."""
    name: str = "powauth"
    """Enters every derived key, store key, cookie and table prefix. Lower-case letters, digits and `_`."""
    application: str = ""
    """What people call the application; the host of `base_url` if nothing is given."""
    store: Store | None = field(default=None, repr=False)
    """Where sessions and other expiring things are; the database's own choice if none is given."""
    mailer: Mailer | None = field(default=None, repr=False)
    """Any async callable that takes a `Mail`; prints it if none is given and `base_url` is not https."""
    sends_mail: bool = True
    """Whether `lifespan` sends the mails that are owed; where it does not, `powauth mail run` has to."""
    origins: Sequence[str] = ()
    """Further front ends, such as `https://app.example.com`, that may send requests with cookies or be sent to."""
    app_links: Sequence[str] = ()
    """Addresses of programs, such as `com.example.app:/signed-in`, to which a sign-in in a browser may lead back."""
    hooks: Sequence[Hook[Any]] = field(default=(), repr=False)
    """The application's own listeners; they run after those of extensions."""
    messages: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The application's own words in its default language, by code."""
    languages: Sequence[str] = ("en", "de", "fr")
    """What a browser may ask for, as in Accept-Language: `de`, `pt-BR`."""
    language: str = "en"
    """The language of those who ask for none of these; a tenant may have another."""
    locale: str | Path | None = None
    """The folder of the application's own catalogues, which come before every other: `it/LC_MESSAGES/powauth.mo`."""
    identifiers: Sequence[IdentifierKind] = ("email",)
    """What accounts are found by: `email`, `username` or both."""
    paths: Paths = field(default_factory=Paths)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    passwords: Passwords = field(default_factory=Passwords)
    cookies: Cookies = field(default_factory=Cookies)
    backoff: Backoff = field(default_factory=Backoff)
    """How failures at sign-in slow the next attempt down."""
    profile: Literal["standard", "strict"] = "standard"
    """`strict` takes the harder of two choices: longer passwords, shorter sessions, no mail as a factor."""
    templates: Templates | None = field(default=None, repr=False)
    """What makes pages and mails; an adapter for a framework brings the theme if none is given."""
    tenant: Tenants | None = field(default=None, repr=False)
    """Whose pages a request asks for; without it there is one world of accounts."""
    trusted_proxies: Sequence[str] = ()
    """Networks whose X-Forwarded-For is believed, such as `10.0.0.0/8`."""
    telemetry: Telemetry | None = field(default=None, repr=False)
    """What measures requests, operations, store and hashing: `powauth.opentelemetry`, or one of your own."""
    clock: Clock = field(default_factory=SystemClock, repr=False)

    def __post_init__(self) -> None:
        for name in ("extensions", "origins", "app_links", "hooks", "identifiers", "languages", "trusted_proxies"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        secrets = (self.secret,) if isinstance(self.secret, str) else tuple(self.secret)
        object.__setattr__(self, "secret", secrets)
