"""What lasts of a change of address that waits for its mailbox."""

from datetime import datetime
from typing import Annotated

from powauth.accounts import MAX_EMAIL, Handle
from powauth.records import Index, Key, Owner, Record, Text


class PendingEmail(Record, table="pending_emails"):
    """The address that an account's owner wants, until its mailbox is proved."""

    owner: Annotated[Handle, Key(), Owner(), Text(32)]
    email: Annotated[str, Text(MAX_EMAIL)]
    created_at: datetime


class UnprovedRecord(Record, table="unproved_accounts"):
    """A new account that nobody can use before its address is proved, and when it is erased."""

    owner: Annotated[Handle, Key(), Owner(), Text(32)]
    erase_at: Annotated[datetime, Index()]
