"""What lasts of an invitation. No account is made before it is accepted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from powauth.accounts import MAX_EMAIL, Handle
from powauth.events import Personal
from powauth.records import Index, Json, Key, Owner, Record, Text
from powauth.tokens import Subject


class InvitationRecord(Record, table="invitations"):
    """Who was invited, by whom, until when, and what became of it. It outlives who invited."""

    id: Annotated[Handle, Key(), Text(32)]
    inviter: Annotated[Handle, Owner("anonymise"), Index(), Text(32)] = Handle("")
    """Empty once that account is erased, and for one that was made at the command line."""
    email: Annotated[str | None, Text(MAX_EMAIL), Personal()] = None
    """The address that it is bound to; none for one by link alone."""
    metadata: Annotated[Mapping[str, object], Json()]
    """What the application's own form asked for: a role, an organisation."""
    created_at: datetime
    expires_at: Annotated[datetime, Index()]
    revoked_at: datetime | None = None
    accepted_at: datetime | None = None
    accepted_by: Annotated[Handle | None, Owner("delete"), Index(), Text(32)] = None
    waits_for: Annotated[Handle | None, Owner("keep"), Index(), Text(32)] = None
    """The new account that accepts it with the proof of its address: its link is used up."""

    @property
    def subject(self) -> Subject:
        """What its links and its mails are about."""
        return Subject(self.id)

    @property
    def is_over(self) -> bool:
        """Whether it was accepted or revoked."""
        return self.accepted_at is not None or self.revoked_at is not None

    def is_open(self, now: datetime) -> bool:
        """Say whether its link can be used."""
        return not self.is_over and self.waits_for is None and now < self.expires_at

    def state(self, now: datetime) -> str:
        """Return `open`, `waiting`, `expired`, `accepted` or `revoked`."""
        if self.is_over:
            return "accepted" if self.accepted_at else "revoked"
        if self.waits_for is not None:
            return "waiting"
        return "open" if self.is_open(now) else "expired"
