"""OAuth2: a provider that speaks OAuth 2.0 alone (RFC 6749). Who somebody is, a door of its own says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from powauth.oauth.answers import translated
from powauth.oauth.claims import Claims
from powauth.oauth.code_flow import CodeFlow
from powauth.oauth.discovery import Metadata
from powauth.oauth.flow import Callback, Flow
from powauth.oauth.identity import Identity
from powauth.oauth.tokens import Tokens
from powauth.oauth.tools import Tools


@dataclass(frozen=True, kw_only=True)
class OAuth2(CodeFlow):
    """A provider that speaks OAuth 2.0, by configuration alone or as the base of a provider's file."""

    authorization_endpoint: str
    """Where the browser is sent."""
    token_endpoint: str
    """Where a code is exchanged."""
    userinfo_endpoint: str
    """Where it is said who somebody is, as a JSON object."""
    revocation_endpoint: str | None = None
    """Where tokens are made worthless."""
    issuer: str = ""
    """Who vouches for the subject; without it, the origin of the authorization endpoint. Never change it: with the
    subject it is who people are."""
    response_issuer: str | None = None
    """What the provider says as `iss` in every answer (RFC 9207), if it does: others are then refused."""

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        addresses = self._metadata().problems(self.network)
        return (*super().problems(), *(f"{self.name}: {problem}" for problem in addresses))

    @property
    def whole_issuer(self) -> str:
        """Who vouches for the subject, as identities name it."""
        return self.issuer or self._metadata().issuer

    def _metadata(self) -> Metadata:
        origin = urlsplit(self.authorization_endpoint)
        return Metadata(
            issuer=self.response_issuer or self.issuer or f"{origin.scheme}://{origin.netloc}",
            authorization_endpoint=self.authorization_endpoint,
            token_endpoint=self.token_endpoint,
            userinfo_endpoint=self.userinfo_endpoint,
            revocation_endpoint=self.revocation_endpoint,
            authorization_response_iss_parameter_supported=self.response_issuer is not None,
        )

    async def metadata(self, tools: Tools) -> Metadata:  # noqa: ARG002
        """Return where the provider's doors are."""
        return self._metadata()

    def is_issuer(self, issuer: str) -> bool:
        """Say whether this provider vouches under that name."""
        return issuer == (self.issuer or self._metadata().issuer)

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return what the provider says of the person, in its own words. Override it to ask at several doors."""
        return await self.fetch(tools, tokens, self.userinfo_endpoint)

    async def identify(self, tools: Tools, flow: Flow, callback: Callback, tokens: Tokens) -> Identity:  # noqa: ARG002
        """Return who these tokens are of."""
        raw = await self.userinfo(tools, tokens)
        said = {**self.from_browser(callback), **translated(self.normalise, raw, "userinfo")}
        return Identity(provider=self.name, issuer=self.whole_issuer, claims=Claims.read(said), tokens=tokens, raw=raw)
