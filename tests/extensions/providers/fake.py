"""A provider in memory: a value like any other, that says of whoever comes back what a test wants."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from powauth.oauth import Ask, BadState, Begun, Callback, Claims, Denied, Flow, Identity, Reason, Refused, Tokens, Tools
from powauth.oauth.flow import ResponseMode
from powauth.testing import Site
from powauth.testing.site import Answer

ADA = {"sub": "1", "email": "ada@example.com", "email_verified": True, "name": "Ada"}


@dataclass
class Memory:
    """What it was asked, and what it will say."""

    claims: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    asks: list[Ask] = field(default_factory=list[Ask])
    completed: int = 0
    raises: Exception | None = None
    tokens: Tokens = field(default_factory=lambda: Tokens(access_token="a-token"))
    """What it gives at a sign-in."""
    good: set[str] = field(default_factory=set[str])
    """Refresh tokens that are good; each is, once. One that comes twice ends them all, as with many providers."""
    refreshed: int = 0
    lasts: timedelta = timedelta(hours=1)
    revoked: list[str] = field(default_factory=list[str])
    meets: Callable[[], Awaitable[None]] | None = None
    """What it waits for before it answers a refresh."""


@dataclass(frozen=True, kw_only=True)
class Fake:
    """A provider in memory."""

    name: str = "fake"
    issuer: str = "https://fake.example"
    response_mode: ResponseMode = "query"
    memory: Memory = field(default_factory=Memory, compare=False)

    def problems(self) -> tuple[str, ...]:
        return ()

    async def begin(self, tools: Tools, *, redirect_uri: str, ask: Ask | None = None) -> Begun:
        self.memory.asks.append(ask or Ask())
        if self.memory.raises:
            raise self.memory.raises
        state = secrets.token_urlsafe(32)
        flow = Flow(
            provider=self.name,
            redirect_uri=redirect_uri,
            response_mode=self.response_mode,
            started_at=int(tools.now().timestamp()),
            state=state,
            issuer=self.issuer,
        )
        return Begun(f"{self.issuer}/authorize?{urlencode({'state': state})}", flow)

    async def complete(self, tools: Tools, flow: Flow, callback: Callback) -> Identity:
        self.memory.completed += 1
        if self.memory.raises:
            raise self.memory.raises
        if flow.provider != self.name or flow.issuer != self.issuer or flow.is_over(tools.now()):
            raise BadState(Reason.OTHER_PROVIDER)
        if callback.by != flow.response_mode:
            raise BadState(Reason.OTHER_WAY)
        if not hmac.compare_digest(callback.get("state") or "", flow.state):
            raise BadState(Reason.STATE_WRONG)
        if callback.get("error"):
            raise Denied("access_denied")
        if callback.get("code") != "good":
            raise BadState(Reason.UNREADABLE)
        claims = Claims.read(self.memory.claims)
        return Identity(provider=self.name, issuer=self.issuer, claims=claims, tokens=self.memory.tokens)

    def is_issuer(self, issuer: str) -> bool:
        return issuer == self.issuer

    def gives(self, tools: Tools, *, number: int = 0) -> Tokens:
        """Return tokens that last, and remember that their refresh token is good."""
        self.memory.good.add(f"refresh-{number}")
        return Tokens(
            access_token=f"access-{number}",
            refresh_token=f"refresh-{number}",
            expires_at=tools.now() + self.memory.lasts,
        )

    async def refresh(self, tools: Tools, tokens: Tokens, *, subject: str | None = None) -> Tokens:
        self.memory.refreshed += 1
        number = self.memory.refreshed
        if self.memory.meets:
            await self.memory.meets()
        if self.memory.raises:
            raise self.memory.raises
        if tokens.refresh_token not in self.memory.good:
            self.memory.good.clear()
            raise Refused("invalid_grant", description=f"{tokens.refresh_token} was used", status=400)
        self.memory.good.remove(tokens.refresh_token)
        return self.gives(tools, number=number)

    async def revoke(self, tools: Tools, token: str, *, hint: str = "refresh_token") -> None:
        self.memory.revoked.append(token)
        self.memory.good.discard(token)


async def set_out(site: Site, name: str = "fake", **fields: object) -> str:
    """Press the provider's button and return the state that the browser was sent away with."""
    answer = await site.post(f"/providers/{name}", **fields)
    assert answer.status == 303, answer.text
    return state_of(answer.location)


def state_of(url: str) -> str:
    """Return the state of an address that a browser is sent to."""
    return parse_qs(urlsplit(url).query)["state"][0]


async def come_back(site: Site, state: str, name: str = "fake", code: str = "good") -> Answer:
    """Come back from the provider, as a browser does that another site sends."""
    query = urlencode({"code": code, "state": state})
    return await site.get(f"/providers/{name}/callback?{query}", headers={"sec-fetch-site": "cross-site"})


async def enter(site: Site, name: str = "fake", **fields: object) -> Answer:
    """Sign in with a provider."""
    return await come_back(site, await set_out(site, name, **fields), name)


async def who(site: Site) -> str | None:
    """Return the address of who is signed in."""
    answer = await site.get("/session", headers={"accept": "application/json"})
    account = answer.json["account"]
    return (account["email"] or account["username"]) if account else None
