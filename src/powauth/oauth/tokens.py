"""Tokens: what a provider hands out after a sign-in, for calls in the person's name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from powauth.oauth.errors import BadToken, Malformed, Reason
from powauth.oauth.reading import text_of

_TOKEN = re.compile(r"[\x20-\x7e]{1,65536}")  # VSCHAR of RFC 6749, appendix A; one without line breaks


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What opens the provider's doors in somebody's name. Secrets all: encrypt them where you keep them."""

    access_token: str = field(repr=False)
    """What opens doors."""
    token_type: str = "Bearer"
    """`Bearer`, or `OAuth` of OAuth 1.0a."""
    refresh_token: str | None = field(default=None, repr=False)
    """What `refresh` takes."""
    id_token: str | None = field(default=None, repr=False)
    """Of OpenID Connect alone, as it came."""
    token_secret: str | None = field(default=None, repr=False)
    """Of OAuth 1.0a alone."""
    expires_at: datetime | None = None
    """When the access token ends, if the provider says."""
    scopes: tuple[str, ...] = ()
    """What was granted, as far as the provider says."""
    raw: Mapping[str, object] = field(default_factory=dict[str, object], repr=False, hash=False)
    """The answer as it was."""


def read_tokens(answer: Mapping[str, object], *, now: datetime, separator: str, asked: tuple[str, ...] = ()) -> Tokens:
    """Return the tokens of an answer (RFC 6749 §5.1). `asked` is what was granted if the answer does not say."""
    access_token = _secret(answer, "access_token")
    if access_token is None:
        raise Malformed("access_token")
    token_type = text_of(answer, "token_type") or ""
    if token_type.lower() != "bearer":  # an unknown type must not be used (§7.1)
        raise BadToken(Reason.TOKEN_TYPE)
    scope = text_of(answer, "scope")
    return Tokens(
        access_token=access_token,
        refresh_token=_secret(answer, "refresh_token"),
        id_token=_secret(answer, "id_token"),
        expires_at=_expiry(answer.get("expires_in"), now),
        scopes=asked if scope is None else tuple(filter(None, scope.replace(separator, " ").split(" "))),
        raw=answer,
    )


def _secret(answer: Mapping[str, object], name: str) -> str | None:
    value = text_of(answer, name)
    if value is not None and not _TOKEN.fullmatch(value):
        raise Malformed(name)
    return value


def _expiry(value: object, now: datetime) -> datetime | None:
    """Return when a token ends; providers write the seconds as a number or as text."""
    if value is None:
        return None
    text = str(int(value)) if isinstance(value, float) and abs(value) < 1e12 else str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,10}", text):
        raise Malformed("expires_in")
    return now + timedelta(seconds=int(text))
