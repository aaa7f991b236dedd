"""That somebody began to act as an account, and that it ended."""

from dataclasses import dataclass
from typing import Annotated

from powauth.accounts import Account, Handle
from powauth.events import Event, Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonated(Event):
    """Somebody began to act as an account. `session` is the public id of the session in which they do."""

    account: Account
    actor: Account
    session: Annotated[str, Plain()]
    reason: Annotated[str, Plain()]
    """What they gave as the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpersonationEnded(Event):
    """Somebody stopped acting as an account. What only expired, or was refused, is not announced."""

    handle: Handle
    """The account's."""
    actor: Handle
    session: Annotated[str, Plain()]
