"""What an application may set about confirming addresses."""

from datetime import timedelta

from powauth.extension import Extension
from powauth.extensions.sign_in import SignIn
from powauth.session import MAILBOX
from powauth.tokens import TokenKind


class ConfirmationSettings(Extension):
    """Settings of `EmailConfirmation`."""

    lifetime: timedelta = timedelta(hours=24)
    """How long a mailed link works, 24 hours at most."""
    grace: timedelta = timedelta(0)
    """How long a new account may be used before its address is confirmed. Then sign-up tells who has an account."""
    erase_after: timedelta = timedelta(days=30)
    """When a new account whose address nobody confirmed is erased; nothing means never. Not in a time of grace."""
    undo_for: timedelta = timedelta(days=7)
    """How long the former mailbox can take a change of address back."""

    name = "email_confirmation"
    requires = (SignIn,)

    @property
    def token(self) -> TokenKind:
        """What a mailed link holds: the address that it proves."""
        return TokenKind("confirm_email", self.lifetime, proves=MAILBOX)

    @property
    def undo_token(self) -> TokenKind:
        """What the former mailbox gets: it outlives whatever else somebody changes, and reverts that one change."""
        return TokenKind("undo_email", self.undo_for, survives=("password", "email", "lock", "factor", "close"))

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        found: list[str] = []
        if not timedelta(0) < self.lifetime <= timedelta(hours=24):
            found.append("lifetime has to be longer than nothing and at most 24 hours")
        if self.grace < timedelta(0):
            found.append("grace cannot be negative")
        if self.erase_after < timedelta(0) or timedelta(0) < self.erase_after <= self.lifetime:
            found.append("erase_after has to be longer than a link lives, or nothing")
        if self.undo_for <= timedelta(0):
            found.append("undo_for has to be longer than nothing: it is the owner's way back")
        return tuple(found)
