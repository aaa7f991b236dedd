"""Hashes of Flask-Security: of an HMAC of the password, as it makes them unless it is told otherwise."""

import base64
import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from powauth.passwords import argon
from powauth.passwords.foreign import STANDARD, ForeignHash, fault

DOUBLE = "flask-security$"
SINGLE = "flask-security-single$"
BCRYPT = ("$2a$", "$2b$", "$2y$")
BCRYPT_BYTES = 72  # what it hashes with bcrypt, of the 88 of the HMAC

Form = Literal["NFC", "NFKC", "NFD", "NFKD"]


@dataclass(frozen=True, slots=True)
class FlaskSecurityHashes:
    """Verifies what `powauth import flask-security` takes over; nothing is ever hashed this way.

    passwords=Passwords(foreign=[FlaskSecurityHashes(salt=os.environ["SALT"], inner=[BcryptHashes()])])
    """

    salt: str = field(repr=False)
    """Its `SECURITY_PASSWORD_SALT`, which is the key of the HMAC: a secret."""

    inner: Sequence[ForeignHash] = ()
    """What its hashes are made with, if that is not Argon2 or PBKDF2: `BcryptHashes()`."""

    normalize_form: Form = "NFKD"
    """Its `SECURITY_PASSWORD_NORMALIZE_FORM`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "inner", tuple(self.inner))

    def recognises(self, hash: str) -> bool:
        """Tell by the mark that the import puts before each, and by what `inner` recognises behind it."""
        return hash.startswith((DOUBLE, SINGLE)) and fault(unmarked(hash), self.inner) != "unknown"

    def verify(self, password: bytes, hash: str) -> bool:
        """Compute what its text asks for, within bounds."""
        bare = unmarked(hash)
        secret = unicodedata.normalize(self.normalize_form, password.decode()).encode()
        if hash.startswith(DOUBLE):
            secret = base64.b64encode(hmac.digest(self.salt.encode(), secret, "sha512"))
            secret = secret[:BCRYPT_BYTES] if bare.startswith(BCRYPT) else secret
        if (found := argon.parse(bare)) is not None:
            return found.matches(secret)
        family = next((known for known in (*self.inner, *STANDARD) if known.recognises(bare)), None)
        return family is not None and family.verify(secret, bare)

    def is_sound(self, hash: str) -> bool:
        """Tell whether it is well-formed and within bounds."""
        return fault(unmarked(hash), self.inner) is None


def unmarked(hash: str) -> str:
    """Return the hash as Flask-Security wrote it."""
    return hash.removeprefix(DOUBLE).removeprefix(SINGLE)
