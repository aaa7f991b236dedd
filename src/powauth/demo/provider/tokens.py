"""Tokens: what the demo's own provider signs, and how a code is exchanged for it."""

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from powauth.demo.provider.client import Client
from powauth.demo.provider.memory import Granted, Memory
from powauth.oauth.pkce import challenge
from powauth.oauth.reading import write_base64url

LIFETIME = timedelta(minutes=10)


class CannotExchange(Exception):
    """Why nothing is given for a code; its text is the error's code (RFC 6749 §5.2)."""


class Signer:
    """Signs with a key that is made at the first need and forgotten at the end."""

    @cached_property
    def _key(self) -> RSAKey:
        return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    def published(self) -> dict[str, Any]:
        """Return the public half, as it is published."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def sign(self, claims: dict[str, Any]) -> str:
        """Return signed claims."""
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": self._key.kid}, claims, self._key)


def check_client(client: Client, authorization: str) -> None:
    """Raise `CannotExchange` unless the header is the client's (RFC 6749 §2.3.1)."""
    kind, _, encoded = authorization.partition(" ")
    try:
        said = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        said = ""
    id, _, secret = (unquote_plus(half) for half in said.partition(":"))
    wanted, shown = f"{client.id} {client.secret}", f"{id} {secret}"
    if kind.lower() != "basic" or not hmac.compare_digest(shown.encode(), wanted.encode()):
        raise CannotExchange("invalid_client")


def exchange(memory: Memory, client: Client, fields: dict[str, str]) -> Granted:
    """Return what was granted under a code, which is used up, whatever comes of it. Raises `CannotExchange`."""
    if fields.get("grant_type") != "authorization_code":
        raise CannotExchange("unsupported_grant_type")
    granted = memory.codes.take(fields.get("code", ""))
    if granted is None or fields.get("redirect_uri") != client.redirect_uri:
        raise CannotExchange("invalid_grant")
    if not hmac.compare_digest(_challenge(fields.get("code_verifier", "")), granted.asked.challenge):
        raise CannotExchange("invalid_grant")
    return granted


def _challenge(verifier: str) -> str:
    return challenge(verifier) if verifier.isascii() else ""


def id_claims(client: Client, memory: Memory, granted: Granted, access_token: str) -> dict[str, Any]:
    """Return what the ID token says (OpenID Connect Core §2)."""
    now = int(memory.clock.now().timestamp())
    digest = hashlib.sha256(access_token.encode()).digest()
    claims: dict[str, Any] = {
        "iss": client.issuer,
        "sub": granted.who.person.subject,
        "aud": client.id,
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "auth_time": int(granted.who.since.timestamp()),
        "at_hash": write_base64url(digest[: len(digest) // 2]),
    }
    return {**claims, "nonce": granted.asked.nonce} if granted.asked.nonce else claims
