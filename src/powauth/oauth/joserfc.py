"""Joserfc: who signs and verifies, on joserfc and cryptography; needs `powauth[providers]`."""

import json
from collections.abc import Mapping
from typing import Any, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from powauth.errors import ConfigurationError
from powauth.oauth.keys import KINDS, SHARED
from powauth.oauth.ports import Jwk

_TYPES: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}

# What the libraries raise for keys and tokens they cannot use. Never passed on: their words may repeat a part of a key.
_UNFIT = (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, OverflowError)


class _Registry(jws.JWSRegistry):
    max_header_length = 4_096


class Joserfc:
    """Signs and verifies with the algorithm and the key that the caller names."""

    def __repr__(self) -> str:
        return "Joserfc()"

    def sign(
        self, claims: Mapping[str, object], *, algorithm: str, key: str | Jwk, header: Mapping[str, str] | None = None
    ) -> str:
        """Return a signed token in its compact form. Raises `ConfigurationError` for a key that cannot sign so."""
        protected: dict[str, Any] = {"typ": "JWT", **(header or {}), "alg": algorithm}
        try:
            return jws.serialize_compact(
                protected, json.dumps(dict(claims)), _key(key, algorithm), registry=_registry(algorithm)
            )
        except _UNFIT:
            raise ConfigurationError(f"private_key: it cannot sign with {algorithm}") from None

    def verify(self, token: str, *, algorithm: str, key: str | Jwk) -> bytes | None:
        """Return what was signed, or `None` if this key did not sign it with this algorithm."""
        try:
            signed = jws.deserialize_compact(token, _key(key, algorithm), registry=_registry(algorithm))
        except _UNFIT:
            return None
        return signed.payload

    def rsa_sha1(self, message: bytes, *, key: str) -> bytes:
        """Return the signature of OAuth 1.0a. Raises `ConfigurationError` for what is no RSA key."""
        try:
            private = load_pem_private_key(key.encode(), None)
        except _UNFIT:
            raise ConfigurationError("private_key: not a key as PEM") from None
        if not isinstance(private, RSAPrivateKey):
            raise ConfigurationError("private_key: not an RSA key")
        return private.sign(message, PKCS1v15(), SHA1())  # noqa: S303  the standard knows no other


def _registry(algorithm: str) -> jws.JWSRegistry:
    return _Registry(algorithms=[algorithm], strict_check_header=False)


def _key(key: str | Jwk, algorithm: str) -> Key:
    if algorithm in SHARED:
        if not isinstance(key, str) or len(key.encode()) < SHARED[algorithm]:
            raise ValueError
        return OctKey.import_key(key)
    kind, _ = KINDS[algorithm]
    if isinstance(key, str):
        return _TYPES[kind].import_key(key)
    return _TYPES[kind].import_key(cast("dict[str, str | list[str]]", dict(key)))  # another `kty` is refused there
