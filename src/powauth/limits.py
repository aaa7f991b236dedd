"""Limits: how often. They are claimed before the work, atomically, and stand in the store."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from powauth.clock import Clock
from powauth.errors import TooManyAttempts
from powauth.stores import Key, Store


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times per span, for each of what `by` names."""

    times: int
    per: timedelta
    by: str = "address"
    """`address`: the client's network address, IPv6 by /64. Other names are what an operation passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Failures slow down: some are free, then each doubles the wait, to a longest. Time alone makes it well again."""

    free: int = 5
    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)
    forget_after: timedelta = timedelta(minutes=30)
    """One failure is forgotten in each such span."""

    def problems(self) -> tuple[str, ...]:
        """Return what contradicts itself, a sentence each."""
        found: list[str] = []
        if self.free < 1:
            found.append("backoff: free must be at least 1, or nobody gets a first try")
        if not timedelta(0) < self.first <= self.longest:
            found.append("backoff: first must be longer than nothing and not longer than longest")
        if self.forget_after <= timedelta(0):
            found.append("backoff: forget_after must be longer than nothing")
        return tuple(found)

    def wait(self, failures: int) -> timedelta:
        """Return how long after that many failures the next attempt has to wait."""
        over = failures - self.free
        return timedelta(0) if over < 0 else min(self.first * 2 ** min(over, 30), self.longest)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt that was counted before it was made: in which limit, how it slows down, and for whom."""

    name: str
    backoff: Backoff
    value: str


class Limits:
    """The limits of one tenant of one `Auth`."""

    def __init__(self, store: Store, clock: Clock, *, name: str, tenant: str) -> None:
        self._store = store
        self._clock = clock
        self._kind = f"{name}:{tenant}:limit"

    async def claim(self, name: str, limit: Limit, value: str) -> None:
        """Count one. Raises `TooManyAttempts` with the time that is left when there are too many."""
        now = self._clock.now()
        number, into = divmod(now.timestamp(), limit.per.total_seconds())
        ends_in = limit.per - timedelta(seconds=into)
        key = self._key(f"{name}:{int(number)}", value)
        if await self._store.increment(key, expires_at=now + ends_in) > limit.times:
            raise TooManyAttempts(ends_in)

    async def attempt(self, name: str, backoff: Backoff, value: str) -> None:
        """Count a failure in advance; `succeeded` takes it back. Raises `TooManyAttempts` while one has to wait."""
        key = self._key(name, value)
        for _ in range(20):  # as many as may come first in the same instant; the rest is told to wait
            now = self._clock.now()
            entry = await self._store.get(key)
            failures, last = _read(entry.value) if entry else (0, now)
            last = min(last, now)  # written by a process whose clock is ahead
            failures = max(0, failures - int((now - last) / backoff.forget_after))
            until = last + backoff.wait(failures)
            if entry and now < until:
                raise TooManyAttempts(until - now)
            value_now = json.dumps([failures + 1, now.timestamp()]).encode()
            expires_at = now + backoff.forget_after * (failures + 1)
            if entry is None:
                stored = await self._store.add(key, value_now, expires_at=expires_at)
            else:
                stored = await self._store.replace(key, value_now, version=entry.version, expires_at=expires_at)
            if stored:
                return
        raise TooManyAttempts(backoff.first)

    async def withdraw(self, name: str, value: str) -> None:
        """Take one counted attempt back: it was never made."""
        key = self._key(name, value)
        for _ in range(20):
            entry = await self._store.get(key)
            if entry is None:
                return
            failures, last = _read(entry.value)
            value_now = json.dumps([max(0, failures - 1), last.timestamp()]).encode()
            if await self._store.replace(key, value_now, version=entry.version, expires_at=entry.expires_at):
                return

    async def succeeded(self, name: str, value: str) -> None:
        """Forget the failures of this one, and of no other."""
        await self._store.delete(self._key(name, value))

    def _key(self, name: str, value: str) -> Key:
        # Hashed: what people type must not stand in the store, and has any length.
        owner = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return Key(self._kind, owner, name)


def _read(value: bytes) -> tuple[int, datetime]:
    failures, last = json.loads(value)
    return failures, datetime.fromtimestamp(last, UTC)
