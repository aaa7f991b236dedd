"""What an application may set about locks."""

from datetime import timedelta

from powauth.extension import Extension
from powauth.extensions.sign_in import SignIn
from powauth.limits import Backoff
from powauth.session import MAILBOX
from powauth.tokens import TokenKind

MOST = 100  # SP 800-63B §3.2.2: consecutive failures with one authenticator
DAY = timedelta(days=1)
LONGEST = timedelta(hours=24)  # SP 800-63B §4.2.1.2


class LockSettings(Extension):
    """Settings of `Lock`."""

    most_failures: int = 50
    """Failures with one password after which only browsers that the account knows may sign in; at most 100."""
    lifetime: timedelta = timedelta(hours=2)
    """How long a mailed link works, 24 hours at most."""

    name = "lock"
    requires = (SignIn,)

    @property
    def token(self) -> TokenKind:
        """What a mailed link holds: it is minted for an account that is locked."""
        return TokenKind("unlock", self.lifetime, proves=MAILBOX, survives=("lock",))

    @property
    def failures(self) -> Backoff:
        """How failures are counted: one is forgotten each day, all of them with a success."""
        return Backoff(free=max(1, self.most_failures - 1), first=DAY, longest=DAY, forget_after=DAY)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        found: list[str] = []
        if not 2 <= self.most_failures <= MOST:
            found.append("most_failures has to be from 2 to 100")
        if not timedelta(0) < self.lifetime <= LONGEST:
            found.append("lifetime has to be longer than nothing and at most 24 hours")
        return tuple(found)
