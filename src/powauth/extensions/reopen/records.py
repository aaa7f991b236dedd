"""What lasts of a closed account."""

from datetime import datetime
from typing import Annotated

from powauth.accounts import Handle
from powauth.records import Index, Key, Owner, Record, Text


class ClosureRecord(Record, table="closures"):
    """A closed account, and when it is erased."""

    owner: Annotated[Handle, Key(), Owner(), Text(32)]
    erase_at: Annotated[datetime, Index()]
