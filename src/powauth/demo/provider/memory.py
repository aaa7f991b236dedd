"""Memory: what the demo's own provider remembers while it runs: who is signed in there, codes, and tokens."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from powauth import Clock
from powauth.demo.provider.people import Person
from powauth.demo.provider.requests import Asked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SignedInThere:
    """Who is signed in at the provider with a browser, and since when."""

    person: Person
    since: datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """What somebody granted the demo."""

    who: SignedInThere
    asked: Asked


@dataclass(frozen=True)  # no slots: a generic class notes down in its values what it is of
class Drawer(Generic[T]):
    """Values under secrets that nobody can guess, each for a while."""

    clock: Clock
    lifetime: timedelta
    kept: dict[str, tuple[T, datetime]] = field(default_factory=dict[str, tuple[T, datetime]], repr=False)

    def put(self, value: T) -> str:
        """Keep a value, and return the secret under which it is."""
        now = self.clock.now()
        for gone in [secret for secret, (_, ends) in self.kept.items() if ends <= now]:
            del self.kept[gone]
        secret = secrets.token_urlsafe(32)
        self.kept[secret] = (value, now + self.lifetime)
        return secret

    def get(self, secret: str) -> T | None:
        """Return what is under a secret."""
        value, ends = self.kept.get(secret, (None, self.clock.now()))
        return value if ends > self.clock.now() else None

    def take(self, secret: str) -> T | None:
        """Return what is under a secret, once."""
        value = self.get(secret)
        self.kept.pop(secret, None)
        return value


class Memory:
    """All that the provider remembers. A new start forgets it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sessions = Drawer[SignedInThere](clock, timedelta(hours=8))
        self.codes = Drawer[Granted](clock, timedelta(minutes=1))
        self.tokens = Drawer[Granted](clock, timedelta(minutes=10))
