"""Mastodon, by OAuth 2.0: every instance is a provider of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from powauth.oauth import ClientAuthentication, OAuth2
from powauth.providers.hosts import origin


@dataclass(frozen=True, kw_only=True)
class Mastodon(OAuth2):
    """Mastodon from 4.3. `Mastodon(client_id=…, client_secret=…).at("https://mastodon.example")`.

    Id and secret are of that instance. It may be what a visitor wrote: every request passes the guard.
    """

    name: str = "mastodon"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("profile",)
    authorization_endpoint: str = "https://mastodon.social/oauth/authorize"
    token_endpoint: str = "https://mastodon.social/oauth/token"
    userinfo_endpoint: str = "https://mastodon.social/api/v1/accounts/verify_credentials"
    revocation_endpoint: str | None = "https://mastodon.social/oauth/revoke"
    issuer: str = "https://mastodon.social"

    def at(self, instance: str) -> Self:
        """Return the same for another instance. Raises `ValueError` unless it is the address of a host."""
        host = origin(instance)
        return replace(
            self,
            authorization_endpoint=f"{host}/oauth/authorize",
            token_endpoint=f"{host}/oauth/token",
            userinfo_endpoint=f"{host}/api/v1/accounts/verify_credentials",
            revocation_endpoint=f"{host}/oauth/revoke",
            issuer=host,
        )

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Mastodon's words in those of OpenID Connect. It tells no address."""
        return {
            "sub": raw["id"],
            "name": raw.get("display_name"),
            "preferred_username": raw.get("username"),
            "profile": raw.get("url"),
            "picture": raw.get("avatar"),
        }
