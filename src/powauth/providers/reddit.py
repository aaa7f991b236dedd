"""Reddit, by OAuth 2.0: it wants to know by name who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from powauth.oauth import Callback, Flow, Http, HttpRequest, HttpResponse, Identity, OAuth2, Tokens, Tools


@dataclass(frozen=True)
class Named:
    """Somebody who asks under a name."""

    http: Http
    user_agent: str

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Ask once and return the answer."""
        return await self.http.send(replace(request, headers={**request.headers, "user-agent": self.user_agent}))


@dataclass(frozen=True, kw_only=True)
class Reddit(OAuth2):
    """Reddit. `Reddit(client_id=…, client_secret=…, user_agent="web:com.example.app:1.0 (by /u/name)")`."""

    name: str = "reddit"
    user_agent: str
    """What Reddit knows the application by; requests under a common name are turned away."""
    scopes: tuple[str, ...] = ("identity",)
    authorization_endpoint: str = "https://www.reddit.com/api/v1/authorize"
    token_endpoint: str = "https://www.reddit.com/api/v1/access_token"
    userinfo_endpoint: str = "https://oauth.reddit.com/api/v1/me"
    revocation_endpoint: str | None = "https://www.reddit.com/api/v1/revoke_token"
    issuer: str = "https://www.reddit.com"

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        if not self.user_agent.isprintable() or not self.user_agent.isascii() or not self.user_agent.strip():
            return (*super().problems(), f"{self.name}: user_agent is missing: platform:id:version (by /u/name)")
        return super().problems()

    async def complete(self, tools: Tools, flow: Flow, callback: Callback) -> Identity:
        """Return who came back."""
        return await super().complete(self._named(tools), flow, callback)

    async def refresh(self, tools: Tools, tokens: Tokens, *, subject: str | None = None) -> Tokens:
        """Return new tokens for old ones."""
        return await super().refresh(self._named(tools), tokens, subject=subject)

    async def revoke(self, tools: Tools, token: str, *, hint: str = "refresh_token") -> None:
        """Make a token worthless at Reddit."""
        await super().revoke(self._named(tools), token, hint=hint)

    def _named(self, tools: Tools) -> Tools:
        return replace(tools, http=Named(tools.http, self.user_agent))

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Reddit's words in those of OpenID Connect. It tells no address."""
        return {"sub": raw["id"], "preferred_username": raw.get("name"), "picture": raw.get("icon_img")}
