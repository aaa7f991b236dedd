"""What lasts: who accepted which edition, and when."""

from datetime import datetime
from typing import Annotated

from examples.terms_of_service.settings import LONGEST_EDITION
from powauth import Handle, Key, Owner, Record, Text


class Acceptance(Record, table="acceptances"):
    """Somebody accepted an edition: once, however often they are asked."""

    account: Annotated[Handle, Key(), Owner(), Text(32)]
    edition: Annotated[str, Key(), Text(LONGEST_EDITION)]
    at: datetime
    client: Annotated[str, Text(45)] = ""
    """The network address that it came from; 45 characters are the longest IPv6 address."""
    received_at: datetime | None = None
    """When the link in the receipt was used: the mail arrived, and somebody read it."""
