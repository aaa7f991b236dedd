"""What a row of the table says, and the numbers it is made of."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Run:
    """How much time to take, and where to put files."""

    folder: Path
    rounds: int = 5
    seconds: int = 2
    many: int = 1_000_000
    """How many sessions the full SQLite store holds."""
    many_on_servers: int = 100_000
    """How many sessions the full stores on Redis and PostgreSQL hold."""
    budget: float = 60
    """Seconds that filling one store may take; then it is as full as it is."""


class Verdict(StrEnum):
    """Whether a promise holds."""

    YES = "yes"
    NO = "**no**"
    UNCLEAR = "unclear"
    """Time by the clock and processor time disagree: the machine was not quiet."""
    UNASKED = ""
    """Nothing is promised."""


def verdict(*holds: bool) -> Verdict:
    """Return what several ways of measuring say together."""
    if len(set(holds)) > 1:
        return Verdict.UNCLEAR
    return Verdict.YES if holds[0] else Verdict.NO


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row of the table."""

    what: str
    bound: str
    measured: str
    numbers: str
    """What was measured on either side."""
    holds: Verdict
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """What the page about capacity reckons with, by names of its own."""


Row = Callable[[Run], Sequence[Result]]


@dataclass(frozen=True)
class Spread:
    """A number that was measured several times."""

    values: Sequence[float]

    @property
    def middle(self) -> float:
        return median(self.values)

    def text(self, form: str = ".2f") -> str:
        return f"**{self.middle:{form}}** ({min(self.values):{form}} to {max(self.values):{form}})"


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
