"""Hashes that bcrypt made: Devise, Coherence, PHP, Django, Laravel and many more. Needs the extra `bcrypt`.

passwords=Passwords(foreign=[BcryptHashes()])
"""

import hashlib
import re
from dataclasses import dataclass, field

import bcrypt

MAX_BYTES = 72  # of a password; the algorithm never saw more, and the systems that used it cut the rest off
MAX_COST = 15  # 2 to the power of this: about two seconds of one thread, so that a row cannot stall the process
SHAPE = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
DJANGO = "bcrypt$"
DJANGO_SHA256 = "bcrypt_sha256$"

__all__ = ["BcryptHashes"]


@dataclass(frozen=True, slots=True)
class BcryptHashes:
    """Verifies `$2a$`, `$2b$` and `$2y$`, alone or as Django wraps them. Nothing is ever hashed this way."""

    pepper: str = field(default="", repr=False)
    """What Devise appends to each password (`config.pepper`)."""

    truncates: bool = False
    """Whether the system that made them cut passwords off after 72 bytes. Without it, longer ones are refused (S3)."""

    def recognises(self, hash: str) -> bool:
        """Tell by its prefix."""
        return hash.startswith(("$2a$", "$2b$", "$2y$", DJANGO, DJANGO_SHA256))

    def verify(self, password: bytes, hash: str) -> bool:
        """Compute what its text asks for, within bounds; false for a malformed hash."""
        peppered = password + self.pepper.encode()
        if hash.startswith(DJANGO_SHA256):
            peppered = hashlib.sha256(peppered).hexdigest().encode()
        bare = hash.removeprefix(DJANGO_SHA256).removeprefix(DJANGO)
        if len(peppered) > MAX_BYTES and not self.truncates:
            return False
        return is_affordable(bare) and b"\0" not in peppered and check(peppered[:MAX_BYTES], bare)

    def is_sound(self, hash: str) -> bool:
        """Tell whether it is well-formed and within bounds."""
        return is_affordable(hash.removeprefix(DJANGO_SHA256).removeprefix(DJANGO))


def is_affordable(hash: str) -> bool:
    """Tell whether a hash is well-formed and costs no more than may be spent on it."""
    match = SHAPE.fullmatch(hash)
    return match is not None and int(match[1]) <= MAX_COST


def check(password: bytes, hash: str) -> bool:
    """Tell whether a password has a hash."""
    try:
        return bcrypt.checkpw(password, hash.encode())
    except ValueError:  # a salt that base64 cannot spell
        return False
