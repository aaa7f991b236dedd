"""FrozenClock: a clock that stands until a test moves it."""

from datetime import datetime, timedelta

from powauth.clock import SystemClock


class FrozenClock:
    """A clock that starts at the time it is made, and stands until a test moves it."""

    def __init__(self) -> None:
        self._now = SystemClock().now()

    def now(self) -> datetime:
        """Return the time that it shows."""
        return self._now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by
