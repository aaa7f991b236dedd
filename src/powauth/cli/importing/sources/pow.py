"""Pow, for Phoenix: `users` with the columns of its extensions, and PowAssent's `user_identities`."""

from powauth.cli.importing.newcomer import Identity, LeftOut, Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Further, Options, Source
from powauth.cli.importing.sources.devise import pending
from powauth.cli.importing.sources.shared import refuse_deleted

OTHER_NUMBERS = {"instagram", "spotify"}
"""Of whose people PowAssent keeps another number than the one by which they are signed in here."""


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:  # noqa: ARG001  the shape of every source
    """Return an account of Pow's; its hashes are PBKDF2 with SHA-512."""
    refuse_deleted(row)
    if row.text("invitation_token") and not row.text("invitation_accepted_at"):
        raise LeftOut("invitation", "it is an open invitation: invite its owner anew")
    proved_at = row.moment("email_confirmed_at")
    return Newcomer(
        key=key,
        email=row.text("email"),
        username=row.text("username"),
        password_hash=row.text("password_hash"),
        is_proved=proved_at is not None,
        proved_at=proved_at,
        created_at=row.moment("inserted_at"),
        locked_at=row.moment("locked_at"),
        addresses=pending(row),
        identities=tuple(identity(known) for known in beside["identities"]),
        roles=tuple(filter(None, [row.text("role")])),
        values=row,
    )


def identity(row: Row) -> Identity:
    """Return an identity as PowAssent keeps it."""
    provider = row.text("provider") or ""
    return Identity(provider, row.text("uid") or "", is_subject=provider not in OTHER_NUMBERS)


SOURCE = Source(
    name="pow",
    table="users",
    needs=("password_hash",),
    read=read,
    further={"identities": Further("user_identities", owner="user_id")},
)
