"""Hasher: passwords in, hashes and verdicts out, and never on the event loop."""

import hmac
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from powauth.errors import ConfigurationError
from powauth.passwords import argon
from powauth.passwords.argon import Argon2Hash
from powauth.passwords.foreign import STANDARD
from powauth.passwords.pool import Pool
from powauth.passwords.settings import PEPPER_ID, Passwords, Pepper
from powauth.passwords.text import fault, normalise

MAX_HASH = 2048  # characters; no system writes longer ones
PEPPERED = re.compile(rf"\$pepper=({PEPPER_ID.pattern})(\$argon2.*)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password has a hash, and whether to replace the hash now that the password is known."""

    ok: bool
    rehash: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """An Argon2 hash and the pepper that it was made with. Written `$pepper=<id>$argon2id$…`, or without pepper."""

    hash: Argon2Hash
    pepper: Pepper | None

    @property
    def text(self) -> str:
        """The hash as it is stored."""
        return f"$pepper={self.pepper.id}{self.hash.text}" if self.pepper else self.hash.text

    def matches(self, password: bytes) -> bool:
        """Compute at full cost and compare in constant time."""
        return self.hash.matches(season(password, self.pepper))


class Hasher:
    """Hashes and verifies on threads of its own. Made once per `Auth`; serves any number of event loops."""

    verifications: int
    """How many verifications with the current parameters have run: one for every sign-in (S10)."""

    def __init__(self, settings: Passwords, *, now: Callable[[], float] = time.monotonic) -> None:
        if problems := settings.problems():
            raise ConfigurationError(*problems)
        self.verifications = 0
        self._parameters = settings.parameters
        self._peppers = {pepper.id: pepper for pepper in settings.peppers}
        self._pepper = settings.peppers[0] if settings.peppers else None
        self._foreign = (*settings.foreign, *STANDARD)
        self._nobody = Stored(argon.nobodys(self._parameters), self._pepper)
        self._make_pool = partial(Pool, threads=settings.thread_count(), max_wait=settings.max_wait, now=now)
        self._pool = self._make_pool()
        self._counting = threading.Lock()

    async def hash(self, password: str, *, client: str) -> str:
        """Return a new hash. Raises `HashingBusy`, and `ValueError` for what `policy` must have refused."""
        return await self._pool.run(partial(self._make, password), client=client)

    async def verify(self, password: str, hash: str | None, *, client: str) -> Verdict:
        """Tell whether a password has this hash; `None`: there is no account, or it has no password.

        The same work for all of these and for every current hash: no enumeration by stopwatch. A hash of
        other parameters or another system costs its own work, and on failure the same work besides. A
        malformed hash, or a password that could never be set, is a failure like any other. Raises `HashingBusy`.
        """
        return await self._pool.run(partial(self._judge, password, hash), client=client)

    @property
    def waiting(self) -> int:
        """How many wait for a thread."""
        return self._pool.waiting

    @property
    def has_room(self) -> bool:
        """Whether somebody who comes now is not refused."""
        return self._pool.has_room

    def open(self) -> None:
        """Hash again after `close`: an application's lifespan may run more than once in a process."""
        if self._pool.is_closed:
            self._pool = self._make_pool()

    def close(self) -> None:
        """End the threads; those who wait are refused with `HashingBusy`."""
        self._pool.close()

    def _make(self, password: str) -> str:
        if (found := fault(password)) is not None:
            raise ValueError(f"not a password ({found}): ask passwords.problems() before hashing")
        secret = season(normalise(password).encode(), self._pepper)
        return Stored(argon.make(secret, self._parameters), self._pepper).text

    def _judge(self, password: str, hash: str | None) -> Verdict:
        if hash is None or fault(password) is not None:
            return self._fail()
        typed = normalise(password).encode()
        stored = self._read(hash)
        if stored is not None and stored.hash.parameters == self._parameters:
            ok = self._verify(stored, typed)
            return Verdict(ok, rehash=ok and stored.pepper != self._pepper)
        # a foreign system hashed the bytes as they were typed, without NFC
        ok = stored.matches(typed) if stored is not None else self._verify_foreign(password.encode(), hash)
        return Verdict(ok=True, rehash=True) if ok else self._fail()

    def _fail(self) -> Verdict:
        """Do the work of one verification for nobody's password."""
        self._verify(self._nobody, b"")
        return Verdict(ok=False)

    def _verify(self, stored: Stored, password: bytes) -> bool:
        with self._counting:
            self.verifications += 1
        return stored.matches(password)

    def _verify_foreign(self, password: bytes, hash: str) -> bool:
        if len(hash) > MAX_HASH:
            return False
        family = next((family for family in self._foreign if family.recognises(hash)), None)
        return family is not None and family.verify(password, hash)

    def _read(self, hash: str) -> Stored | None:
        """Return an Argon2 hash of ours; `None` if it is none, is malformed, or its pepper was removed."""
        match = PEPPERED.fullmatch(hash)
        pepper = self._peppers.get(match[1]) if match else None
        if match and pepper is None:
            return None
        found = argon.parse(match[2] if match else hash)
        return Stored(found, pepper) if found else None


def season(password: bytes, pepper: Pepper | None) -> bytes:
    """Return what is hashed: the password, or its HMAC-SHA-256 under the pepper."""
    return hmac.digest(pepper.secret.encode(), password, "sha256") if pepper else password
