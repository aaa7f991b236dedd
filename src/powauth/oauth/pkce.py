"""PKCE (RFC 7636), with S256 alone; and the random values of a flow."""

import hashlib
import secrets

from powauth.oauth.reading import write_base64url


def random_value() -> str:
    """Return 256 random bits as 43 characters that stand in any address: a state, a nonce, a verifier."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier.

    >>> challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # RFC 7636, appendix B
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return write_base64url(hashlib.sha256(verifier.encode("ascii")).digest())
