"""OAuth1: a provider that speaks OAuth 1.0a (RFC 5849), as the former Twitter does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from powauth.errors import ConfigurationError
from powauth.oauth.addresses import return_problem, with_query
from powauth.oauth.answers import raise_refusal, read_resource, translated
from powauth.oauth.claims import Claims
from powauth.oauth.code_flow import DENIALS, NAME, compare_state
from powauth.oauth.errors import BadState, Denied, Malformed, Reason, Refused
from powauth.oauth.flow import Ask, Begun, Callback, Flow
from powauth.oauth.guard import address_problem
from powauth.oauth.identity import Identity
from powauth.oauth.oauth1_signing import Signature, base_string, header, sign
from powauth.oauth.pkce import random_value
from powauth.oauth.ports import HttpRequest, HttpResponse, Network
from powauth.oauth.reading import read_form, read_object, text_of
from powauth.oauth.tokens import Tokens
from powauth.oauth.tools import Tools

OURS = frozenset({"oauth_token", "oauth_callback", "oauth_verifier", "oauth_signature", "oauth_consumer_key"})
_KEYS = ("oauth_token", "oauth_token_secret")


@dataclass(frozen=True, kw_only=True)
class OAuth1:
    """A provider that speaks OAuth 1.0a, by configuration alone or as the base of a provider's file."""

    name: str
    """What the application calls the provider."""
    consumer_key: str
    """What the provider calls the application."""
    consumer_secret: str | None = field(default=None, repr=False)
    """For HMAC-SHA1 and PLAINTEXT."""
    private_key: str | None = field(default=None, repr=False)
    """As PEM, for RSA-SHA1."""
    signature: Signature = Signature.HMAC_SHA1
    """How requests are signed."""
    request_token_endpoint: str
    """Where a flow begins."""
    authorization_endpoint: str
    """Where the browser is sent."""
    access_token_endpoint: str
    """Where the verifier is exchanged."""
    userinfo_endpoint: str
    """Where it is said who somebody is, as a JSON object."""
    issuer: str = ""
    """Who vouches for the subject; without it, the origin of the authorization endpoint."""
    authorize_params: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Further parameters of the address that the browser is sent to."""
    title: str = ""
    """What people call it, on buttons and in mails; without it, as its class or `name` is spelled."""
    network: Network = Network.PUBLIC
    """Which addresses the provider may have."""

    # ---- what a provider's file may override ----

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return what the provider says in the words of OpenID Connect."""
        return raw

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return what the provider says of the person, in its own words."""
        return await self.fetch(tools, tokens, self.userinfo_endpoint)

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        found: list[str] = []
        if not NAME.fullmatch(self.name):
            found.append(f"name: {self.name!r} cannot stand in an address: use small letters, digits, - and _")
        if not self.consumer_key:
            found.append("consumer_key is missing: the provider gave it to you when you registered the application")
        if self.signature is Signature.RSA_SHA1 and not self.private_key:
            found.append("private_key is missing: RSA-SHA1 needs it")
        if self.signature is not Signature.RSA_SHA1 and not self.consumer_secret:
            found.append(f"consumer_secret is missing: {self.signature.value} needs it")
        endpoints = [f"{name}_endpoint" for name in ("request_token", "authorization", "access_token", "userinfo")]
        judged = {name: address_problem(getattr(self, name), self.network) for name in endpoints}
        found += [f"{name}: {problem}" for name, problem in judged.items() if problem]
        found += [
            f"authorize_params: {name} is the protocol's own" for name in sorted(OURS & set(self.authorize_params))
        ]
        return tuple(f"{self.name}: {problem}" for problem in found)

    # ---- the two halves ----

    async def begin(self, tools: Tools, *, redirect_uri: str, ask: Ask | None = None) -> Begun:
        """Return where to send the browser, and the flow to keep. It asks the provider for a request token first."""
        ask = ask or Ask()
        self._refuse(*self.problems(), *self._asked_wrongly(ask, redirect_uri))
        answer = await self._signed(tools, "POST", self.request_token_endpoint, {"oauth_callback": redirect_uri})
        said = _read(answer, "request token")
        if said.get("oauth_callback_confirmed") != "true":  # else the return address is anybody's (§2.1)
            raise Malformed("oauth_callback_confirmed")
        token, secret = _pair(said, "request token")
        flow = Flow(
            provider=self.name,
            redirect_uri=redirect_uri,
            response_mode="query",
            started_at=int(tools.now().timestamp()),
            state=token,
            token_secret=secret,
            issuer=self.whole_issuer,
        )
        params = {**self.authorize_params, **ask.params, "oauth_token": token}
        return Begun(with_query(self.authorization_endpoint, params), flow)

    async def complete(self, tools: Tools, flow: Flow, callback: Callback) -> Identity:
        """Return who came back. Raises a `ProviderError`, and never anything else, whatever came."""
        self._refuse(*self.problems())
        verifier = self._verifier(tools, flow, callback)
        params = {"oauth_token": flow.state, "oauth_verifier": verifier}
        answer = await self._signed(
            tools, "POST", self.access_token_endpoint, params, token_secret=flow.token_secret or ""
        )
        said = _read(answer, "access token")
        token, secret = _pair(said, "access token")
        tokens = Tokens(access_token=token, token_type="OAuth", token_secret=secret, raw=said)
        raw = await self.userinfo(tools, tokens)
        claims = Claims.read(translated(self.normalise, raw, "userinfo"))
        return Identity(provider=self.name, issuer=self.whole_issuer, claims=claims, tokens=tokens, raw=raw)

    def _verifier(self, tools: Tools, flow: Flow, callback: Callback) -> str:
        if flow.provider != self.name or flow.issuer != self.whole_issuer or flow.token_secret is None:
            raise BadState(Reason.OTHER_PROVIDER)
        if flow.is_over(tools.now()):
            raise BadState(Reason.FLOW_EXPIRED)
        if callback.by != "query":
            raise BadState(Reason.OTHER_WAY)
        denied = callback.get("denied")
        compare_state(denied or callback.get("oauth_token"), flow.state)
        error = callback.params.get("error")
        if denied or error in DENIALS:
            raise Denied("denied")
        if error:
            raise Refused(error, description=callback.params.get("error_description"))
        verifier = callback.get("oauth_verifier")
        if verifier is None:
            raise Malformed("oauth_verifier")
        return verifier

    # ---- what follows ----

    async def call(self, tools: Tools, tokens: Tokens, url: str, *, method: str = "GET") -> HttpResponse:
        """Ask a door of the provider in the person's name and return the answer, whatever its status."""
        params = {"oauth_token": tokens.access_token}
        return await self._signed(tools, method, url, params, token_secret=tokens.token_secret or "")

    async def fetch(self, tools: Tools, tokens: Tokens, url: str) -> dict[str, Any]:
        """Return what a door of the provider says as a JSON object."""
        return read_resource(await self.call(tools, tokens, url), "resource")

    # ---- inside ----

    @property
    def whole_issuer(self) -> str:
        """Who vouches for the subject, as identities name it."""
        origin = urlsplit(self.authorization_endpoint)
        return self.issuer or f"{origin.scheme}://{origin.netloc}"

    def _asked_wrongly(self, ask: Ask, redirect_uri: str) -> list[str]:
        found = [f"Ask.params: {name} is the protocol's own" for name in sorted(OURS.intersection(ask.params))]
        if ask.scopes or ask.prompt or ask.max_age is not None or ask.acr_values or ask.login_hint:
            found.append(f"{self.name}: OAuth 1.0a knows no scopes, prompt, max_age, acr_values or login_hint")
        if problem := return_problem(redirect_uri):
            found.append(f"redirect_uri: {problem}")
        return found

    async def _signed(
        self, tools: Tools, method: str, url: str, params: Mapping[str, str], *, token_secret: str = ""
    ) -> HttpResponse:
        """Ask with all of OAuth's parameters in the header, signed."""
        named = {
            "oauth_consumer_key": self.consumer_key,
            "oauth_nonce": random_value(),
            "oauth_signature_method": self.signature.value,
            "oauth_timestamp": str(int(tools.now().timestamp())),
            "oauth_version": "1.0",
            **params,
        }
        named["oauth_signature"] = sign(
            base_string(method, url, named.items()),
            by=self.signature,
            secrets=(self.consumer_secret or "", token_secret),
            private_key=self.private_key,
            jose=tools.jose,
        )
        headers = {"accept": "application/json, */*;q=0.5", "authorization": header(named)}
        return await tools.send(HttpRequest(method=method, url=url, headers=headers, network=self.network))

    def _refuse(self, *problems: str) -> None:
        if problems:
            raise ConfigurationError(*problems)


def _read(answer: HttpResponse, what: str) -> dict[str, Any]:
    """Return what a door for tokens said: form-encoded, whatever type it names, or JSON."""
    if answer.status not in {200, 201}:
        raise_refusal(answer, what)
        raise Malformed(f"{what} with status {answer.status}")
    if answer.body.lstrip()[:1] == b"{":
        return read_object(answer.body, what)
    return dict(read_form(answer.body, what))


def _pair(said: Mapping[str, Any], what: str) -> tuple[str, str]:
    token, secret = (text_of(said, name, what) for name in _KEYS)
    if not token or not secret or len(token) > 2_000 or len(secret) > 2_000:
        raise Malformed(what)
    return token, secret
