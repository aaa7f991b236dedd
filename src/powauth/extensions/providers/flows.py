"""Trips: what is kept while a browser is away, sealed, used once, and bound to that browser by a cookie of its own."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Literal

from powauth.context import Context
from powauth.oauth.aead import seal, unseal
from powauth.oauth.flow import FLOW_LIFETIME
from powauth.stores import Key

Purpose = Literal["sign_in", "silent", "connect", "prove"]
Kind = Literal["flow", "form", "complete"]

SLOTS = tuple(f"provider{number}" for number in range(1, 9))
"""The cookies that bind trips to a browser: one for each, so that several tabs do not disturb each other."""
LIFETIME: timedelta = FLOW_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What somebody went to a provider for, and from where."""

    provider: str
    purpose: Purpose
    flow: Mapping[str, Any] = field(repr=False)
    binding: str = field(repr=False)
    """What the cookie of the browser that set out hashes to."""
    handle: str = ""
    """Whose session it was begun in; empty where nobody was signed in."""
    session: str = ""
    """The public id of that session."""
    next: str = ""
    challenge: str = ""
    extras: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    """The fields that extensions added, by the name of their form."""
    way: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Which way is gone again, where nobody pressed a button."""


class Shelf:
    """Where the trips of one tenant are kept. Their key is a hash of what comes back; so is half of what seals them."""

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.plan.watched
        self._signer = ctx.plan.signer
        self._expires_at = ctx.now + LIFETIME
        self._kind = f"{ctx.plan.name}:{ctx.tenant.id}:provider_"
        self._tenant = ctx.tenant.id

    async def put(self, kind: Kind, secret: str, value: object) -> bool:
        """Keep a value under a secret, unless one is there; say whether it is kept."""
        plain = json.dumps(value).encode()
        sealed = seal(self._seal_key(kind, secret), plain, context=self._context(kind))
        return await self._store.add(self._key(kind, secret), sealed, expires_at=self._expires_at)

    async def peek(self, kind: Kind, secret: str) -> Any:  # noqa: ANN401  what was put
        """Return the value under a secret, and leave it; `None` if there is none."""
        entry = await self._store.get(self._key(kind, secret))
        return self._open(kind, secret, entry.value) if entry else None

    async def take(self, kind: Kind, secret: str) -> Any:  # noqa: ANN401  what was put
        """Return the value under a secret and use it up: of many callers exactly one receives it."""
        entry = await self._store.take(self._key(kind, secret))
        return self._open(kind, secret, entry.value) if entry else None

    def _open(self, kind: Kind, secret: str, sealed: bytes) -> Any:  # noqa: ANN401
        plain = unseal(self._seal_key(kind, secret), sealed, context=self._context(kind))
        return json.loads(plain) if plain is not None else None

    def _seal_key(self, kind: Kind, secret: str) -> bytes:
        # Of both: neither a dump of the store nor the application's secret alone opens it.
        return self._signer.sign("provider_trip", f"{kind} {len(self._tenant)} {self._tenant} {secret}".encode())

    def _context(self, kind: Kind) -> bytes:
        return (self._kind + kind).encode()

    def _key(self, kind: Kind, secret: str) -> Key:
        id = digest(secret)
        return Key(self._kind + kind, id, id)


def digest(secret: str) -> str:
    """Return what a secret hashes to."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def bind(ctx: Context) -> str:
    """Give the browser a new secret, in a cookie that no other trip of it uses, or in that of its oldest one."""
    secret = f"{int(ctx.now.timestamp())}.{secrets.token_urlsafe(32)}"
    free = [slot for slot in SLOTS if slot not in ctx.caller.cookies]
    slot = secrets.choice(free) if free else min(SLOTS, key=lambda slot: ctx.caller.cookies[slot])
    ctx.write_cookie(slot, secret, max_age=LIFETIME)
    return secret


def unbind(ctx: Context, binding: str) -> bool:
    """Say whether this browser has the secret, and let it forget it."""
    for slot in SLOTS:
        value = ctx.caller.cookies.get(slot)
        if value is not None and hmac.compare_digest(digest(value), binding):
            ctx.unwrite_cookie(slot)
            return True
    return False


def secrets_of(ctx: Context) -> tuple[str, ...]:
    """Return every secret that this browser has, the newest first."""
    held = (ctx.caller.cookies.get(slot) for slot in SLOTS)
    return tuple(sorted(filter(None, held), reverse=True))


def plain_trip(trip: Trip) -> dict[str, Any]:
    """Return a trip as what JSON can hold."""
    return asdict(trip)


def read_trip(plain: Mapping[str, Any]) -> Trip:
    """Return the trip that was kept."""
    return Trip(**plain)
