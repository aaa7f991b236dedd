"""Strava, by OAuth 2.0 and its API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import ClientAuthentication, OAuth2


@dataclass(frozen=True, kw_only=True)
class Strava(OAuth2):
    """Strava. `Strava(client_id=…, client_secret=…)`."""

    name: str = "strava"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("read",)
    scope_separator: str = ","
    authorization_endpoint: str = "https://www.strava.com/oauth/authorize"
    token_endpoint: str = "https://www.strava.com/oauth/token"
    userinfo_endpoint: str = "https://www.strava.com/api/v3/athlete"
    issuer: str = "https://www.strava.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Strava's words in those of OpenID Connect. It tells no address."""
        names = (raw.get("firstname"), raw.get("lastname"))
        return {
            "sub": raw["id"],
            "name": " ".join(filter(None, names)) or None,
            "given_name": names[0],
            "family_name": names[1],
            "preferred_username": raw.get("username"),
            "picture": raw.get("profile"),
        }
