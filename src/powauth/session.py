"""Session and Proof: what is known of being signed in, and how it stands in a store."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

from powauth.accounts import AccountId, Handle
from powauth.stores import Entry

Transport = Literal["cookie", "bearer"]

MAILBOX = "mailbox"
"""The factor of whoever shows that they read an account's mail."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One factor, shown at one time, for one account in one state (`epoch`).

    Made only by `authenticate`, by taking a token whose kind says what it proves, and by factors.
    """

    handle: Handle
    epoch: int
    factor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Being signed in. Holds no account data and no roles."""

    handle: Handle
    account_id: AccountId
    id: str = field(repr=False)
    public_id: str
    """What lists, JSON and audit show; the same through every renewal and step-up."""
    transport: Transport
    epochs: tuple[int, ...]
    """The account's epochs that it was made for: two while a change is being committed, else one."""
    proofs: tuple[Proof, ...]
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    """When it is over, whatever happens."""
    generation: int = 0
    generation_at: datetime
    """When this generation was first used."""
    is_retired: bool = False
    """Whether a step-up replaced it; served a minute more."""
    client: str = ""
    device: str = ""
    meta: Mapping[str, str] = field(default_factory=dict[str, str])
    actor: Handle | None = None
    """Who acts as this account (RFC 8693 §4.1); `None` for its owner."""
    is_due: bool = False
    """Whether the next generation is handed out at once: what the account may do has changed."""
    version: int = field(default=0, compare=False, repr=False)

    def proved_at(self, *factors: str) -> datetime | None:
        """Return when one of these factors was last shown, any factor if none is named."""
        times = [proof.at for proof in self.proofs if not factors or proof.factor in factors]
        return max(times, default=None)


def encode_session(session: Session) -> bytes:
    """Return a session as a store keeps it."""
    return json.dumps(
        [
            session.account_id,
            session.public_id,
            session.transport,
            session.epochs,
            encode_proofs(session.proofs),
            session.created_at.timestamp(),
            session.seen_at.timestamp(),
            session.ends_at.timestamp(),
            session.generation,
            session.generation_at.timestamp(),
            session.is_retired,
            session.client,
            session.device,
            dict(session.meta),
            *([session.actor, session.is_due] if session.actor or session.is_due else []),
        ],
        separators=(",", ":"),
    ).encode()


def decode_session(handle: Handle, id: str, entry: Entry) -> Session | None:
    """Return the session that a store kept; `None` for what is none."""
    try:
        values = json.loads(entry.value)
        return Session(
            handle=handle,
            account_id=AccountId(values[0]),
            id=id,
            public_id=values[1],
            transport=cast("Transport", values[2]),
            epochs=tuple(values[3]),
            proofs=decode_proofs(handle, values[4]),
            created_at=time_of(values[5]),
            seen_at=time_of(values[6]),
            ends_at=time_of(values[7]),
            generation=values[8],
            generation_at=time_of(values[9]),
            is_retired=values[10],
            client=values[11],
            device=values[12],
            meta=values[13],
            actor=Handle(values[14]) if len(values) > 14 and values[14] else None,
            is_due=len(values) > 15 and bool(values[15]),
            version=entry.version,
        )
    except (ValueError, TypeError, IndexError, KeyError):  # a store that was written to by something else: refuse
        return None


def encode_proofs(proofs: Sequence[Proof]) -> list[tuple[str, float, int]]:
    """Return proofs of one account as plain data; whose they are stands in the key."""
    return [(proof.factor, proof.at.timestamp(), proof.epoch) for proof in proofs]


def decode_proofs(handle: Handle, data: Sequence[Any]) -> tuple[Proof, ...]:
    """Return proofs of an account. Raises `ValueError` or `TypeError` for what are none."""
    return tuple(Proof(handle, epoch, factor, time_of(at)) for factor, at, epoch in data)


def time_of(timestamp: float) -> datetime:
    """Return the time, in UTC."""
    return datetime.fromtimestamp(timestamp, UTC)
