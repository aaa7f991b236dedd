"""Facebook, by OAuth 2.0 and the Graph API."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import ClientAuthentication, OAuth2, Tokens, Tools
from powauth.oauth.addresses import with_query
from powauth.oauth.reading import as_object


@dataclass(frozen=True, kw_only=True)
class Facebook(OAuth2):
    """Facebook. `Facebook(client_id=…, client_secret=…)`. Another version of the API: its three endpoints."""

    name: str = "facebook"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("public_profile", "email")
    authorization_endpoint: str = "https://www.facebook.com/v21.0/dialog/oauth"
    token_endpoint: str = "https://graph.facebook.com/v21.0/oauth/access_token"
    userinfo_endpoint: str = "https://graph.facebook.com/v21.0/me"
    issuer: str = "https://www.facebook.com"
    fields: tuple[str, ...] = ("id", "name", "first_name", "middle_name", "last_name", "email", "picture")
    """What is asked of the person."""

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return the person, by a request that proves that this application makes it: a stolen token opens nothing."""
        asked = {
            "fields": ",".join(self.fields),
            "access_token": tokens.access_token,
            "appsecret_proof": self.proof(tools, tokens),
        }
        return await self.fetch(tools, tokens, with_query(self.userinfo_endpoint, asked))

    def proof(self, tools: Tools, tokens: Tokens) -> str:
        """Return what goes with every call of the API as `appsecret_proof`."""
        secret = self.secret(tools) or ""
        return hmac.new(secret.encode(), tokens.access_token.encode(), hashlib.sha256).hexdigest()

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Facebook's words in those of OpenID Connect. Whether the address is proved, it does not say."""
        picture = as_object((as_object(raw.get("picture")) or {}).get("data")) or {}
        return {
            "sub": raw["id"],
            "name": raw.get("name"),
            "given_name": raw.get("first_name"),
            "middle_name": raw.get("middle_name"),
            "family_name": raw.get("last_name"),
            "picture": picture.get("url"),
            "email": raw.get("email"),
        }
