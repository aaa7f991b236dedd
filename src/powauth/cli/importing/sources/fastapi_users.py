"""fastapi-users with SQLAlchemy: `user` and `oauth_account`."""

from powauth.cli.importing.newcomer import Identity, Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Further, Options, Source

OTHER_NUMBERS = {"linkedin", "microsoft", "reddit"}
"""Of whose people httpx-oauth keeps something else than what they are signed in by here: a name, or another number."""


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:  # noqa: ARG001  the shape of every source
    """Return an account of fastapi-users'; its hashes are pwdlib's Argon2 or bcrypt."""
    return Newcomer(
        key=key,
        email=row.text("email"),
        username=row.text("username"),
        password_hash=row.text("hashed_password"),
        is_proved=row.flag("is_verified"),
        created_at=row.moment("created_at"),
        is_inactive=not row.flag("is_active", missing=True),
        identities=tuple(identity(known) for known in beside["identities"]),
        roles=("superuser",) if row.flag("is_superuser") else (),
        values=row,
    )


def identity(row: Row) -> Identity:
    """Return an identity; the tokens beside it are not taken over. Google's people are kept as the People API has them.

    `people/1` is the account 1; a contact, `people/c1`, is nobody who signs in.
    """
    provider, subject = row.text("oauth_name") or "", row.text("account_id") or ""
    if provider != "google":
        return Identity(provider, subject, is_subject=provider not in OTHER_NUMBERS)
    number = subject.removeprefix("people/")
    return Identity(provider, number if number.isdecimal() else subject, is_subject=number.isdecimal())


SOURCE = Source(
    name="fastapi-users",
    table="user",
    needs=("email", "hashed_password"),
    read=read,
    further={"identities": Further("oauth_account", owner="user_id")},
    ignored={
        "oauth_account": "access tokens of providers are not taken over",
        "accesstoken": "sessions (access tokens) are not taken over: people sign in again",
    },
)
