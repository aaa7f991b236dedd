"""Ticket: what a cookie or token says once its signature held. A forged one never reaches the store."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from powauth.accounts import Handle
from powauth.session import Session, Transport
from powauth.signing import Signer, decode, encode
from powauth.stores import EPOCH, Key

_FORMAT = 1
_COOKIE_BYTES = 1 + 16 + 16 + 4 + 32
_KEPT = 10_000
"""How many cookies are kept read. What one says never changes; whether it still counts, the store is asked anew."""


class Found(NamedTuple):
    """What a cookie or token led to."""

    session: Session | None = None
    stolen: Session | None = None
    """The session that this one ended, because two held its cookie."""
    next_generation: int | None = None
    """The generation to hand out with the answer."""
    at: datetime | None = None
    """When it was asked for, where a generation may be handed out."""


@dataclass(slots=True, kw_only=True)
class Ticket:
    """What a cookie says, once its signature held; and what it led to, which is so until the record changes."""

    key: Key = field(repr=False)
    """Where the session stands in the store."""
    generation: int
    found: Found = Found()  # noqa: RUF009  a tuple
    transport: Transport = "cookie"
    version: int = 0
    """The version of the record that led to it."""
    until: datetime = EPOCH
    """From then on there is something to write or to hand out, or it is over."""

    @property
    def handle(self) -> Handle:
        """Whose session it is."""
        return Handle(self.key.owner)


class Tickets:
    """The cookies and tokens of one tenant's sessions."""

    def __init__(self, signer: Signer, *, kind: str, tenant: str) -> None:
        self._signer = signer
        self._kind = kind
        self._tenant = tenant.encode()
        self._kept: dict[str, Ticket] = {}

    def secret(self, session: Session, generation: int) -> str:
        """Return the cookie or token of a session: the only thing that opens it."""
        body = bytes([_FORMAT]) + bytes.fromhex(session.handle + session.id) + generation.to_bytes(4, "big")
        return encode(body + self._signer.sign("session", body + self._tenant))

    def read(self, secret: str) -> Ticket | None:
        """Return what a cookie or token says; `None` for a forged one."""
        ticket = self._kept.get(secret)
        if ticket is None:
            ticket = self._read(secret)
            if ticket is not None:
                self._keep(secret, ticket)
        return ticket

    def _read(self, secret: str) -> Ticket | None:
        data = decode(secret)
        if data is None or len(data) != _COOKIE_BYTES or data[0] != _FORMAT:
            return None
        body, signature = data[:-32], data[-32:]
        if not self._signer.verify("session", body + self._tenant, signature):
            return None
        key = Key(self._kind, body[1:17].hex(), body[17:33].hex())
        return Ticket(key=key, generation=int.from_bytes(body[33:37], "big"))

    def _keep(self, secret: str, ticket: Ticket) -> None:
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[secret] = ticket
