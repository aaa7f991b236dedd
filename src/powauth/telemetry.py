"""Telemetry: the port through which what Powauth does is measured. Where none is set, nothing is."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol

Fact = str | int | bool
Facts = Mapping[str, Fact]
"""What is said of something: names and codes of ours, numbers; never what a person typed or a client sent."""

Watched = Literal["powauth.request", "powauth.operation", "powauth.store", "powauth.hashing"]
"""What is watched from its beginning to its end. The names do not change."""
Counted = Literal["powauth.sign_ins", "powauth.events", "powauth.store.cache"]
"""What is counted. The names do not change."""
Gauged = Literal["powauth.hashing.waiting"]
"""What is asked for when somebody looks. The names do not change."""


class Watch(Protocol):
    """Something that goes on and is measured."""

    def note(self, name: str, fact: Fact) -> None:
        """Say something more of it, that was not known at its beginning."""
        ...


class Telemetry(Protocol):
    """What measures: spans and durations, counts, and values that are asked for. None of its verbs may raise."""

    def watch(self, what: Watched, facts: Facts) -> AbstractContextManager[Watch]:
        """Measure what happens inside the block; what is raised in there goes on, and is told by its class alone."""
        ...

    def count(self, what: Counted, facts: Facts) -> None:
        """Add one."""
        ...

    def gauge(self, what: Gauged, read: Callable[[], int], facts: Facts) -> None:
        """Ask for a value whenever somebody looks."""
        ...
