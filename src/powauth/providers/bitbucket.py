"""Bitbucket Cloud, by OAuth 2.0 and its API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import Malformed, OAuth2, Tokens, Tools
from powauth.oauth.reading import as_list, as_object, read_object


@dataclass(frozen=True, kw_only=True)
class Bitbucket(OAuth2):
    """Bitbucket Cloud. `Bitbucket(client_id=…, client_secret=…)`."""

    name: str = "bitbucket"
    scopes: tuple[str, ...] = ("account", "email")
    authorization_endpoint: str = "https://bitbucket.org/site/oauth2/authorize"
    token_endpoint: str = "https://bitbucket.org/site/oauth2/access_token"
    userinfo_endpoint: str = "https://api.bitbucket.org/2.0/user"
    emails_endpoint: str = "https://api.bitbucket.org/2.0/user/emails"
    issuer: str = "https://bitbucket.org"

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return the person, and the addresses from a door of their own."""
        person = await super().userinfo(tools, tokens)
        answer = await self.call(tools, tokens, self.emails_endpoint)
        if answer.status == 403:  # not granted: then no address is known
            return {**person, "emails": []}
        emails = as_list(read_object(answer.body, "emails").get("values")) if answer.status == 200 else None
        if emails is None:
            raise Malformed("emails")
        return {**person, "emails": emails}

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Bitbucket's words in those of OpenID Connect: the primary address, and whether it is confirmed."""
        emails = filter(None, map(as_object, as_list(raw.get("emails")) or []))
        primary = next((email for email in emails if email.get("is_primary") is True), dict[str, Any]())
        picture = as_object((as_object(raw.get("links")) or {}).get("avatar")) or {}
        return {
            "sub": raw.get("uuid"),
            "name": raw.get("display_name"),
            "nickname": raw.get("nickname"),
            "preferred_username": raw.get("username"),
            "picture": picture.get("href"),
            "email": primary.get("email"),
            "email_verified": primary.get("is_confirmed"),
        }
