"""What happens to the providers of an account."""

from dataclasses import dataclass, field
from typing import Annotated

from powauth.accounts import Account
from powauth.events import Event, Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Event):
    """A provider's identity became a way in to an account, its first one included."""

    account: Account
    provider: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(Event):
    """A provider's identities are no way in to an account any more."""

    account: Account
    provider: Annotated[str, Plain()]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysCounted(Event):
    """A provider is about to be disconnected: a hook adds the names of other ways in that remain."""

    is_fact = False

    account: Account
    ways: set[str] = field(default_factory=set[str])
