"""What an application may set about closed accounts."""

from datetime import timedelta

from powauth.extension import Extension
from powauth.extensions.sign_in import SignIn
from powauth.tokens import TokenKind


class ReopenSettings(Extension):
    """Settings of `Reopen`."""

    within: timedelta = timedelta(days=14)
    """How long a closed account is kept; nothing means that it is erased at once."""

    name = "reopen"
    requires = (SignIn,)

    @property
    def token(self) -> TokenKind:
        """What a mailed link holds: it is minted for an account that is closed."""
        return TokenKind("reopen", self.within or timedelta(days=1), survives=("close",))

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        return ("within cannot be negative",) if self.within < timedelta(0) else ()
