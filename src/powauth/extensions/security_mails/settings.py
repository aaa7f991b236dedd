"""What an application may set about mails on what happened."""

from datetime import timedelta

from powauth.extension import Extension
from powauth.extensions.lock import Lock
from powauth.tokens import TokenKind


class SecuritySettings(Extension):
    """Settings of `SecurityMails`."""

    lifetime: timedelta = timedelta(days=7)
    """How long the link works with which an owner locks the account down."""

    name = "security_mails"
    requires = (Lock,)

    @property
    def token(self) -> TokenKind:
        """What a mailed link holds: it outlives whatever else somebody changes, and can only lock or revert."""
        return TokenKind("lock_down", self.lifetime, survives=("password", "email", "factor"))

    @property
    def put_back_token(self) -> TokenKind:
        """What the former mailbox gets when an address changed: nothing that somebody does since can take it away."""
        return TokenKind("put_back", self.lifetime, survives=("password", "email", "lock", "factor", "close"))

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        return () if self.lifetime > timedelta(0) else ("lifetime has to be longer than nothing",)
