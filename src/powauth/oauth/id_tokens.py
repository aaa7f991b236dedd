"""ID tokens: every check that OpenID Connect asks of a client (Core §3.1.3.7), after the signature."""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from powauth.oauth.errors import BadToken, Reason
from powauth.oauth.reading import as_list, write_base64url

TENANT = "{tenantid}"
"""Stands in the issuer of a provider of many tenants, whose tokens name theirs in a claim."""
REQUIRED = ("iss", "sub", "aud", "exp", "iat")
_TENANT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who may have issued a token."""

    value: str
    tenant_claim: str = "tid"
    tenants: Sequence[str] = ()
    """The tenants that are let in; empty means all of them."""

    def check(self, claims: Mapping[str, Any]) -> str:
        """Return the issuer of a token, tenant included. Raises `BadToken`."""
        expected = self.value
        if TENANT in self.value:
            tenant = claims.get(self.tenant_claim)
            if not isinstance(tenant, str) or not _TENANT_ID.fullmatch(tenant):
                raise BadToken(Reason.TENANT)
            if self.tenants and tenant not in self.tenants:
                raise BadToken(Reason.TENANT)
            expected = self.value.replace(TENANT, tenant)
        if claims.get("iss") != expected:
            raise BadToken(Reason.ISSUER)
        return expected

    def may_be(self, issuer: str) -> bool:
        """Say whether this may be the issuer, when no token has named a tenant yet."""
        if TENANT not in self.value:
            return issuer == self.value
        before, _, after = self.value.partition(TENANT)
        return bool(re.fullmatch(re.escape(before) + _TENANT_ID.pattern + re.escape(after), issuer))


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a token has to say."""

    issuer: Issuer
    client_id: str
    now: datetime
    leeway: timedelta
    algorithm: str
    nonce: str | None = field(default=None, repr=False)
    trusted_audiences: Sequence[str] = ()
    lifetime: timedelta | None = None
    """How old it may be, whatever it says of its end."""
    access_token: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    fresh_since: datetime | None = None
    """When the person has to have signed in at the provider, or later."""
    acr_values: Sequence[str] = ()


def check(claims: Mapping[str, Any], expected: Expected) -> str:
    """Return the issuer of an ID token whose signature was verified. Raises `BadToken` for whatever does not hold."""
    for name in REQUIRED:
        if claims.get(name) is None:
            raise BadToken(Reason.CLAIM_MISSING, name)
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise BadToken(Reason.CLAIM_TYPE, "sub")
    issuer = expected.issuer.check(claims)
    check_audience(claims, expected.client_id, expected.trusted_audiences)
    check_times(claims, expected)
    _check_nonce(claims, expected.nonce)
    _check_hash(claims, "at_hash", expected.access_token, expected.algorithm, Reason.ACCESS_TOKEN_HASH)
    _check_hash(claims, "c_hash", expected.code, expected.algorithm, Reason.CODE_HASH)
    _check_freshness(claims, expected)
    return issuer


def check_audience(claims: Mapping[str, Any], client_id: str, trusted: Sequence[str]) -> None:
    """Refuse a token that is not for this client, or for somebody else besides who is not trusted."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else as_list(audience) or []
    if client_id not in audiences or any(each != client_id and each not in trusted for each in audiences):
        raise BadToken(Reason.AUDIENCE)
    party = claims.get("azp")
    if party != client_id and (party is not None or len(audiences) > 1):  # several may hold it: for whom was it made?
        raise BadToken(Reason.AUTHORIZED_PARTY)


def check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    """Refuse a token that is over, not yet valid, or from the future."""
    now, leeway = expected.now.timestamp(), expected.leeway.total_seconds()
    ends, begins, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if ends is not None and now >= ends + leeway:
        raise BadToken(Reason.EXPIRED)
    if any(time is not None and now < time - leeway for time in (begins, issued)):
        raise BadToken(Reason.NOT_YET)
    longest = expected.lifetime
    if longest is not None and issued is not None and now - issued > longest.total_seconds() + leeway:
        raise BadToken(Reason.TOO_OLD)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise BadToken(Reason.CLAIM_TYPE, name)
    return value


def _check_nonce(claims: Mapping[str, Any], nonce: str | None) -> None:
    """Both or neither: a token with a nonce that nobody sent belongs to another flow."""
    said = claims.get("nonce")
    if said is None and nonce is None:
        return
    if not isinstance(said, str) or nonce is None or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise BadToken(Reason.NONCE)


_HASHES = {"256": "sha256", "384": "sha384", "512": "sha512", "DSA": "sha512"}  # by the end of the algorithm's name


def _check_hash(claims: Mapping[str, Any], name: str, value: str | None, algorithm: str, reason: Reason) -> None:
    """Compare the left half of a hash, where the provider says one (Core §3.1.3.8, §3.3.2.11)."""
    said = claims.get(name)
    if said is None or value is None:
        return
    whole = hashlib.new(_HASHES[algorithm[-3:]], value.encode()).digest()
    right = write_base64url(whole[: len(whole) // 2])
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), right.encode()):
        raise BadToken(reason)


def _check_freshness(claims: Mapping[str, Any], expected: Expected) -> None:
    """Believe no fresh sign-in that the provider does not vouch for: the address that asked for it passed a browser."""
    signed_in, leeway = _seconds(claims, "auth_time"), expected.leeway.total_seconds()
    if signed_in is not None and signed_in - leeway > expected.now.timestamp():
        raise BadToken(Reason.NOT_YET)
    since = expected.fresh_since
    if since is not None and (signed_in is None or signed_in + leeway < since.timestamp()):
        raise BadToken(Reason.NOT_FRESH)
    if expected.acr_values and claims.get("acr") not in expected.acr_values:
        raise BadToken(Reason.CONTEXT_CLASS)
