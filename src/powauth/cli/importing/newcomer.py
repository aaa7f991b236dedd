"""Newcomer: an account of another system, as every source hands it over; and what cannot be taken over of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Severity = Literal["left_out", "lost", "note"]
"""Left out: there will be no account. Lost: something of it is not taken over. A note: what else is to be known."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person has to know of an account: a stable code, and a sentence without secrets."""

    code: str
    says: str
    severity: Severity = "lost"
    key: str = ""
    """Which account of the other system; empty for what holds for all of them, which is said once."""


class LeftOut(Exception):
    """An account that is not taken over."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code
        self.says = says


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity at a provider, by which somebody signed in."""

    provider: str
    subject: str
    issuer: str | None = None
    is_subject: bool = True
    """Whether it is what the provider calls somebody in the protocol; some systems keep another of its numbers."""


@dataclass(frozen=True, slots=True)
class Address:
    """A second address of an account, or one that waits to be proved."""

    email: str
    is_proved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """An account of another system. Nothing in it has been checked."""

    key: str
    """What the other system calls the account: its primary key."""
    email: str | None = None
    username: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    """As the family of hashes that verifies it expects it; none if the account never had a password."""
    is_proved: bool = False
    """Whether the other system had the address proved."""
    proved_at: datetime | None = None
    """When, if it knows."""
    created_at: datetime | None = None
    locked_at: datetime | None = None
    """Since when a lock stands; whoever was locked stays so until an administrator unlocks them."""
    is_inactive: bool = False
    """Whether it may not be used, since nobody knows when."""
    addresses: tuple[Address, ...] = ()
    identities: tuple[Identity, ...] = ()
    roles: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """All columns as the source has them, for `--map`."""
    remarks: tuple[Remark, ...] = ()
