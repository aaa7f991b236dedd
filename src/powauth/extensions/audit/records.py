"""What is written down: a row for each event, which nobody changes."""

import itertools
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from powauth.accounts import Handle
from powauth.records import Index, Json, Key, Owner, Record, Text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_count = itertools.count()


class AuditRecord(Record, table="audit", append_only=True):
    """One event. Rows of an erased account stay: they hold its handle, which then is nobody's, and no address."""

    id: Annotated[str, Key(), Text(32)]
    """In the order of time: rows are listed by it, and end by it."""
    at: datetime
    event: Annotated[str, Text(100), Index(then=("id",))]
    """`signed_in`; of an extension `remember_me.device_stolen`."""
    account: Annotated[Handle, Owner(on_erase="keep"), Index(then=("id",)), Text(32)]
    """Whose account it is about; empty where it is nobody's."""
    actor: Annotated[Handle, Owner(on_erase="keep"), Index(then=("id",)), Text(32)]
    """Who did it: the account that was signed in, or the administrator who acted as it; empty for strangers."""
    behalf: Annotated[Handle, Text(32)]
    """The account that the actor acted as, where that is another."""
    operator: Annotated[str, Text(64)]
    """Who did it at the command line, as the system calls them."""
    session: Annotated[str, Text(64)]
    """The public id of the session that it is about, or in which it was done."""
    client: Annotated[str, Index(then=("id",)), Text(64)]
    """The network address, as far as it is written."""
    device: Annotated[str, Text(80)]
    details: Annotated[Mapping[str, object], Json()]
    """What else the event says, of what is no secret."""


def row_id(at: datetime) -> str:
    """Return a key that follows every key of an earlier time, and of this process at the same time."""
    return f"{first_id(at)}{next(_count) & 0xFFFF:04x}{secrets.token_hex(7)}"


def first_id(at: datetime) -> str:
    """Return what is less than the key of every row of this time or later, and greater than all earlier ones."""
    return f"{max(0, (at - _EPOCH) // timedelta(microseconds=1)):014x}"
