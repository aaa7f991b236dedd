"""Instagram, by OAuth 2.0 and the Instagram API with Instagram Login; the Basic Display API is no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import ClientAuthentication, OAuth2, Tokens, Tools
from powauth.oauth.addresses import with_query


@dataclass(frozen=True, kw_only=True)
class Instagram(OAuth2):
    """Instagram, for professional accounts alone. `Instagram(client_id=…, client_secret=…)`."""

    name: str = "instagram"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("instagram_business_basic",)
    scope_separator: str = ","
    authorization_endpoint: str = "https://www.instagram.com/oauth/authorize"
    token_endpoint: str = "https://api.instagram.com/oauth/access_token"
    userinfo_endpoint: str = "https://graph.instagram.com/v21.0/me"
    issuer: str = "https://www.instagram.com"

    def token_answer(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the one token of the list that Instagram hands out, and what it may."""
        said = answer["data"][0] if "data" in answer else answer
        granted = said.get("permissions")
        scopes = {"scope": granted if isinstance(granted, str) else ",".join(granted)} if granted else {}
        return {"token_type": "Bearer", **said, **scopes}

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return the professional account."""
        asked = {"fields": "user_id,username,name,profile_picture_url", "access_token": tokens.access_token}
        return await self.fetch(tools, tokens, with_query(self.userinfo_endpoint, asked))

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Instagram's words in those of OpenID Connect. It tells no address."""
        account = raw["data"][0] if "data" in raw else raw
        return {
            "sub": account["user_id"],
            "name": account.get("name"),
            "preferred_username": account.get("username"),
            "picture": account.get("profile_picture_url"),
        }
