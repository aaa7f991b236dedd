"""Fold: settings and extensions become a plan, or every reason why not, in sentences that say what to do."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from powauth import catalogues
from powauth.context import Hook
from powauth.csrf import origin_of
from powauth.database import Schema
from powauth.errors import ConfigurationError
from powauth.events import Event
from powauth.extension import EveryWayIn, Extension, Fields, Manifest, Route
from powauth.forms import Form, NoForm, field_names, form_fields, form_name, is_asked
from powauth.languages import Languages
from powauth.mail import ConsoleMailer, problems_of
from powauth.messages import CORE_MESSAGES
from powauth.outbox import OutboxRecord
from powauth.pages import Page
from powauth.passwords import Hasher
from powauth.plan import AnyHook, Bound, Plan
from powauth.records import Record
from powauth.redirects import safe_target
from powauth.routing import FormPage, form_of, methods, signs_in
from powauth.settings import Settings
from powauth.signing import Signer, secret_problems
from powauth.tokens import TokenRecord

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
TENANT = re.compile(r"[A-Za-z0-9._-]{1,48}")
APP_LINK = re.compile(r"(?!javascript:|data:|vbscript:|file:|blob:|http:)[a-z][a-z0-9+.-]*:/[!-~]*", re.IGNORECASE)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Named = tuple[str, Manifest]


def fold(settings: Settings[Any]) -> Plan:
    """Return the plan. Raises `ConfigurationError` with every problem."""
    manifests = [(extension.name, extension.manifest()) for extension in settings.extensions]
    records = _records(manifests)
    schema = Schema(prefix=settings.name, records=records)
    languages = _languages(settings, manifests)
    problems = [
        *_settings_problems(settings),
        *_extension_problems(settings.extensions),
        *_manifest_problems(manifests),
        *languages.problems(),
        *settings.database.declare(schema),
    ]
    if problems:
        raise ConfigurationError(*problems)
    return _plan(settings, manifests, schema, languages)


def _plan(settings: Settings[Any], manifests: list[Named], schema: Schema, languages: Languages) -> Plan:
    pages = {
        route.original: Bound(name, route.original, route.page)
        for name, manifest in manifests
        for route in manifest.served()
        if is_asked(form_of(route.page) or NoForm, settings.identifiers)
    }
    mails = {f"{name}.{kind.name}": kind for name, manifest in manifests for kind in manifest.mails}
    passwords = settings.passwords.strict() if settings.profile == "strict" else settings.passwords
    held = frozenset(page for _, manifest in manifests for page in manifest.holds)
    added = [fields for _, manifest in manifests for fields in manifest.fields]
    owners = {fields.form: name for name, manifest in manifests for fields in manifest.fields}
    return Plan(
        name=settings.name,
        application=settings.application or urlsplit(settings.base_url).hostname or "",
        base_url=settings.base_url.rstrip("/"),
        origins=frozenset(origin_of(origin) for origin in settings.origins),
        app_links=tuple(settings.app_links),
        identifiers=tuple(settings.identifiers),
        profile=settings.profile,
        clock=settings.clock,
        database=settings.database,
        schema=schema,
        store=settings.database.store(schema, settings.clock) if settings.store is None else settings.store,
        signer=Signer(tuple(settings.secret), name=settings.name),
        hasher=Hasher(passwords),
        passwords=passwords,
        session_settings=settings.sessions,
        backoff=settings.backoff,
        cookies=settings.cookies,
        paths=settings.paths,
        mailer=ConsoleMailer() if settings.mailer is None else settings.mailer,
        templates=settings.templates,
        languages=languages,
        trusted_proxies=tuple(_networks(settings.trusted_proxies)),
        tenants=settings.tenant,
        entrance=next((page for page, bound in pages.items() if _is_entrance(bound.page)), None),
        fields={page: _added_forms(bound, added, held) for page, bound in pages.items()},
        field_owners=owners,
        links={page: _links(page, pages, manifests) for page in pages},
        extensions={type(extension): extension for extension in settings.extensions},
        hooks=_hooks(manifests, settings.hooks),
        pages=pages,
        token_kinds=tuple(kind for _, manifest in manifests for kind in manifest.tokens),
        mail_kinds=mails,
        mail_names={kind: name for name, kind in mails.items()},
        cookie_kinds=tuple(name for _, manifest in manifests for name in manifest.cookies),
        returns=tuple(way for _, manifest in manifests for way in manifest.returns),
        held=held,
        chores={f"{name}.{chore.name}": chore.run for name, manifest in manifests for chore in manifest.chores},
        extra_forms={form_name(fields.form): fields.form for fields in added},
        folders=tuple((e.name, str(e.templates)) for e in settings.extensions if e.templates is not None),
    )


def _records(manifests: list[Named]) -> tuple[type[Record], ...]:
    return (TokenRecord, OutboxRecord, *(record for _, manifest in manifests for record in manifest.records))


def _languages(settings: Settings[Any], manifests: list[Named]) -> Languages:
    english = dict(CORE_MESSAGES)
    for name, manifest in manifests:
        english |= {f"{name}.{code}": text for code, text in manifest.messages.items()}
    brought = (extension.locale for extension in settings.extensions)
    folders = (catalogues.OURS, *brought, settings.locale)
    return Languages(
        english=english,
        own=settings.messages,
        folders=tuple(Path(folder) for folder in folders if folder is not None),
        offered=tuple(settings.languages),
        default=settings.language,
    )


def _hooks(manifests: list[Named], own: Iterable[Hook[Any]]) -> dict[type[Event], tuple[AnyHook, ...]]:
    found: dict[type[Event], tuple[AnyHook, ...]] = {}
    for hook in (*(hook for _, manifest in manifests for hook in manifest.hooks), *own):
        found[hook.event] = (*found.get(hook.event, ()), hook.run)
    return found


def _links(page: Page, pages: Mapping[Page, Bound], manifests: list[Named]) -> tuple[tuple[str, Page], ...]:
    return tuple(
        (f"{name}.{link.text}", link.to)
        for name, manifest in manifests
        for link in manifest.links
        if link.on == page and link.to in pages
    )


def _is_entrance(page: Page) -> bool:
    return isinstance(page, FormPage) and page.is_entrance


def _networks(texts: Iterable[str]) -> Iterator[IPv4Network | IPv6Network]:
    return (ip_network(text) for text in texts)


def _settings_problems(settings: Settings[Any]) -> Iterator[str]:
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


def _tenant_problems(settings: Settings[Any]) -> Iterator[str]:
    for tenant in settings.tenant.all() if settings.tenant else ():
        if not TENANT.fullmatch(tenant.id):
            yield f"tenant {tenant.id!r}: use 1 to 48 letters, digits, dots, dashes or underscores"
        if tenant.language is not None and tenant.language not in settings.languages:
            yield f"tenant {tenant.id!r}: its language {tenant.language!r} is not offered: add it to languages"
        ours, theirs = urlsplit(settings.base_url), urlsplit(tenant.base_url)
        if not _is_site(tenant.base_url) or (theirs.scheme, theirs.path) != (ours.scheme, ours.path):
            yield f"tenant {tenant.id!r}: its base_url needs the scheme and the path of the others: {settings.base_url}"


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


def _extension_problems(extensions: Iterable[Extension]) -> Iterator[str]:
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


def _manifest_problems(manifests: list[Named]) -> Iterator[str]:
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
    "table": ("tokens", "outbox", "schema"),
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


def _added_forms(bound: Bound, added: Iterable[Fields], held: frozenset[Page]) -> tuple[type[Form], ...]:
    """Return the forms that extensions add to a page."""
    is_way_in = signs_in(bound.page) and bound.original not in held
    return tuple(f.form for f in added if f.on == bound.original or (is_way_in and isinstance(f.on, EveryWayIn)))


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
