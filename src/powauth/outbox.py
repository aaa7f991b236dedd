"""Outbox: every mail is a row in the transaction that causes it. The sender mints its link only as it sends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from powauth.records import Index, Key, Owner, Record, Text, new_id

LEASE = timedelta(minutes=2)
"""How long a worker may take for one mail before another one tries."""
GIVE_UP_AFTER = timedelta(days=2)
"""How long a mail is tried."""


class OutboxRecord(Record, table="outbox"):
    """A mail that is owed. It holds what it is made of, and no usable link."""

    id: Annotated[str, Key(), Text(32)]
    kind: Annotated[str, Text(120)]
    owner: Annotated[str, Owner(on_erase="keep"), Index(), Text(32)]
    """The handle of the account, or of what else it is about; empty if there is none."""
    to: Annotated[str, Text(254)]
    """The address; empty for the account's own at the time of sending."""
    epoch: int
    language: Annotated[str, Text(16)]
    parts: Annotated[str, Text(4000)]
    created_at: datetime
    due_at: Annotated[datetime, Index()]
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an operation says of a mail."""

    kind: str
    owner: str = ""
    to: str = ""
    epoch: int = 0
    language: str = "en"
    parts: Mapping[str, str]

    def record(self, now: datetime) -> OutboxRecord:
        """Return the row, due at once."""
        return OutboxRecord(
            id=new_id(),
            kind=self.kind,
            owner=self.owner,
            to=self.to,
            epoch=self.epoch,
            language=self.language,
            parts=json.dumps(dict(self.parts)),
            created_at=now,
            due_at=now,
        )


def next_try(attempts: int) -> timedelta:
    """Return how long to wait after that many failures: 30 s, doubled each time, two hours at most."""
    doublings = max(0, min(attempts - 1, 16))
    return min(timedelta(seconds=30 << doublings), timedelta(hours=2))
