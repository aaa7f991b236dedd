"""OpenIDConnect: a provider that signs who somebody is (OpenID Connect Core 1.0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from powauth.oauth import id_tokens
from powauth.oauth.addresses import return_problem, with_query
from powauth.oauth.answers import read_resource, translated
from powauth.oauth.claims import Claims
from powauth.oauth.code_flow import CodeFlow
from powauth.oauth.discovery import WELL_KNOWN, Metadata, read_metadata
from powauth.oauth.errors import BadState, BadToken, Malformed, Reason, Unsuitable
from powauth.oauth.flow import Ask, Callback, Flow
from powauth.oauth.guard import address_problem
from powauth.oauth.id_tokens import TENANT, Expected, Issuer
from powauth.oauth.identity import Identity
from powauth.oauth.keys import KINDS, SHARED, suitable_keys
from powauth.oauth.pkce import random_value
from powauth.oauth.ports import HttpResponse, Jwk
from powauth.oauth.signed import FindKeys, verified
from powauth.oauth.tokens import Tokens
from powauth.oauth.tools import Tools

ID_TOKEN_TYPES = frozenset({"jwt", "id_token+jwt", "application/jwt"})
USERINFO_TYPES = frozenset({"jwt", "userinfo+jwt", "application/jwt", "token-userinfo+jwt"})
PROTOCOL_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "auth_time", "acr", "amr", "sid"}
)


@dataclass(frozen=True, kw_only=True)
class OpenIDConnect(CodeFlow):
    """A provider that speaks OpenID Connect, by configuration alone or as the base of a provider's file."""

    issuer: str
    """Who vouches, exactly as the provider writes it. `{tenantid}` stands for the tenant that a token names."""
    discovery: str | None = None
    """Where the provider's metadata are, if not below the issuer."""
    inline: Metadata | None = None
    """The metadata themselves, of a provider that publishes none."""
    id_token_algorithm: str = "RS256"
    """What ID tokens are signed with. No other is accepted, whatever a token says."""
    userinfo_algorithm: str | None = None
    """What signed userinfo is signed with; without it, the same."""
    nonce: bool = True
    """Binds the ID token to the flow. Turn it off only for a provider that does not give it back."""
    asks_userinfo: bool = True
    """Whether claims are also fetched from the userinfo endpoint: many providers tell the address only there."""
    trusted_audiences: tuple[str, ...] = ()
    """For whom else an ID token may be."""
    id_token_lifetime: timedelta | None = None
    """How old an ID token may be, whatever it says of its end."""
    tenant_claim: str = "tid"
    """Which claim names the tenant, where the issuer has `{tenantid}`."""
    tenants: tuple[str, ...] = ()
    """Which tenants are let in; empty means all of them."""

    base_scopes: ClassVar[tuple[str, ...]] = ("openid",)

    # ---- what a provider's file may override ----

    def check_claims(self, claims: Mapping[str, Any]) -> None:
        """Refuse an ID token that holds and that this provider's value does not want, by raising `BadToken`."""

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        found: list[str] = []
        for name in ("id_token_algorithm", "userinfo_algorithm"):
            algorithm = getattr(self, name)
            if algorithm is not None and algorithm not in {*KINDS, *SHARED}:
                found.append(f"{name}: {algorithm} is none that can be trusted")
            if algorithm in SHARED and len((self.client_secret or "").encode()) < SHARED[algorithm]:
                found.append(f"client_secret is too short to verify with: {algorithm} needs {SHARED[algorithm]} bytes")
        if problem := address_problem(self.discovery_url.replace(TENANT, "tenant"), self.network):
            found.append(f"issuer: {problem}")
        if self.inline is not None:
            found += self.inline.problems(self.network)
            if self.inline.issuer != self.issuer:
                found.append("inline: another issuer than the value's")
        if TENANT in self.discovery_url and self.inline is None:
            found.append("discovery is missing: an issuer with {tenantid} is no address")
        return (*super().problems(), *(f"{self.name}: {problem}" for problem in found))

    # ---- discovery ----

    @property
    def discovery_url(self) -> str:
        """Where the metadata are."""
        return self.discovery or self.issuer.rstrip("/") + WELL_KNOWN

    async def metadata(self, tools: Tools) -> Metadata:
        """Return where the provider's doors are, mostly from memory."""
        if self.inline is not None:
            return self.inline
        document = await tools.document(self.discovery_url, self.network)
        return read_metadata(document.content, issuer=self.issuer, network=self.network)

    def audience(self, metadata: Metadata) -> str:
        """Return whom signed proofs are for: the issuer, as nobody else can take it for theirs."""
        return metadata.issuer

    # ---- the way there ----

    def unfit(self, ask: Ask) -> tuple[str, ...]:
        """Return nothing: OpenID Connect knows it all."""
        wrong = ask.max_age is not None and not timedelta(0) <= ask.max_age <= timedelta(days=3650)
        return (f"{self.name}: max_age is less than nothing, or more than anybody can mean",) if wrong else ()

    def flow(self, tools: Tools, metadata: Metadata, redirect_uri: str, ask: Ask) -> Flow:
        """Return what is kept while the browser is away."""
        flow = super().flow(tools, metadata, redirect_uri, ask)
        max_age = timedelta(0) if ask.prompt == "login" else ask.max_age
        return replace(
            flow,
            nonce=random_value() if self.nonce else None,
            max_age=None if max_age is None else int(max_age.total_seconds()),
            acr_values=tuple(ask.acr_values),
        )

    def parameters(self, flow: Flow, ask: Ask) -> dict[str, str]:
        """Return the parameters of the protocol for the browser's way there."""
        params = super().parameters(flow, ask)
        if flow.nonce is not None:
            params["nonce"] = flow.nonce
        if ask.prompt is not None:
            params["prompt"] = ask.prompt
        if flow.max_age is not None:
            params["max_age"] = str(flow.max_age)
        if flow.acr_values:
            params["acr_values"] = " ".join(flow.acr_values)
        return params

    # ---- the way back ----

    @property
    def issuers(self) -> Issuer:
        """Who may have issued a token."""
        return Issuer(value=self.issuer, tenant_claim=self.tenant_claim, tenants=self.tenants)

    def is_issuer(self, issuer: str) -> bool:
        """Say whether this provider vouches under that name."""
        return self.issuers.may_be(issuer)

    def check_issuer(self, metadata: Metadata, said: str | None) -> None:
        """Refuse an answer of another provider (RFC 9207)."""
        if said is None and metadata.authorization_response_iss_parameter_supported:
            raise BadState(Reason.ISSUER_MISSING)
        if said is not None and not self.issuers.may_be(said):
            raise BadState(Reason.ISSUER_WRONG)

    async def identify(self, tools: Tools, flow: Flow, callback: Callback, tokens: Tokens) -> Identity:
        """Return whom the ID token names."""
        metadata = await self.metadata(tools)
        expected = self._expected(tools, tokens, flow=flow, code=callback.get("code"))
        claims, issuer = await self._id_token(tools, metadata, tokens, expected)
        if callback.get("iss") not in (None, issuer):  # one tenant's answer, another one's token
            raise BadState(Reason.ISSUER_WRONG)
        self.check_claims(claims)
        raw = merged(claims, await self._userinfo(tools, metadata, tokens, claims))
        normal = translated(self.normalise, raw, "claims")
        said = {name: value for name, value in normal.items() if name not in PROTOCOL_CLAIMS - {"sub"}}
        return Identity(
            provider=self.name,
            issuer=issuer,
            claims=Claims.read({**self.from_browser(callback), **said}),
            tokens=tokens,
            auth_time=_time(claims.get("auth_time")),
            acr=_text(claims.get("acr")),
            raw=raw,
        )

    def _expected(self, tools: Tools, tokens: Tokens, *, flow: Flow | None = None, code: str | None = None) -> Expected:
        since = None
        if flow is not None and flow.max_age is not None:
            since = datetime.fromtimestamp(flow.started_at, UTC) - timedelta(seconds=flow.max_age)
        return Expected(
            issuer=self.issuers,
            client_id=self.client_id,
            now=tools.now(),
            leeway=tools.leeway,
            algorithm=self.id_token_algorithm,
            nonce=flow.nonce if flow else None,
            trusted_audiences=self.trusted_audiences,
            lifetime=self.id_token_lifetime,
            access_token=tokens.access_token,
            code=code,
            fresh_since=since,
            acr_values=flow.acr_values if flow else (),
        )

    async def _id_token(
        self, tools: Tools, metadata: Metadata, tokens: Tokens, expected: Expected
    ) -> tuple[dict[str, Any], str]:
        if tokens.id_token is None:
            raise BadToken(Reason.ID_TOKEN_MISSING)
        algorithm, find = self.id_token_algorithm, self._keys(tools, metadata, self.id_token_algorithm)
        claims = await verified(
            tokens.id_token, algorithm=algorithm, types=ID_TOKEN_TYPES, find_keys=find, jose=tools.jose
        )
        return claims, id_tokens.check(claims, expected)

    def _keys(self, tools: Tools, metadata: Metadata, algorithm: str) -> FindKeys:
        """Return who finds keys: the client's secret where the provider is configured to sign with it, else its own."""

        async def find(id: str | None, anew: bool) -> Sequence[Jwk | str]:  # noqa: FBT001
            if algorithm in SHARED:
                return [self.client_secret or ""]
            if metadata.jwks_uri is None:
                raise Unsuitable(f"{self.name} publishes no keys")
            document = await tools.document(metadata.jwks_uri, self.network, anew=anew)
            return suitable_keys(document.content, algorithm=algorithm, id=id)

        return find

    # ---- userinfo ----

    async def _userinfo(
        self, tools: Tools, metadata: Metadata, tokens: Tokens, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        if not self.asks_userinfo or metadata.userinfo_endpoint is None:
            return {}
        return await self.userinfo(tools, tokens, subject=claims["sub"])

    async def userinfo(self, tools: Tools, tokens: Tokens, *, subject: str) -> Mapping[str, Any]:
        """Return what the userinfo endpoint says of this subject, signed or not; of another one nothing (§5.3.2)."""
        metadata = await self.metadata(tools)
        if metadata.userinfo_endpoint is None:
            raise Unsuitable(f"{self.name} has no userinfo")
        answer = await self.call(
            tools, tokens, metadata.userinfo_endpoint, accept="application/json, application/jwt;q=0.9"
        )
        if answer.status == 200 and answer.media_type == "application/jwt":
            said = await self._signed_userinfo(tools, metadata, answer)
        else:
            said = read_resource(answer, "userinfo")
        if said.get("sub") != subject:
            raise BadToken(Reason.SUBJECT)
        return said

    async def _signed_userinfo(self, tools: Tools, metadata: Metadata, answer: HttpResponse) -> dict[str, Any]:
        algorithm = self.userinfo_algorithm or self.id_token_algorithm
        try:
            token = answer.body.decode("ascii").strip()
        except UnicodeDecodeError:
            raise Malformed("userinfo") from None
        find = self._keys(tools, metadata, algorithm)
        said = await verified(token, algorithm=algorithm, types=USERINFO_TYPES, find_keys=find, jose=tools.jose)
        if "iss" in said:
            self.issuers.check(said)
        if "aud" in said:
            id_tokens.check_audience(said, self.client_id, self.trusted_audiences)
        id_tokens.check_times(said, self._expected(tools, Tokens(access_token="")))
        return said

    # ---- what follows ----

    async def check_refreshed(self, tools: Tools, tokens: Tokens, subject: str | None) -> None:
        """Refuse a new ID token that is not of the same person, issuer and client (§12.2)."""
        if tokens.id_token is None:
            return
        metadata = await self.metadata(tools)
        claims = await verified(
            tokens.id_token,
            algorithm=self.id_token_algorithm,
            types=ID_TOKEN_TYPES,
            find_keys=self._keys(tools, metadata, self.id_token_algorithm),
            jose=tools.jose,
        )
        # It may repeat the nonce of the first one, which nobody has any more.
        expected = self._expected(tools, tokens)
        id_tokens.check({name: value for name, value in claims.items() if name != "nonce"}, expected)
        if subject is not None and claims["sub"] != subject:
            raise BadToken(Reason.SUBJECT)

    async def logout_url(
        self, tools: Tools, *, id_token: str | None = None, return_to: str | None = None, state: str | None = None
    ) -> str:
        """Return where a browser is sent to sign out at the provider as well (RP-Initiated Logout 1.0)."""
        self._refuse(*self.problems())
        metadata = await self.metadata(tools)
        if metadata.end_session_endpoint is None:
            raise Unsuitable(f"{self.name} has no address for signing out")
        if return_to is not None and (problem := return_problem(return_to)):
            self._refuse(f"return_to: {problem}")
        params = {
            "client_id": self.client_id,
            "id_token_hint": id_token,
            "post_logout_redirect_uri": return_to,
            "state": state,
        }
        return with_query(
            metadata.end_session_endpoint, {name: value for name, value in params.items() if value is not None}
        )


def merged(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both say. The ID token's protocol claims stand; an address and whether it is proved come from one."""
    said, more = dict(id_token), {name: value for name, value in userinfo.items() if name not in PROTOCOL_CLAIMS}
    for name in ("email", "phone_number"):
        loser = said if name in more else more
        loser.pop(f"{name}_verified", None)
    return {**said, **more}


def _time(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
