"""Spotify, by OAuth 2.0 and its API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import OAuth2
from powauth.oauth.reading import as_list


@dataclass(frozen=True, kw_only=True)
class Spotify(OAuth2):
    """Spotify. `Spotify(client_id=…, client_secret=…)`."""

    name: str = "spotify"
    scopes: tuple[str, ...] = ("user-read-email",)
    authorization_endpoint: str = "https://accounts.spotify.com/authorize"
    token_endpoint: str = "https://accounts.spotify.com/api/token"
    userinfo_endpoint: str = "https://api.spotify.com/v1/me"
    issuer: str = "https://accounts.spotify.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Spotify's words in those of OpenID Connect. Its `id` may change, and its address nobody proved."""
        images = as_list(raw.get("images")) or []
        return {
            "sub": raw["account_id"],
            "name": raw.get("display_name"),
            "picture": images[0].get("url") if images else None,
            "email": raw.get("email"),
        }
