"""Aead: what seals the values of a flow that a dump of the store must not show; needs `powauth[providers]`."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes (SP 800-38D §8.2.1); at random, as each key here seals a handful of values


def seal(key: bytes, plain: bytes, *, context: bytes) -> bytes:
    """Return the plain text, unreadable and bound to its context. The key has 32 bytes."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, *, context: bytes) -> bytes | None:
    """Return the plain text; `None` when it was changed, or sealed with another key or in another context."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except (InvalidTag, ValueError):
        return None
