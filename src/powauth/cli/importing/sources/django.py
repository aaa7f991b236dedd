"""Django: `auth_user` or a user model of the application's own, groups, and allauth's addresses and identities."""

from collections.abc import Iterator, Sequence

from powauth.accounts import email_key
from powauth.cli.importing.newcomer import Address, Identity, Newcomer, Remark
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Further, Join, Options, Source

UNUSABLE = "!"  # what Django begins the hash of an account without password with

OTHER_NUMBERS = {
    "bitbucket_oauth2",
    "instagram",
    "linkedin",
    "linkedin_oauth2",
    "microsoft",
    "reddit",
    "slack",
    "spotify",
}
"""Of whose people allauth keeps something else than what they are signed in by here: a name, or another number.

Whoever chose a name at Reddit would else be somebody whose number it is.
"""


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:  # noqa: ARG001  the shape of every source
    """Return an account of Django's; only allauth knows whether an address was proved."""
    addresses = [Address(known.text("email") or "", known.flag("verified")) for known in beside["addresses"]]
    email = main_address(row, beside["addresses"])
    hash = row.text("password")
    return Newcomer(
        key=key,
        email=email,
        username=row.text("username"),
        password_hash=None if hash is None or hash.startswith(UNUSABLE) else hash,
        is_proved=any(known.is_proved and is_same(known.email, email) for known in addresses),
        created_at=row.moment("date_joined"),
        is_inactive=not row.flag("is_active", missing=True),
        addresses=tuple(known for known in addresses if not is_same(known.email, email)),
        identities=tuple(identity(known) for known in beside["identities"]),
        roles=tuple(roles(row, beside["groups"])),
        values=row,
        remarks=(Remark("second_factor", "second factors (allauth.mfa) are not taken over: their owner enrols again"),)
        if beside["factors"]
        else (),
    )


def main_address(row: Row, addresses: Sequence[Row]) -> str | None:
    """Return the primary address if it was proved; otherwise the one that the account itself has."""
    primary = next(
        (known.text("email") for known in addresses if known.flag("primary") and known.flag("verified")), None
    )
    return primary or row.text("email")


def is_same(one: str | None, other: str | None) -> bool:
    """Whether two spellings are one address."""
    return one is not None and other is not None and email_key(one) == email_key(other)


def identity(row: Row) -> Identity:
    """Return an identity as allauth keeps it."""
    provider = row.text("provider") or ""
    return Identity(provider, row.text("uid") or "", is_subject=provider not in OTHER_NUMBERS)


def roles(row: Row, groups: Sequence[Row]) -> Iterator[str]:
    """Yield the names of groups, and what the flags of an account make of it."""
    yield from (known.text("name") or "" for known in groups)
    yield from (flag.removeprefix("is_") for flag in ("is_staff", "is_superuser") if row.flag(flag))


SOURCE = Source(
    name="django",
    table="auth_user",
    needs=("password",),
    read=read,
    further={
        "addresses": Further("account_emailaddress", owner="user_id"),
        "identities": Further("socialaccount_socialaccount", owner="user_id"),
        "groups": Further("{table}_groups", owner="user_id", join=Join("auth_group", to="group_id")),
        "factors": Further("mfa_authenticator", owner="user_id"),
    },
    ignored={
        "socialaccount_socialtoken": "access tokens of providers are not taken over",
        "auth_user_user_permissions": "permissions of single accounts are not taken over",
        "django_session": "sessions are not taken over: people sign in again",
    },
)
