"""What an application may set about acting as somebody."""

from datetime import timedelta

from powauth.extension import Extension
from powauth.extensions.prove import Prove
from powauth.extensions.roles import Roles
from powauth.extensions.sign_in import SignIn


class ImpersonationSettings(Extension):
    """Settings of `Impersonation`."""

    lifetime: timedelta = timedelta(hours=1)
    """How long somebody acts as an account at most; never longer than their own session."""
    by: tuple[str, ...] = ("admin",)
    """The roles of those who may: one of them is enough, and only over accounts of strictly lower standing."""
    fresh: timedelta = timedelta(minutes=5)
    """How old the proof may be with which it begins."""
    tells_owner: bool = False
    """Whether the owner is told by mail each time."""

    name = "impersonation"
    requires = (SignIn, Prove, Roles)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        found: list[str] = []
        if self.lifetime <= timedelta(0) or self.fresh <= timedelta(0):
            found.append("lifetime and fresh have to be longer than nothing")
        if not self.by:
            found.append("by names no role: nobody could act as anybody")
        return tuple(found)
