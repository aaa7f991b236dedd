"""Signed tokens: what is read of one before anything of it is believed, and whose key verifies it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from powauth.oauth.errors import BadToken, Malformed, Reason
from powauth.oauth.ports import Jose, Jwk
from powauth.oauth.reading import read_base64url, read_object

LONGEST = 100_000  # characters; ID tokens of people in thousands of groups have some ten thousand

FindKeys = Callable[[str | None, bool], Awaitable[Sequence[Jwk | str]]]
"""`(key id, anew)` -> keys that may have signed."""


@dataclass(frozen=True)
class Header:
    """What a token says of how it was signed: to be compared, never to be followed."""

    algorithm: object
    key_id: str | None
    type: object


def read_header(token: str) -> Header:
    """Return the header of a token in its compact form. Keys and addresses of keys in it are not looked at."""
    try:
        parts = token.split(".")
        if len(token) > LONGEST or len(parts) != 3:
            raise BadToken(Reason.UNREADABLE)
        header = read_object(read_base64url(parts[0], "header"), "header")
        read_base64url(parts[1], "payload")
        read_base64url(parts[2], "signature")
    except Malformed:
        raise BadToken(Reason.UNREADABLE) from None
    if "crit" in header or "b64" in header:  # nothing critical is understood here (RFC 7515 §4.1.11)
        raise BadToken(Reason.CRITICAL_HEADER)
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise BadToken(Reason.UNREADABLE)
    return Header(header.get("alg"), key_id, header.get("typ"))


async def verified(
    token: str, *, algorithm: str, types: frozenset[str], find_keys: FindKeys, jose: Jose
) -> dict[str, Any]:
    """Return the claims of a token that a key of the provider signed with this algorithm. The signature comes first.

    Keys are fetched anew, within limits, when the token names one that is not known, or when it names none and the
    only one known did not sign it.
    """
    header = read_header(token)
    if header.algorithm != algorithm:
        raise BadToken(Reason.ALGORITHM)
    if header.type is not None and (not isinstance(header.type, str) or header.type.lower() not in types):
        raise BadToken(Reason.TYPE)
    payload = await _payload(token, header, algorithm, find_keys, jose)
    try:
        return read_object(payload, "payload")
    except Malformed:
        raise BadToken(Reason.UNREADABLE) from None


async def _payload(token: str, header: Header, algorithm: str, find_keys: FindKeys, jose: Jose) -> bytes:
    keys = await find_keys(header.key_id, False)  # noqa: FBT003
    payload = _first(token, keys, algorithm, jose)
    if payload is None and (not keys or header.key_id is None):
        keys = await find_keys(header.key_id, True)  # noqa: FBT003
        payload = _first(token, keys, algorithm, jose)
    if payload is None:
        raise BadToken(Reason.SIGNATURE if keys else Reason.UNKNOWN_KEY)
    return payload


def _first(token: str, keys: Sequence[Jwk | str], algorithm: str, jose: Jose) -> bytes | None:
    payloads = (jose.verify(token, algorithm=algorithm, key=key) for key in keys)
    return next((payload for payload in payloads if payload is not None), None)
