"""Discovery: what an OpenID provider publishes of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth.errors import Malformed
from powauth.oauth.guard import address_problem
from powauth.oauth.ports import Network
from powauth.oauth.reading import text_of, texts_of

WELL_KNOWN = "/.well-known/openid-configuration"
ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "revocation_endpoint",
    "end_session_endpoint",
)


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Where a provider's doors are. Written by hand for one that publishes nothing."""

    issuer: str
    """Who vouches."""
    authorization_endpoint: str
    """Where the browser is sent."""
    token_endpoint: str
    """Where a code is exchanged."""
    jwks_uri: str | None = None
    """Where its keys are; not needed where it signs with the client secret."""
    userinfo_endpoint: str | None = None
    """Where more is said of a person."""
    revocation_endpoint: str | None = None
    """Where tokens are made worthless."""
    end_session_endpoint: str | None = None
    """Where a browser signs out."""
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    """Ways to authenticate; `None` where the provider does not say."""
    authorization_response_iss_parameter_supported: bool = False
    """Whether it says who it is in every answer (RFC 9207): then one that does not is refused."""

    def problems(self, network: Network) -> tuple[str, ...]:
        """Return which addresses cannot be used, a sentence each."""
        addresses = {name: getattr(self, name) for name in ENDPOINTS}
        found = {name: address_problem(url, network) for name, url in addresses.items() if url is not None}
        return tuple(f"{name}: {problem}" for name, problem in found.items() if problem)


def read_metadata(document: Mapping[str, Any], *, issuer: str, network: Network) -> Metadata:
    """Return what a provider published. Raises `Malformed` if it speaks for another issuer, or names odd addresses."""
    if document.get("issuer") != issuer:  # exactly, or one provider could speak for another (Discovery §4.3)
        raise Malformed("metadata issuer")
    metadata = Metadata(
        issuer=issuer,
        authorization_endpoint=_needed(document, "authorization_endpoint"),
        token_endpoint=_needed(document, "token_endpoint"),
        jwks_uri=_needed(document, "jwks_uri"),
        userinfo_endpoint=text_of(document, "userinfo_endpoint"),
        revocation_endpoint=text_of(document, "revocation_endpoint"),
        end_session_endpoint=text_of(document, "end_session_endpoint"),
        token_endpoint_auth_methods_supported=texts_of(document, "token_endpoint_auth_methods_supported"),
        authorization_response_iss_parameter_supported=(
            document.get("authorization_response_iss_parameter_supported") is True
        ),
    )
    if problems := metadata.problems(network):
        raise Malformed(f"metadata {problems[0]}")
    return metadata


def _needed(document: Mapping[str, Any], name: str) -> str:
    url = text_of(document, name)
    if not url:
        raise Malformed(f"metadata {name}")
    return url
