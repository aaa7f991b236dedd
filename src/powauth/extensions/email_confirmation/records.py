"""What lasts of a change of address that waits for its mailbox."""

from datetime import datetime
from typing import Annotated

from powauth.accounts import MAX_EMAIL, Handle
from powauth.records import Key, Owner, Record, Text


class PendingEmail(Record, table="pending_emails"):
    """The address that an account's owner wants, until its mailbox is proved."""

    owner: Annotated[Handle, Key(), Owner(), Text(32)]
    email: Annotated[str, Text(MAX_EMAIL)]
    created_at: datetime
