"""Devise, for Rails: `users` as `rails generate devise` makes it."""

from powauth.cli.importing.newcomer import Address, Identity, LeftOut, Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Options, Source
from powauth.cli.importing.sources.shared import lost, refuse_deleted

SECRETS = {
    "otp_secret": "the second factor (devise-two-factor) is not taken over: its owner enrols again",
    "encrypted_otp_secret": "the second factor (devise-two-factor) is not taken over: its owner enrols again",
}

MICROSOFT = ("azure", "entra", "microsoft", "office365", "windowslive")
"""OmniAuth's strategies for Microsoft keep `oid`, alone or beside the tenant, and not `sub`."""
OTHER_NUMBERS = {"bitbucket", "instagram", "linkedin", "reddit", "slack", "spotify"}
"""Other strategies that keep a name, or another number than the one by which people are signed in here."""


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:  # noqa: ARG001  the shape of every source
    """Return an account of Devise's; its hashes are bcrypt, perhaps with a pepper."""
    refuse_deleted(row)
    if row.text("invitation_token") and not row.text("invitation_accepted_at"):
        raise LeftOut("invitation", "it is an open invitation (devise_invitable): invite its owner anew")
    proved_at = row.moment("confirmed_at")
    return Newcomer(
        key=key,
        email=row.text("email"),
        username=row.text("username"),
        password_hash=row.text("encrypted_password"),
        is_proved=proved_at is not None,
        proved_at=proved_at,
        created_at=row.moment("created_at"),
        locked_at=row.moment("locked_at"),
        addresses=pending(row),
        identities=omniauth(row),
        values=row,
        remarks=tuple(lost(row, SECRETS)),
    )


def pending(row: Row) -> tuple[Address, ...]:
    """Return the address that waits to be proved, under Devise's and Pow's name for it."""
    waiting = row.text("unconfirmed_email")
    return (Address(waiting, is_proved=False),) if waiting else ()


def omniauth(row: Row) -> tuple[Identity, ...]:
    """Return the identity that stands in the account's own row, as Devise's guide to OmniAuth has it."""
    provider, subject = row.text("provider"), row.text("uid")
    if not provider or not subject or provider == "email":  # devise_token_auth: no identity
        return ()
    is_other = provider in OTHER_NUMBERS or provider.startswith(MICROSOFT)
    return (Identity(provider, subject, is_subject=not is_other),)


SOURCE = Source(name="devise", table="users", needs=("email", "encrypted_password"), read=read)

__all__ = ["SOURCE", "pending"]
