"""Parked sign-ins: proofs that wait while a detour is taken. They grant a page of the detour, never a session."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from powauth.accounts import Handle
from powauth.clock import Clock
from powauth.session import Proof, Transport, decode_proofs, encode_proofs
from powauth.signing import Signer, decode, encode
from powauth.stores import Key, Store

LIFETIME = timedelta(minutes=15)
CODE_LIFETIME = timedelta(seconds=60)
"""How long the single-use code is good with which a flow in a browser ends (ASVS 10.4.3)."""

_BODY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A parked sign-in: proofs, the epoch they were checked against, where to go; never forms or passwords."""

    handle: Handle
    id: str = field(repr=False)
    epoch: int
    proofs: tuple[Proof, ...]
    transport: Transport
    next: str | None
    after: str
    detour: str = ""
    """The page that it waits for."""
    challenge: str = ""
    """Where a program began it that wants a token: what the program's verifier hashes to (RFC 7636 §4.2)."""
    passed: tuple[str, ...] = ()
    """The detours that were taken since the last new proof: one of them again would ask for ever."""
    extras: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    """The fields that extensions added to the page that was sent, by the name of their form."""


class Parking:
    """The parked sign-ins of one tenant of one `Auth`."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        clock: Clock,
        *,
        name: str,
        tenant: str,
        purpose: str = "pending",
        lifetime: timedelta = LIFETIME,
    ) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._purpose = purpose
        self._lifetime = lifetime
        self._kind = f"{name}:{tenant}:{purpose}"
        self._tenant = tenant.encode()

    async def park(self, pending: Pending) -> str:
        """Store a parked sign-in and return the secret that opens it."""
        expires_at = self._clock.now() + self._lifetime
        await self._store.put(Key(self._kind, pending.handle, pending.id), _encode(pending), expires_at=expires_at)
        body = bytes.fromhex(pending.handle + pending.id)
        return encode(body + self._signer.sign(self._purpose, body + self._tenant))

    async def peek(self, secret: str) -> Pending | None:
        """Return the parked sign-in that a secret opens, and leave it."""
        key = self._key(secret)
        entry = await self._store.get(key) if key else None
        return _decode(key, entry.value) if key and entry else None

    async def take(self, pending: Pending) -> bool:
        """Use a parked sign-in up; of many callers exactly one may go on."""
        return await self._store.take(Key(self._kind, pending.handle, pending.id)) is not None

    async def discard(self, handle: Handle) -> None:
        """Forget all parked sign-ins of an account."""
        await self._store.delete_all(self._kind, handle)

    def _key(self, secret: str) -> Key | None:
        data = decode(secret)
        if data is None or len(data) != _BODY_BYTES + 32:
            return None
        body, signature = data[:_BODY_BYTES], data[_BODY_BYTES:]
        if not self._signer.verify(self._purpose, body + self._tenant, signature):
            return None
        return Key(self._kind, body[:16].hex(), body[16:].hex())


def new_pending_id() -> str:
    """Return an id that no parked sign-in ever had."""
    return secrets.token_hex(16)


def _encode(pending: Pending) -> bytes:
    return json.dumps(
        {
            "epoch": pending.epoch,
            "proofs": encode_proofs(pending.proofs),
            "transport": pending.transport,
            "next": pending.next,
            "after": pending.after,
            "detour": pending.detour,
            "challenge": pending.challenge,
            "passed": pending.passed,
            "extras": {name: dict(values) for name, values in pending.extras.items()},
        }
    ).encode()


def _decode(key: Key, value: bytes) -> Pending | None:
    try:
        data = json.loads(value)
        handle = Handle(key.owner)
        return Pending(
            handle=handle,
            id=key.id,
            epoch=data["epoch"],
            proofs=decode_proofs(handle, data["proofs"]),
            transport=cast("Transport", data["transport"]),
            next=data["next"],
            after=data["after"],
            detour=data["detour"],
            challenge=data["challenge"],
            passed=tuple(data["passed"]),
            extras=data["extras"],
        )
    except (ValueError, TypeError, KeyError):
        return None
