"""What an application may set about resetting passwords."""

from datetime import timedelta

from powauth.extension import Extension
from powauth.extensions.sign_in import SignIn
from powauth.session import MAILBOX
from powauth.tokens import TokenKind

LONGEST = timedelta(hours=24)  # SP 800-63B §4.2.1.2: a recovery code that is mailed


class ResetSettings(Extension):
    """Settings of `ResetPassword`."""

    lifetime: timedelta = timedelta(hours=2)
    """How long a mailed link works, 24 hours at most."""
    confirms: bool = True
    """Whether who reset a password by mail has confirmed the address by that."""

    name = "reset_password"
    requires = (SignIn,)

    @property
    def token(self) -> TokenKind:
        """What a mailed link holds."""
        return TokenKind("reset_password", self.lifetime, proves=MAILBOX)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        if timedelta(0) < self.lifetime <= LONGEST:
            return ()
        return ("lifetime has to be longer than nothing and at most 24 hours",)
