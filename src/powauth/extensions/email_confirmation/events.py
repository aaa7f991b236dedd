"""What is announced where addresses are confirmed."""

from dataclasses import dataclass

from powauth.accounts import Handle
from powauth.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed(Event):
    """Somebody showed the right proof, and was refused because the account's address is not confirmed."""

    handle: Handle
