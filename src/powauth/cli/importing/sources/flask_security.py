"""Flask-Security: `user`, `role` and `roles_users` of its models for SQLAlchemy."""

from powauth.cli.importing.newcomer import Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Further, Join, Options, Source
from powauth.cli.importing.sources.shared import lost
from powauth.passwords.flask_security import DOUBLE, SINGLE

SECRETS = {
    "tf_totp_secret": "the second factor is not taken over: its owner enrols again",
    "us_totp_secrets": "secrets of unified sign-in are not taken over",
    "mf_recovery_codes": "recovery codes of the second factor are not taken over",
}
DJANGO = ("pbkdf2_", "argon2$", "bcrypt$", "bcrypt_sha256$")
"""Hashes that it took from Django are of the password itself (the default of SECURITY_PASSWORD_SINGLE_HASH)."""


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:
    """Return an account of Flask-Security's; its hashes are of an HMAC of the password."""
    hash = row.text("password")
    proved_at = row.moment("confirmed_at")
    return Newcomer(
        key=key,
        email=row.text("email"),
        username=row.text("username"),
        password_hash=hash and marked(hash, is_single=options.is_single_hash),
        is_proved=proved_at is not None,
        proved_at=proved_at,
        created_at=row.moment("create_datetime"),
        is_inactive=not row.flag("active", missing=True),
        roles=tuple(known.text("name") or "" for known in beside["roles"]),
        values=row,
        remarks=tuple(lost(row, SECRETS)),
    )


def marked(hash: str, *, is_single: bool) -> str:
    """Return a hash with the mark by which `FlaskSecurityHashes` knows it: alone it would look like one of ours."""
    return f"{SINGLE if is_single or hash.startswith(DJANGO) else DOUBLE}{hash}"


SOURCE = Source(
    name="flask-security",
    table="user",
    needs=("email", "password", "fs_uniquifier"),
    read=read,
    further={"roles": Further("roles_users", owner="user_id", join=Join("role", to="role_id"))},
    ignored={
        "web_authn": "passkeys are not taken over: their owners enrol again",
        "refresh_tracker": "refresh tokens are not taken over: people sign in again",
    },
)
