"""GitHub, by OAuth 2.0 and its API."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from powauth.oauth import ClientAuthentication, Malformed, OAuth2, Tokens, Tools
from powauth.oauth.reading import as_list, as_object, read_json
from powauth.providers.hosts import origin


@dataclass(frozen=True, kw_only=True)
class GitHub(OAuth2):
    """GitHub. `GitHub(client_id=…, client_secret=…)`; your own: `.at("https://github.example.com")`."""

    name: str = "github"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("read:user", "user:email")
    authorization_endpoint: str = "https://github.com/login/oauth/authorize"
    token_endpoint: str = "https://github.com/login/oauth/access_token"
    userinfo_endpoint: str = "https://api.github.com/user"
    emails_endpoint: str = "https://api.github.com/user/emails"
    issuer: str = "https://github.com"

    def at(self, address: str) -> Self:
        """Return the same for a GitHub Enterprise Server. Raises `ValueError` unless it is the address of a host."""
        host = origin(address)
        return replace(
            self,
            authorization_endpoint=f"{host}/login/oauth/authorize",
            token_endpoint=f"{host}/login/oauth/access_token",
            userinfo_endpoint=f"{host}/api/v3/user",
            emails_endpoint=f"{host}/api/v3/user/emails",
            issuer=host,
        )

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return the person, and the addresses: the one in the profile may be anybody's."""
        person = await super().userinfo(tools, tokens)
        answer = await self.call(tools, tokens, self.emails_endpoint)
        if answer.status in {403, 404}:  # not granted: then no address is known, whatever the profile shows
            return person
        emails = as_list(read_json(answer.body, "emails")) if answer.status == 200 else None
        if emails is None:
            raise Malformed("emails")
        return {**person, "emails": emails}

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return GitHub's words in those of OpenID Connect: the primary address, and whether it is verified."""
        emails = filter(None, map(as_object, as_list(raw.get("emails")) or []))
        primary = next((email for email in emails if email.get("primary") is True), dict[str, Any]())
        return {
            "sub": raw.get("id"),
            "name": raw.get("name"),
            "nickname": raw.get("login"),
            "preferred_username": raw.get("login"),
            "profile": raw.get("html_url"),
            "picture": raw.get("avatar_url"),
            "website": raw.get("blog"),
            "email": primary.get("email"),
            "email_verified": primary.get("verified"),
        }
