"""For tests of applications, extensions and adapters."""

from powauth.testing.clock import FrozenClock
from powauth.testing.outbox import Outbox
from powauth.testing.site import Answer, Site, sign_in_as

__all__ = ["Answer", "FrozenClock", "Outbox", "Site", "sign_in_as"]
