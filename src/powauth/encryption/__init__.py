"""AesGcm: what makes columns marked `Encrypted` unreadable in a dump. Needs the extra `providers`.

SQLAlchemyDatabase(sessionmaker, User, encryption=AesGcm(os.environ["AUTH_DATA_SECRET"]))
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from powauth.errors import ConfigurationError
from powauth.signing import secret_problems

__all__ = ["AesGcm"]

FORMAT = b"\x01"
_NAME = 4  # bytes that tell which secret it was: enough for a handful, and they say nothing of it
_NONCE = 12  # bytes (SP 800-38D §8.2.1); at random, good for 2³² values under one secret


class AesGcm:
    """AES-256-GCM. The first secret seals, the others only open: put a new one first, and keep the old ones.

    Each value is bound to its place (`context`): one that was moved to another row does not open there.

    >>> sealing = AesGcm("a5a1f0c39e6b4d7288e0d1c2b3f49687")
    >>> sealing.open(sealing.seal(b"secret", context=b"here"), context=b"here")
    b'secret'
    """

    def __init__(self, *secrets: str) -> None:
        problems = [f"AesGcm: {problem}" for problem in secret_problems(secrets)]
        if problems:
            raise ConfigurationError(*problems)
        keys = [hmac.digest(secret.encode(), b"powauth\0encrypted columns", "sha256") for secret in secrets]
        self._keys = {hashlib.sha256(key).digest()[:_NAME]: AESGCM(key) for key in keys}

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Return the plain text, unreadable and bound to its context."""
        name, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE)
        return FORMAT + name + nonce + key.encrypt(nonce, plain, FORMAT + name + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return the plain text. Raises `ValueError` when it was changed, moved, or sealed with an unlisted secret."""
        name, nonce, rest = sealed[1:][:_NAME], sealed[1 + _NAME :][:_NONCE], sealed[1 + _NAME + _NONCE :]
        key = self._keys.get(name) if sealed[:1] == FORMAT else None
        if key is None:
            raise ValueError("a value was sealed with a secret that AesGcm does not list: list it after the first one")
        try:
            return key.decrypt(nonce, rest, FORMAT + name + context)
        except (InvalidTag, ValueError):
            raise ValueError("a sealed value was changed, or moved from another row") from None
