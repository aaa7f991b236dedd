"""Clock: the only place that reads the time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """Return the time in UTC, aware; never earlier than the last answer."""
        ...


class SystemClock:
    """The machine's clock, which within one process never runs backwards (an expired session stays expired)."""

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time in UTC, aware; never earlier than the last answer."""
        now = datetime.now(UTC)
        self._latest = max(self._latest, now)
        return self._latest


def steady() -> float:
    """Return seconds that no change of the clock moves, and that go on while the machine sleeps or a process stands."""
    return time.clock_gettime(_STEADY) if _STEADY is not None else time.monotonic()


_STEADY: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux; monotonic stands still there while it sleeps
