"""Hashes that other systems made: recognised, verified once, and then replaced by ours.

What one of them may cost is bounded (about two seconds of one thread, 256 MiB), so that a row in a database
cannot stall the process: above that it is malformed, and a malformed hash belongs to no password.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from powauth.passwords import argon

MAX_ITERATIONS = 5_000_000
"""Of PBKDF2, over all blocks of the digest; Django 5.2 makes 1,000,000, OWASP asks for 600,000 with SHA-256."""

MAX_SCRYPT_BYTES = 256 * 1024 * 1024  # 128 · N · r, the memory; Django and werkzeug take 16 and 32 MiB
MAX_SCRYPT_WORK = 4 * MAX_SCRYPT_BYTES  # the same for each of its p passes
DIGEST_SIZES = range(16, 65)  # a shorter one is guessed, a longer one costs more than it says

HASHES = {"sha1": 20, "sha256": 32, "sha512": 64}
"""What PBKDF2 may be made of, and the bytes of one block."""


class ForeignHash(Protocol):
    """One family of hashes. Both verbs run on a hashing thread, and never raise whatever the hash looks like."""

    def recognises(self, hash: str) -> bool:
        """Tell by its look whether this family made it."""
        ...

    def verify(self, password: bytes, hash: str) -> bool:
        """Tell whether `password`, UTF-8 exactly as it was typed, has this hash."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """A family that can tell what a hash costs without computing it."""

    def is_sound(self, hash: str) -> bool:
        """Tell whether a hash is well-formed and costs no more than may be spent on it."""
        ...


@dataclass(frozen=True, slots=True)
class Pbkdf2Hashes:
    """PBKDF2 as Pow, Django, werkzeug and passlib write it."""

    def recognises(self, hash: str) -> bool:
        """Tell by its prefix."""
        return hash.startswith(("$pbkdf2", "pbkdf2_sha", "pbkdf2:sha"))

    def verify(self, password: bytes, hash: str) -> bool:
        """Compute what its text asks for, within bounds."""
        found = read_pbkdf2(hash)
        return found is not None and found.is_affordable and found.matches(password)

    def is_sound(self, hash: str) -> bool:
        """Tell whether it is well-formed and within bounds."""
        found = read_pbkdf2(hash)
        return found is not None and found.is_affordable


@dataclass(frozen=True, slots=True)
class ScryptHashes:
    """scrypt as Django, werkzeug and passlib write it."""

    def recognises(self, hash: str) -> bool:
        """Tell by its prefix."""
        return hash.startswith(("scrypt$", "scrypt:", "$scrypt$"))

    def verify(self, password: bytes, hash: str) -> bool:
        """Compute what its text asks for, within bounds."""
        found = read_scrypt(hash)
        return found is not None and found.is_affordable and found.matches(password)

    def is_sound(self, hash: str) -> bool:
        """Tell whether it is well-formed and within bounds."""
        found = read_scrypt(hash)
        return found is not None and found.is_affordable


@dataclass(frozen=True, slots=True)
class DjangoArgon2Hashes:
    """Argon2 with Django's name before it; without that name the hasher reads it itself."""

    def recognises(self, hash: str) -> bool:
        """Tell by its prefix."""
        return hash.startswith("argon2$argon2")

    def verify(self, password: bytes, hash: str) -> bool:
        """Compute what its text asks for, within bounds."""
        found = argon.parse(hash.removeprefix("argon2"))
        return found is not None and found.matches(password)

    def is_sound(self, hash: str) -> bool:
        """Tell whether it is well-formed and within bounds."""
        return argon.parse(hash.removeprefix("argon2")) is not None


STANDARD: tuple[ForeignHash, ...] = (Pbkdf2Hashes(), ScryptHashes(), DjangoArgon2Hashes())
"""What needs nothing but the standard library, recognised by default."""


def fault(hash: str, families: Sequence[ForeignHash]) -> Literal["unknown", "unsound"] | None:
    """Return why no password can have a hash: no family knows it, or it is malformed or costs too much.

    Families are asked in their order, and then those that are recognised anyway.
    """
    if argon.SHAPE.fullmatch(hash):
        return None if argon.parse(hash) else "unsound"
    family = next((known for known in (*families, *STANDARD) if known.recognises(hash)), None)
    if family is None:
        return "unknown"
    return "unsound" if isinstance(family, Bounded) and not family.is_sound(hash) else None


@dataclass(frozen=True, slots=True, repr=False)
class Pbkdf2:
    """One PBKDF2 digest and how it was made."""

    name: str
    iterations: int
    salt: bytes
    digest: bytes

    @property
    def is_affordable(self) -> bool:
        """Whether it is a digest that may be computed."""
        if len(self.digest) not in DIGEST_SIZES or self.iterations < 1:
            return False
        blocks = -(-len(self.digest) // HASHES[self.name])
        return self.iterations * blocks <= MAX_ITERATIONS

    def matches(self, password: bytes) -> bool:
        """Compute and compare in constant time."""
        made = hashlib.pbkdf2_hmac(self.name, password, self.salt, self.iterations, len(self.digest))
        return hmac.compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True, repr=False)
class Scrypt:
    """One scrypt digest and how it was made (RFC 7914: N, r, p)."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @property
    def is_affordable(self) -> bool:
        """Whether it is a digest that may be computed."""
        if len(self.digest) not in DIGEST_SIZES or self.r < 1 or self.p < 1:
            return False
        is_power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        memory = 128 * self.n * self.r
        return is_power_of_two and memory <= MAX_SCRYPT_BYTES and memory * self.p <= MAX_SCRYPT_WORK

    def matches(self, password: bytes) -> bool:
        """Compute and compare in constant time."""
        memory = 128 * self.r * (self.n + self.p + 2) + 1024 * 1024  # what OpenSSL counts, and some
        try:
            made = hashlib.scrypt(
                password,
                salt=self.salt,
                n=self.n,
                r=self.r,
                p=self.p,
                maxmem=memory,
                dklen=len(self.digest),
            )
        except ValueError:  # N too large for r (RFC 7914 §2): no such hash was ever made
            return False
        return hmac.compare_digest(made, self.digest)


MODULAR_PBKDF2 = re.compile(r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$([0-9]{1,9})\$([^$]{0,512})\$([^$]{1,128})")
DJANGO_PBKDF2 = re.compile(r"pbkdf2_(sha1|sha256)\$([0-9]{1,9})\$([^$]{1,512})\$([^$]{1,128})")
WERKZEUG_PBKDF2 = re.compile(r"pbkdf2:(sha1|sha256|sha512):([0-9]{1,9})\$([^$]{1,512})\$([^$]{1,128})")

PASSLIB_SCRYPT = re.compile(r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,9}),p=([0-9]{1,9})\$([^$]{0,512})\$([^$]{1,128})")
DJANGO_SCRYPT = re.compile(r"scrypt\$([0-9]{1,9})\$([^$]{1,512})\$([0-9]{1,9})\$([0-9]{1,9})\$([^$]{1,128})")
WERKZEUG_SCRYPT = re.compile(r"scrypt:([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,9})\$([^$]{1,512})\$([^$]{1,128})")


def read_pbkdf2(hash: str) -> Pbkdf2 | None:
    """Read any of the written forms; `None` if it is none of them."""
    try:
        if match := MODULAR_PBKDF2.fullmatch(hash):  # Pow: base64; passlib: the same without padding, . for +
            name, iterations, salt, digest = match.groups()
            return Pbkdf2(name or "sha1", int(iterations), decode(salt), decode(digest))
        if match := DJANGO_PBKDF2.fullmatch(hash):
            name, iterations, salt, digest = match.groups()
            return Pbkdf2(name, int(iterations), salt.encode(), decode(digest))
        if match := WERKZEUG_PBKDF2.fullmatch(hash):
            name, iterations, salt, digest = match.groups()
            return Pbkdf2(name, int(iterations), salt.encode(), bytes.fromhex(digest))
    except ValueError:
        return None
    return None


def read_scrypt(hash: str) -> Scrypt | None:
    """Read any of the written forms; `None` if it is none of them."""
    try:
        if match := PASSLIB_SCRYPT.fullmatch(hash):
            log_n, r, p, salt, digest = match.groups()
            return Scrypt(1 << int(log_n), int(r), int(p), decode(salt), decode(digest))
        if match := DJANGO_SCRYPT.fullmatch(hash):
            n, salt, r, p, digest = match.groups()
            return Scrypt(int(n), int(r), int(p), salt.encode(), decode(digest))
        if match := WERKZEUG_SCRYPT.fullmatch(hash):
            n, r, p, salt, digest = match.groups()
            return Scrypt(int(n), int(r), int(p), salt.encode(), bytes.fromhex(digest))
    except ValueError:
        return None
    return None


def decode(text: str) -> bytes:
    """Return the bytes of base64, padded or not, with + or passlib's dot. Raises `ValueError`."""
    bare = text.rstrip("=").replace(".", "+")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
