"""Family: a remembered device, as a line of cookies of which the newest counts.

A cookie holds the account's handle, the family's id, a generation and a signature over all of them and the tenant: the
store alone opens nothing, nor does the key alone. Using generation n makes a session and hands out n+1.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from powauth.accounts import Handle
from powauth.plan import Plan
from powauth.session import Proof, Session, decode_proofs, encode_proofs, time_of
from powauth.sessions import GRACE
from powauth.signing import decode, encode
from powauth.stores import Entry, Key
from powauth.tenants import Tenant

_FORMAT = 1
_COOKIE_BYTES = 1 + 16 + 16 + 4 + 32
_MOST_TURNS = 10
"""As many turns within a minute are told apart; a browser takes one or two."""

Verdict = Literal["newest", "parallel", "late", "stolen", "unclear"]


class Shown(NamedTuple):
    """What a cookie says whose signature held."""

    handle: Handle
    id: str
    generation: int

    def __repr__(self) -> str:
        return f"Shown(handle={self.handle!r}, id=…, generation={self.generation})"


@dataclass(frozen=True, slots=True)
class Turn:
    """One use: the generation that was handed out for the one before, when, and the id of the session that began."""

    generation: int
    at: datetime
    session: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A remembered device."""

    handle: Handle
    id: str = field(repr=False)
    public_id: str
    """What lists and events show."""
    epoch: int
    """The account's when the box was ticked: with any other it is over."""
    proofs: tuple[Proof, ...]
    """Those of the sign-in at which the box was ticked. Its sessions have these and no newer ones."""
    created_at: datetime
    used_at: datetime
    ends_at: datetime
    """When it is over, whatever happens."""
    device: str
    client: str
    generation: int = 0
    turns: tuple[Turn, ...] = ()
    """The newest, and those before it that may still be asked about."""
    sessions: tuple[str, ...] = ()
    """The public ids of the sessions that it made, and of the one that made it; as many as an account may have."""
    version: int = field(default=0, compare=False, repr=False)

    @property
    def mark(self) -> str:
        """What stands for its id where that may be read: nobody makes a cookie of it."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:32]

    def judge(self, generation: int, now: datetime) -> Verdict:
        """Say what the use of a generation means.

        No browser is accused for being slow: whatever its successor's age, a generation is parallel for a minute from
        when that was handed out.
        """
        if generation >= self.generation:  # a newer one: the store lost a write, and goes on from what it handed out
            return "newest"
        if self.turn_after(generation, now):
            return "parallel"
        if generation == self.generation - 1:
            return "late"
        # Which of very many turns within one minute was forgotten cannot be known, so it accuses nobody.
        is_unclear = len(self.turns) == _MOST_TURNS and now <= self.turns[0].at + GRACE
        return "unclear" if is_unclear else "stolen"

    def turn_after(self, generation: int, now: datetime) -> Turn | None:
        """Return the turn that used this generation, if that was within the last minute."""
        found = (turn for turn in self.turns if turn.generation == generation + 1)
        return next((turn for turn in found if now <= turn.at + GRACE), None)

    def turned(self, generation: int, session: Session, now: datetime, *, most: int) -> "Family":
        """Return the family once this generation was used for a session."""
        recent = tuple(turn for turn in self.turns if now <= turn.at + GRACE)
        turns = (*recent, Turn(generation + 1, now, session.id))[-_MOST_TURNS:]
        sessions = (*self.sessions, session.public_id)[-most:]
        return replace(self, generation=generation + 1, turns=turns, sessions=sessions, used_at=now)

    def renamed(self, session: Session) -> "Family":
        """Return the family under a new id, with one session alone: no cookie that was handed out before opens it."""
        return replace(self, id=_new_id(), generation=0, turns=(), sessions=(session.public_id,), version=0)

    def has(self, session: str) -> bool:
        """Say whether it made the session with this public id, or was made by it."""
        return session in self.sessions


def mint(session: Session, *, epoch: int, lifetime: timedelta) -> Family:
    """Return the family of a device on which somebody just signed in; not stored yet."""
    return Family(
        handle=session.handle,
        id=_new_id(),
        public_id=secrets.token_hex(8),
        epoch=epoch,
        proofs=session.proofs,
        created_at=session.created_at,
        used_at=session.created_at,
        ends_at=max(proof.at for proof in session.proofs) + lifetime,
        device=session.device,
        client=session.client,
        sessions=(session.public_id,),
    )


def _new_id() -> str:
    return secrets.token_hex(16)


class Families:
    """The remembered devices of one tenant of one `Auth`."""

    def __init__(self, plan: Plan, tenant: Tenant) -> None:
        self._store = plan.store
        self._signer = plan.signer
        self._clock = plan.clock
        self._kind = f"{plan.name}:{tenant.id}:remember"
        self._tenant = tenant.id.encode()

    def secret(self, family: Family) -> str:
        """Return the cookie of the newest generation."""
        body = bytes([_FORMAT]) + bytes.fromhex(family.handle + family.id) + family.generation.to_bytes(4, "big")
        return encode(body + self._signer.sign("remember", body + self._tenant))

    def read(self, secret: str | None) -> Shown | None:
        """Return what a cookie says; a forged one never reaches the store."""
        data = decode(secret) if secret else None
        if data is None or len(data) != _COOKIE_BYTES or data[0] != _FORMAT:
            return None
        body, signature = data[:-32], data[-32:]
        if not self._signer.verify("remember", body + self._tenant, signature):
            return None
        return Shown(Handle(body[1:17].hex()), body[17:33].hex(), int.from_bytes(body[33:37], "big"))

    async def get(self, handle: Handle, id: str) -> Family | None:
        """Return a family, unless it is over."""
        entry = await self._store.get(Key(self._kind, handle, id))
        return self._alive(_decode(handle, id, entry)) if entry else None

    async def list(self, handle: Handle) -> tuple[Family, ...]:
        """Return the remembered devices of an account, the one that was used last first."""
        entries = await self._store.list(self._kind, handle)
        found = (self._alive(_decode(handle, id, entry)) for id, entry in entries)
        return tuple(sorted(filter(None, found), key=lambda family: family.used_at, reverse=True))

    async def put(self, family: Family) -> None:
        """Store a new family."""
        await self._store.put(self._key(family), _encode(family), expires_at=family.ends_at)

    async def replace(self, family: Family) -> bool:
        """Store what became of a family, if nobody changed or ended it since it was read; say whether."""
        value = _encode(family)
        return await self._store.replace(self._key(family), value, version=family.version, expires_at=family.ends_at)

    async def delete(self, family: Family) -> None:
        """Forget a family."""
        await self._store.delete(self._key(family))

    async def delete_all(self, handle: Handle) -> None:
        """Forget every family of an account."""
        await self._store.delete_all(self._kind, handle)

    def _alive(self, family: Family | None) -> Family | None:
        return family if family is not None and family.ends_at > self._clock.now() else None

    def _key(self, family: Family) -> Key:
        return Key(self._kind, family.handle, family.id)


def _encode(family: Family) -> bytes:
    return json.dumps(
        {
            "public_id": family.public_id,
            "epoch": family.epoch,
            "proofs": encode_proofs(family.proofs),
            "created_at": family.created_at.timestamp(),
            "used_at": family.used_at.timestamp(),
            "ends_at": family.ends_at.timestamp(),
            "device": family.device,
            "client": family.client,
            "generation": family.generation,
            "turns": [(turn.generation, turn.at.timestamp(), turn.session) for turn in family.turns],
            "sessions": family.sessions,
        },
        separators=(",", ":"),
    ).encode()


def _decode(handle: Handle, id: str, entry: Entry) -> Family | None:
    try:
        data = json.loads(entry.value)
        return Family(
            handle=handle,
            id=id,
            public_id=data["public_id"],
            epoch=data["epoch"],
            proofs=decode_proofs(handle, data["proofs"]),
            created_at=time_of(data["created_at"]),
            used_at=time_of(data["used_at"]),
            ends_at=time_of(data["ends_at"]),
            device=data["device"],
            client=data["client"],
            generation=data["generation"],
            turns=tuple(Turn(generation, time_of(at), session) for generation, at, session in data["turns"]),
            sessions=tuple(data["sessions"]),
            version=entry.version,
        )
    except (ValueError, TypeError, KeyError):  # a store that was written to by something else: refuse
        return None
