"""Keys: which of a provider's published keys may have signed a token. The algorithm is the configured one."""

from collections.abc import Mapping, Sequence
from typing import Any

from powauth.oauth.errors import Malformed
from powauth.oauth.ports import Jwk
from powauth.oauth.reading import as_list, as_object, read_base64url

# Algorithm -> type of key, curve (RFC 7518 §3.1, RFC 8037 §3.1). `none` is none.
KINDS: Mapping[str, tuple[str, str | None]] = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
SHARED = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Algorithm -> fewest bytes of the client secret that both sides sign with (RFC 7518 §3.2)."""
SHORTEST_RSA = 2048 // 8  # bytes, RFC 7518 §3.3
LONGEST_RSA = 8192 // 8  # bytes; longer ones only keep a processor busy
MOST_KEYS = 100
_PUBLIC = ("kty", "kid", "n", "e", "crv", "x", "y")


def suitable_keys(document: Mapping[str, Any], *, algorithm: str, id: str | None) -> Sequence[Jwk]:
    """Return the keys that may have signed with this algorithm under this id.

    A token without an id gets a key only where there is exactly one. Keys for encryption, for another algorithm, of
    another type or too short are none; nor is a shared one, which has no business in a published document.
    """
    published = as_list(document.get("keys"))
    if published is None:
        raise Malformed("keys")
    keys = filter(None, map(as_object, published[:MOST_KEYS]))
    fitting = [key for key in keys if _fits(key, algorithm)]
    if id is not None:
        return [_public(key) for key in fitting if key.get("kid") == id]
    return [_public(key) for key in fitting] if len(fitting) == 1 else []


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = KINDS[algorithm]
    uses = key.get("key_ops")
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (not isinstance(uses, list) or "verify" in uses)
        and (kind != "RSA" or _has_a_good_length(key))
    )


def _has_a_good_length(key: Mapping[str, Any]) -> bool:
    try:
        length = len(read_base64url(str(key.get("n")), "key").lstrip(b"\0"))
    except Malformed:
        return False
    return SHORTEST_RSA <= length <= LONGEST_RSA


def _public(key: Mapping[str, Any]) -> Jwk:
    """Return the members that make a public key, and no others: no certificates, no addresses."""
    return {name: key[name] for name in _PUBLIC if name in key}
