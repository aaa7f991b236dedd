"""What happens to roles. `by` is the handle of whoever did it; `None` for the command line and the application."""

from dataclasses import dataclass
from typing import Annotated

from powauth.accounts import Account, Handle
from powauth.events import Event, Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(Event):
    """An account has one role more."""

    account: Account
    role: Annotated[str, Plain()]
    by: Handle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(Event):
    """An account has one role less."""

    account: Account
    role: Annotated[str, Plain()]
    by: Handle | None = None
