"""What is announced where an account is managed."""

from dataclasses import dataclass, field

from powauth.accounts import Account
from powauth.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountShown(Event):
    """The account page is about to be shown: a hook adds to its data what else its owner should see."""

    is_fact = False

    account: Account
    data: dict[str, object] = field(default_factory=dict[str, object])
