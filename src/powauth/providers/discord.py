"""Discord, by OAuth 2.0 and its API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import OAuth2


@dataclass(frozen=True, kw_only=True)
class Discord(OAuth2):
    """Discord. `Discord(client_id=…, client_secret=…)`."""

    name: str = "discord"
    scopes: tuple[str, ...] = ("identify", "email")
    authorization_endpoint: str = "https://discord.com/oauth2/authorize"
    token_endpoint: str = "https://discord.com/api/oauth2/token"
    userinfo_endpoint: str = "https://discord.com/api/users/@me"
    revocation_endpoint: str | None = "https://discord.com/api/oauth2/token/revoke"
    issuer: str = "https://discord.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Discord's words in those of OpenID Connect."""
        email = raw.get("email")
        return {
            "sub": raw["id"],
            "name": raw.get("global_name"),
            "preferred_username": raw.get("username"),
            "picture": _picture(raw["id"], raw.get("avatar")),
            "locale": raw.get("locale"),
            "email": email,
            "email_verified": raw.get("verified") if email else None,
        }


def _picture(id: str, avatar: str | None) -> str | None:
    return f"https://cdn.discordapp.com/avatars/{id}/{avatar}.png" if avatar else None
