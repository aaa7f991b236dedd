"""Who has which role, since when, and by whom."""

from datetime import datetime
from typing import Annotated

from powauth.accounts import Handle
from powauth.records import Index, Key, Owner, Record, Text


class RoleRecord(Record, table="roles"):
    """One role of one account. It goes with the account; who granted it is forgotten with theirs."""

    account: Annotated[Handle, Key(), Owner(), Text(32)]
    role: Annotated[str, Key(), Index(), Text(63)]
    granted_at: datetime
    granted_by: Annotated[Handle | None, Owner(on_erase="anonymise"), Text(32)] = None
