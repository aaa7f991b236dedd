"""Problems: all that an `Auth` cannot start with, in sentences that say what to do."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, cast
from urllib.parse import urlsplit

from powauth.context import Hook
from powauth.csrf import origin_of
from powauth.errors import ConfigurationError
from powauth.extension import Extension, Fields, Manifest, Route
from powauth.forms import field_names, form_fields
from powauth.mail import problems_of
from powauth.pages import Page
from powauth.redirects import safe_target
from powauth.routing import form_of, methods, requirement, signs_in
from powauth.settings import Settings
from powauth.signing import secret_problems

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
TENANT = re.compile(r"[A-Za-z0-9._-]{1,48}")
APP_LINK = re.compile(r"(?!javascript:|data:|vbscript:|file:|blob:|http:)[a-z][a-z0-9+.-]*:/[!-~]*", re.IGNORECASE)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Named = tuple[str, Manifest]


def settings_problems(settings: Settings[Any]) -> Iterator[str]:
    """Tell what is missing, unsafe or contradicts itself in the settings."""
    yield from secret_problems(settings.secret)
    if not NAME.fullmatch(settings.name):
        yield f"name {settings.name!r}: use 1 to 31 lower-case letters, digits and _, beginning with a letter"
    yield from _address_problems(settings)
    yield from _front_end_problems(settings)
    if not settings.identifiers or set(settings.identifiers) - {"email", "username"}:
        yield 'identifiers: name "email", "username" or both'
    for text in settings.trusted_proxies:
        if not _is_network(text):
            yield f"trusted_proxies: {text!r} is no network: write it as 10.0.0.0/8"
    yield from _hook_problems(settings)
    yield from settings.passwords.problems()
    if any(pepper.secret in settings.secret for pepper in settings.passwords.peppers):
        yield "secret is also a pepper: one leak must not open both, so make a secret of its own for each"
    yield from settings.sessions.problems()
    yield from (f"mailer: {problem}" for problem in problems_of(settings.mailer))
    yield from settings.backoff.problems()
    yield from _tenant_problems(settings)
    fixed = {name: path for name, path in dataclasses.asdict(settings.paths).items() if isinstance(path, str)}
    for name, path in fixed.items():
        if not path.startswith("/") or safe_target(path, base_url=settings.base_url, origins=()) != path:
            yield f"paths: {name} has to be a path on this site, such as /welcome"


def _hook_problems(settings: Settings[Any]) -> Iterator[str]:
    for hook in cast("Sequence[object]", settings.hooks):
        if isinstance(hook, tuple | list):
            yield "hooks: several hooks stand where one belongs: put a star before them, as in [*event_log()]"
        elif not isinstance(hook, Hook):
            yield f"hooks: {getattr(hook, '__name__', type(hook).__name__)} is no hook: write on(event, function)"


def _tenant_problems(settings: Settings[Any]) -> Iterator[str]:
    for tenant in settings.tenant.all() if settings.tenant else ():
        if not TENANT.fullmatch(tenant.id):
            yield f"tenant {tenant.id!r}: use 1 to 48 letters, digits, dots, dashes or underscores"
        if tenant.language is not None and tenant.language not in settings.languages:
            yield f"tenant {tenant.id!r}: its language {tenant.language!r} is not offered: add it to languages"
        ours, theirs = urlsplit(settings.base_url), urlsplit(tenant.base_url)
        if not _is_site(tenant.base_url) or (theirs.scheme, theirs.path) != (ours.scheme, ours.path):
            yield f"tenant {tenant.id!r}: its base_url needs the scheme and the path of the others: {settings.base_url}"


def strict_problems(settings: Settings[Any], manifests: list[Named]) -> Iterator[str]:
    """Tell what the strict profile does without: what it cannot make harder by itself, it refuses."""
    if settings.profile != "strict":
        return
    if settings.cookies.domain is not None:
        yield "strict profile: Cookies(domain=...) lets every sub-domain overwrite cookies: leave it away"
    for origin in settings.origins:
        if origin.startswith("http:") and settings.base_url.startswith("https:"):
            yield f"strict profile: the front end {origin} is not encrypted: serve it over https"
    for name, manifest in manifests:
        if manifest.returns:
            yield f"strict profile: {name} signs a browser in without anybody showing a factor: leave it away"
    for extension in settings.extensions:
        yield from (f"strict profile: {extension.name}: {problem}" for problem in extension.strict_problems())


def _address_problems(settings: Settings[Any]) -> Iterator[str]:
    if not _is_site(settings.base_url) or set("?#") & set(settings.base_url):
        yield f"base_url {settings.base_url!r}: write the whole address of the pages, as https://example.com/auth"
        return
    parts = urlsplit(settings.base_url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        yield f"base_url: {parts.hostname} is not this machine: use https, or anybody on the way can read passwords"
    if not parts.path.rstrip("/"):
        yield f"base_url {settings.base_url!r}: add the path under which the pages stand, such as /auth"
    if parts.scheme == "https" and settings.mailer is None:
        yield "mailer: mails would only be printed: pass a mailer, or mailer=ConsoleMailer() if that is meant"


def _front_end_problems(settings: Settings[Any]) -> Iterator[str]:
    for origin in settings.origins:
        if not _is_origin(origin):
            yield f"origins: {origin!r} is no origin: write scheme, host and port only, as https://app.example.com"
    for link in settings.app_links:
        if not APP_LINK.fullmatch(link):
            yield f"app_links: {link!r} is no app link: write it whole, as com.example.app:/signed-in"


def _is_origin(text: str) -> bool:
    return _is_site(text) and not set("?#") & set(text) and urlsplit(text).path in {"", "/"}


def _is_site(text: str) -> bool:
    try:
        return bool(origin_of(text))
    except ConfigurationError:
        return False


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def extension_problems(extensions: Iterable[Extension]) -> Iterator[str]:
    """Tell what is missing, listed twice, in an unsafe order or in a circle."""
    listed = list(extensions)
    seen: list[Extension] = []
    for extension in listed:
        name = extension.name
        if not NAME.fullmatch(name):
            yield f"{type(extension).__name__}.name {name!r}: use lower-case letters, digits and _"
        if any(other.name == name for other in seen):
            yield f"{name} is listed twice in extensions: remove one"
        for needed in extension.requires:
            if not any(isinstance(other, needed) for other in listed):
                yield f"{name} requires {needed.name}: add {needed.__name__}() to extensions"
        for earlier in extension.after:
            if any(isinstance(other, earlier) for other in listed) and not any(isinstance(o, earlier) for o in seen):
                yield f"{name} has to stand after {earlier.name} in extensions: its gate would be passed first"
        yield from (f"{name}: {problem}" for problem in extension.problems())
        seen.append(extension)
    yield from _cycles(listed)


def _cycles(extensions: list[Extension]) -> Iterator[str]:
    for extension in extensions:
        if any(isinstance(extension, needed) for needed in _needed(extension.requires)):
            yield f"{extension.name} requires itself by way of others: one of them has to stand alone"


def _needed(kinds: Iterable[type[Extension]]) -> set[type[Extension]]:
    """Return these extensions and all that they require, however far away."""
    found: set[type[Extension]] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting += kind.requires
    return found


def manifest_problems(manifests: list[Named]) -> Iterator[str]:
    """Tell what clashes between extensions, leads nowhere or has no words."""
    routes = [(name, route) for name, manifest in manifests for route in manifest.served()]
    pages = {route.original for _, route in routes}
    yield from _route_problems(routes)
    yield from _field_problems(manifests, {route.original: route.page for _, route in routes})
    yield from _clashes("table", [(n, r.__table__) for n, m in manifests for r in m.records])
    yield from _clashes("cookie", [(n, cookie) for n, m in manifests for cookie in m.cookies])
    yield from _clashes("token", [(n, kind.name) for n, m in manifests for kind in m.tokens])
    for name, manifest in manifests:
        for link in manifest.links:
            if link.on in pages and link.to not in pages:
                yield f"{name}: the link {link.text!r} leads to {link.to.path}, which nobody serves"
            if link.text not in manifest.messages:
                yield f"{name}: the link {link.text!r} has no words: add them to messages"
        yield from _word_problems(name, manifest)
        yield from _mail_problems(name, manifest, pages)


def requirement_problems(extensions: Sequence[Extension], manifests: list[Named]) -> Iterator[str]:
    """Tell which pages ask for what nobody could ever meet."""
    for name, manifest in manifests:
        for route in manifest.served():
            for problem in requirement(route.page).problems(extensions):
                yield f"{name}: the page {route.page.name!r} asks for what cannot be met: {problem}"


def _route_problems(routes: list[tuple[str, Route]]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    names: set[str] = set()
    for name, route in routes:
        page = route.page
        shape = re.sub(r"\{\w+\}", "{}", page.path)
        for method in methods(page):
            other = seen.setdefault((method, shape), f"{name}.{page.name}")
            if other != f"{name}.{page.name}":
                yield f"{method} {page.path} is served by {other} and by {name}.{page.name}: give one another path"
        if f"{name}.{page.name}" in names:
            yield f"{name} has two pages called {page.name}: rename one"
        names.add(f"{name}.{page.name}")
        if not page.path.startswith("/") or page.path.endswith("/"):
            yield f"{name}.{page.name}: a path begins with / and does not end with one, unlike {page.path!r}"


_OURS: Mapping[str, tuple[str, ...]] = {
    "table": ("tokens", "outbox", "revocations", "schema"),
    "cookie": ("session", "pending", "notice", "device"),
}


def _clashes(what: str, found: list[tuple[str, str]]) -> Iterator[str]:
    owners = dict.fromkeys(_OURS.get(what, ()), "powauth")
    for owner, name in found:
        if owners.setdefault(name, owner) != owner or (owner, name) in found[: found.index((owner, name))]:
            yield f"the {what} {name!r} belongs to {owners[name]} and to {owner}: rename one"


def _field_problems(manifests: list[Named], served: Mapping[Page, Page]) -> Iterator[str]:
    present = {page: set(_own_names(now)) for page, now in served.items()}
    for name, manifest in manifests:
        for fields in manifest.fields:
            pages = _pages_of(fields, served)
            if not pages and isinstance(fields.on, Page):
                yield f"{name}: adds fields to {fields.on.path}, which nobody serves: enable what serves it"
            if any(known.is_secret for known in form_fields(fields.form)):
                yield f"{name}: adds a password to {_where(fields)}: added fields may be parked, and no password may be"
            for page in pages:
                for field in field_names(fields.form):
                    if field in present[page]:
                        yield f"{name}: the field {field!r} is on {page.path} already: rename it"
                    present[page].add(field)


def _pages_of(fields: Fields, served: Mapping[Page, Page]) -> tuple[Page, ...]:
    """Return the pages on which added fields stand, by the values that extensions name them by."""
    if isinstance(fields.on, Page):
        return (fields.on,) if fields.on in served else ()
    return tuple(original for original, page in served.items() if signs_in(page))


def _where(fields: Fields) -> str:
    return fields.on.path if isinstance(fields.on, Page) else "every way in"


def _own_names(page: Page) -> tuple[str, ...]:
    form = form_of(page)
    return field_names(form) if form else ()


def _word_problems(name: str, manifest: Manifest) -> Iterator[str]:
    """Tell which pages would show a code where people read: every page has a title, every form a button."""
    for route in manifest.served():
        page = route.page
        if "GET" in methods(page) and f"{page.name}.title" not in manifest.messages:
            yield f"{name}: the page {page.name!r} has no title: add {page.name}.title to messages"
        if "POST" in methods(page) and f"{page.name}.submit" not in manifest.messages:
            yield f"{name}: the form {page.name!r} has no words on its button: add {page.name}.submit to messages"


def _mail_problems(name: str, manifest: Manifest, pages: set[Page]) -> Iterator[str]:
    for kind in manifest.mails:
        for part in ("subject", "body"):
            if f"{kind.name}.{part}" not in manifest.messages:
                yield f"{name}: the mail {kind.name!r} has no {part}: add {kind.name}.{part} to messages"
        if kind.page is not None and f"{kind.name}.button" not in manifest.messages:
            yield f"{name}: the mail {kind.name!r} has no words on its button: add {kind.name}.button to messages"
        if kind.page is not None and kind.page not in pages:
            yield f"{name}: the mail {kind.name!r} links to {kind.page.path}, which nobody serves"
        if kind.token is not None and kind.token not in manifest.tokens:
            yield f"{name}: the mail {kind.name!r} holds a token that is not in tokens: add it"
        if kind.token is not None and bool(kind.token.about) != (kind.still is not None):
            yield f"{name}: the mail {kind.name!r} needs `still` exactly if its token is about something but an account"
