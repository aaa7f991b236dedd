"""fastapi-users with SQLAlchemy: `user` and `oauth_account`."""

from powauth.cli.importing.newcomer import Identity, Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Further, Options, Source


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
    """Return an identity; the tokens beside it are not taken over."""
    return Identity(row.text("oauth_name") or "", row.text("account_id") or "")


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
