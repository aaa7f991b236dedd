"""Coherence, for Phoenix: `users` as `mix coh.install` makes it, and older versions with `encrypted_password`."""

from powauth.cli.importing.newcomer import Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Options, Source
from powauth.cli.importing.sources.shared import refuse_deleted


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:  # noqa: ARG001  the shape of every source
    """Return an account of Coherence's; its hashes are comeonin's bcrypt."""
    refuse_deleted(row)
    proved_at = row.moment("confirmed_at")
    return Newcomer(
        key=key,
        email=row.text("email"),
        username=row.text("username"),
        password_hash=row.text("password_hash") or row.text("encrypted_password"),
        is_proved=proved_at is not None,
        proved_at=proved_at,
        created_at=row.moment("inserted_at"),
        locked_at=row.moment("locked_at"),
        is_inactive=not row.flag("active", missing=True),
        values=row,
    )


SOURCE = Source(
    name="coherence",
    table="users",
    needs=("email",),
    read=read,
    ignored={
        "rememberables": "remembered devices are not taken over: their owners sign in again",
        "invitations": "open invitations are not accounts: invite anew whoever has not accepted",
        "trackables": "the history of sign-ins is not taken over",
    },
)
