"""Fold: settings and extensions become a plan, or every reason why not, in sentences that say what to do."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from powauth import catalogues, revoking
from powauth.context import Hook
from powauth.csrf import origin_of
from powauth.database import Schema
from powauth.errors import ConfigurationError
from powauth.events import Event
from powauth.extension import EveryWayIn, Fields
from powauth.forms import Form, NoForm, form_name, is_asked
from powauth.languages import Languages
from powauth.mail import ConsoleMailer
from powauth.messages import CORE_MESSAGES
from powauth.outbox import OutboxRecord
from powauth.pages import Page
from powauth.passwords import Hasher
from powauth.plan import AnyHook, AnyOffer, Bound, Plan
from powauth.problems import (
    Named,
    extension_problems,
    manifest_problems,
    requirement_problems,
    settings_problems,
    strict_problems,
)
from powauth.records import Record
from powauth.revocations import RevocationRecord
from powauth.routing import FormPage, as_post, form_of, signs_in
from powauth.settings import Settings
from powauth.signing import Signer
from powauth.stores import Watchable, may_lose_writes
from powauth.tokens import TokenRecord
from powauth.watching import WatchedHasher, WatchedStore, hooks


def fold(settings: Settings[Any]) -> Plan:
    """Return the plan. Raises `ConfigurationError` with every problem."""
    manifests = [(known.name, known.manifest_among(settings.extensions)) for known in settings.extensions]
    records = _records(settings, manifests)
    schema = Schema(prefix=settings.name, records=records)
    languages = _languages(settings, manifests)
    problems = [
        *settings_problems(settings),
        *extension_problems(settings.extensions),
        *manifest_problems(manifests),
        *strict_problems(settings, manifests),
        *requirement_problems(settings.extensions, manifests),
        *languages.problems(),
        *settings.database.declare(schema),
    ]
    if problems:
        raise ConfigurationError(*problems)
    plan = _plan(settings, manifests, schema, languages)
    if plan.revokes and isinstance(plan.store, Watchable):
        plan.store.watch(lambda is_reached: plan.doubt(is_reached=is_reached))
    return plan


def _plan(settings: Settings[Any], manifests: list[Named], schema: Schema, languages: Languages) -> Plan:
    pages = {
        route.original: Bound(name, route.original, route.page)
        for name, manifest in manifests
        for route in manifest.served()
        if is_asked(form_of(route.page) or NoForm, settings.identifiers)
    }
    mails = {f"{name}.{kind.name}": kind for name, manifest in manifests for kind in manifest.mails}
    is_strict = settings.profile == "strict"
    passwords = settings.passwords.strict() if is_strict else settings.passwords
    sessions = settings.sessions.strict() if is_strict else settings.sessions
    held = frozenset(page for _, manifest in manifests for page in manifest.holds)
    added = [fields for _, manifest in manifests for fields in manifest.fields]
    owners = {fields.form: name for name, manifest in manifests for fields in manifest.fields}
    store = settings.database.store(schema, settings.clock) if settings.store is None else settings.store
    telemetry = settings.telemetry
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
        store=store,
        watched=WatchedStore(store, telemetry) if telemetry else store,
        telemetry=telemetry,
        signer=Signer(tuple(settings.secret), name=settings.name),
        hasher=WatchedHasher(passwords, telemetry, name=settings.name) if telemetry else Hasher(passwords),
        passwords=passwords,
        session_settings=sessions,
        backoff=settings.backoff,
        cookies=settings.cookies,
        paths=settings.paths,
        sends_mail=settings.sends_mail,
        mailer=ConsoleMailer() if settings.mailer is None else settings.mailer,
        templates=settings.templates,
        languages=languages,
        trusted_proxies=tuple(_networks(settings.trusted_proxies)),
        tenants=settings.tenant,
        entrance=next((page for page, bound in pages.items() if _is_entrance(bound.page)), None),
        acting_end=next((page for page, bound in pages.items() if _ends_acting(bound.page)), None),
        fields={page: _added_forms(bound, added, held) for page, bound in pages.items()},
        field_owners=owners,
        links={page: _links(page, pages, manifests) for page in pages},
        buttons={page: _offers(page, manifests) for page in pages},
        extensions={type(extension): extension for extension in settings.extensions},
        hooks=_hooks(manifests, (*settings.hooks, *(hooks(telemetry) if telemetry else ()), *_revoking(schema))),
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


def _records(settings: Settings[Any], manifests: list[Named]) -> tuple[type[Record], ...]:
    revocations = (RevocationRecord,) if may_lose_writes(settings.store) else ()
    return (
        TokenRecord,
        OutboxRecord,
        *revocations,
        *(record for _, manifest in manifests for record in manifest.records),
    )


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


def _revoking(schema: Schema) -> tuple[Hook[Any], ...]:
    return revoking.HOOKS if RevocationRecord in schema.records else ()


def _links(page: Page, pages: Mapping[Page, Bound], manifests: list[Named]) -> tuple[tuple[str, Page], ...]:
    return tuple(
        (f"{name}.{link.text}", link.to)
        for name, manifest in manifests
        for link in manifest.links
        if link.on == page and link.to in pages
    )


def _offers(page: Page, manifests: list[Named]) -> tuple[AnyOffer, ...]:
    return tuple(buttons.offer for _, manifest in manifests for buttons in manifest.buttons if buttons.on == page)


def _is_entrance(page: Page) -> bool:
    return isinstance(page, FormPage) and page.is_entrance


def _ends_acting(page: Page) -> bool:
    post = as_post(page)
    return post is not None and post.ends_acting


def _networks(texts: Iterable[str]) -> Iterator[IPv4Network | IPv6Network]:
    return (ip_network(text) for text in texts)


def _added_forms(bound: Bound, added: Iterable[Fields], held: frozenset[Page]) -> tuple[type[Form], ...]:
    """Return the forms that extensions add to a page."""
    is_way_in = signs_in(bound.page) and bound.original not in held
    return tuple(f.form for f in added if f.on == bound.original or (is_way_in and isinstance(f.on, EveryWayIn)))
