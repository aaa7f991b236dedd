"""The signatures of OAuth 1.0a (RFC 5849 §3.4): what is signed, and how."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from enum import StrEnum
from urllib.parse import parse_qsl, quote, urlsplit

from powauth.oauth.ports import Jose

Pairs = Iterable[tuple[str, str]]


class Signature(StrEnum):
    """How requests are signed, by the names of the standard."""

    HMAC_SHA1 = "HMAC-SHA1"
    RSA_SHA1 = "RSA-SHA1"
    PLAINTEXT = "PLAINTEXT"
    """The secrets themselves, which TLS alone keeps."""


def escape(text: str) -> str:
    """Return text percent-encoded as OAuth 1.0a wants it (§3.6).

    >>> escape("b5=%3D a~")
    'b5%3D%253D%20a~'
    """
    return quote(text, safe="~")


def base_string(method: str, url: str, params: Pairs) -> str:
    """Return what is signed (§3.4.1): method, address without query, and all parameters, those of the query too."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port not in (None, {"http": 80, "https": 443}.get(parts.scheme)) else ""
    address = f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}{port}{parts.path or '/'}"
    everything = [*parse_qsl(parts.query, keep_blank_values=True), *params]
    escaped = sorted((escape(name), escape(value)) for name, value in everything)
    normal = "&".join(f"{name}={value}" for name, value in escaped)
    return "&".join((method.upper(), escape(address), escape(normal)))


def sign(base: str, *, by: Signature, secrets: tuple[str, str], private_key: str | None, jose: Jose) -> str:
    """Return the signature. `secrets` are the application's and the token's, either of which may be empty."""
    both = "&".join(escape(secret) for secret in secrets)
    if by is Signature.PLAINTEXT:
        return both
    if by is Signature.RSA_SHA1:
        made = jose.rsa_sha1(base.encode(), key=private_key or "")
    else:
        made = hmac.digest(both.encode(), base.encode(), hashlib.sha1)  # what the standard knows; sound in an HMAC
    return base64.b64encode(made).decode("ascii")


def header(params: Mapping[str, str]) -> str:
    """Return the Authorization header (§3.5.1)."""
    return "OAuth " + ", ".join(f'{escape(name)}="{escape(value)}"' for name, value in params.items())
