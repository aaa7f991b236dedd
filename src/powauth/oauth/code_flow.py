"""The authorization code flow, as OAuth 2.0 and OpenID Connect have it in common: two halves, and what follows."""

import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from json import dumps
from typing import Any, ClassVar
from urllib.parse import urlencode

from powauth.errors import ConfigurationError
from powauth.oauth.addresses import return_problem, with_query
from powauth.oauth.answers import raise_refusal, read_answer, read_resource, translated
from powauth.oauth.client_authentication import Client, ClientAuthentication, prove
from powauth.oauth.discovery import Metadata
from powauth.oauth.errors import BadState, Denied, Malformed, Reason, Refused, Unsuitable
from powauth.oauth.flow import Ask, Begun, Callback, Flow, ResponseMode
from powauth.oauth.identity import Identity
from powauth.oauth.pkce import challenge, random_value
from powauth.oauth.ports import HttpRequest, HttpResponse, Network, PrivateKey
from powauth.oauth.tokens import Tokens, read_tokens
from powauth.oauth.tools import Tools

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
FORM = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
OURS = frozenset(
    {
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "max_age", "acr_values", "request", "request_uri"),
        *("client_secret", "client_assertion", "client_assertion_type", "id_token_hint", "registration"),
        *("grant_type", "code", "code_verifier", "refresh_token"),
    }
)
"""Parameters of the protocol: `authorize_params`, `token_params` and `Ask.params` cannot set them."""
DENIALS = frozenset({"access_denied", "user_denied", "user_cancelled_authorize", "user_cancelled_login"})


@dataclass(frozen=True, kw_only=True)
class CodeFlow(ABC):
    """What the two protocols have in common."""

    name: str
    """What the application calls the provider: stands in addresses and in what is kept."""
    client_id: str
    """What the provider calls the application."""
    client_secret: str | None = field(default=None, repr=False)
    """What the provider gave the application to prove itself with."""
    client_authentication: ClientAuthentication = ClientAuthentication.BASIC
    """How the application proves who it is."""
    private_key: PrivateKey | None = field(default=None, repr=False)
    """For `private_key_jwt`."""
    client_assertion_audience: str | None = None
    """Whom signed proofs are for; without it the issuer, or where there is none the token endpoint."""
    scopes: tuple[str, ...] = ()
    """Asked for every time."""
    scope_separator: str = " "
    """What stands between scopes, for providers that know the standard otherwise."""
    authorize_params: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Further parameters of the address that the browser is sent to."""
    token_params: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """Further parameters for the token endpoint."""
    response_mode: ResponseMode = "query"
    """How the browser comes back: by GET with a query, or by POST with a form."""
    pkce: bool = True
    """PKCE with S256. Turn it off only for a provider that refuses it."""
    title: str = ""
    """What people call it, on buttons and in mails; without it, as its class or `name` is spelled."""
    network: Network = Network.PUBLIC
    """Which addresses the provider may have."""

    base_scopes: ClassVar[tuple[str, ...]] = ()

    # ---- what a provider's file may override ----

    def secret(self, tools: Tools) -> str | None:  # noqa: ARG002  for those that make one for each request
        """Return the client's secret."""
        return self.client_secret

    def from_browser(self, callback: Callback) -> Mapping[str, object]:  # noqa: ARG002
        """Return claims that came through the browser: anybody may have written them, so names at most."""
        return {}

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return what the provider says in the words of OpenID Connect; what they lack goes through as it is."""
        return raw

    def token_answer(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the token endpoint said in the standard's shape, for a provider that has one of its own."""
        return answer

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each. `begin` and `complete` refuse to work with any."""
        found = [*self.client(None).problems()]
        if not NAME.fullmatch(self.name):
            found.append(f"name: {self.name!r} cannot stand in an address: use small letters, digits, - and _")
        found += _not_settable("authorize_params", self.authorize_params)
        found += _not_settable("token_params", self.token_params)
        return tuple(f"{self.name}: {problem}" for problem in found)

    @abstractmethod
    async def metadata(self, tools: Tools) -> Metadata:
        """Return where the provider's doors are."""

    @abstractmethod
    async def identify(self, tools: Tools, flow: Flow, callback: Callback, tokens: Tokens) -> Identity:
        """Return who these tokens are of."""

    # ---- the two halves ----

    async def begin(self, tools: Tools, *, redirect_uri: str, ask: Ask | None = None) -> Begun:
        """Return where to send the browser, and the flow to keep until it is back at `redirect_uri`."""
        ask = ask or Ask()
        self._refuse(*self.problems(), *_asked_wrongly(ask, redirect_uri), *self.unfit(ask))
        metadata = await self.metadata(tools)
        self._suits(metadata)
        flow = self.flow(tools, metadata, redirect_uri, ask)
        params = {**self.authorize_params, **ask.params, **self.parameters(flow, ask)}
        return Begun(with_query(metadata.authorization_endpoint, params), flow)

    async def complete(self, tools: Tools, flow: Flow, callback: Callback) -> Identity:
        """Return who came back. Raises a `ProviderError`, and never anything else, whatever came.

        Take the flow out of where it was kept before you call this: it is good once.
        """
        self._refuse(*self.problems())
        metadata = await self.metadata(tools)
        code = self._code(tools, metadata, flow, callback)
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri}
        if flow.verifier is not None:
            fields["code_verifier"] = flow.verifier
        answer = await self._ask(tools, metadata, metadata.token_endpoint, fields)
        return await self.identify(tools, flow, callback, self._tokens(tools, answer, flow.scopes))

    # ---- what follows ----

    async def refresh(self, tools: Tools, tokens: Tokens, *, subject: str | None = None) -> Tokens:
        """Return new tokens for old ones. `subject` is whose they are: a new ID token has to say the same."""
        if tokens.refresh_token is None:
            raise Unsuitable(f"{self.name} gave no refresh token")
        fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        metadata = await self.metadata(tools)
        answer = await self._ask(tools, metadata, metadata.token_endpoint, fields)
        new = self._tokens(tools, answer, tokens.scopes)
        await self.check_refreshed(tools, new, subject)
        return replace(new, refresh_token=new.refresh_token or tokens.refresh_token)

    async def check_refreshed(self, tools: Tools, tokens: Tokens, subject: str | None) -> None:  # noqa: B027
        """Refuse refreshed tokens that are somebody else's, where that can be told."""

    async def revoke(self, tools: Tools, token: str, *, hint: str = "refresh_token") -> None:
        """Make a token worthless at the provider (RFC 7009). One that is worthless already is no error."""
        metadata = await self.metadata(tools)
        if metadata.revocation_endpoint is None:
            raise Unsuitable(f"{self.name} revokes no tokens")
        fields = {"token": token, "token_type_hint": hint}
        answer = await self._post(tools, metadata, metadata.revocation_endpoint, fields)
        if answer.status not in {200, 204}:
            raise_refusal(answer, "revocation")
            raise Malformed(f"revocation with status {answer.status}")

    async def call(
        self,
        tools: Tools,
        tokens: Tokens,
        url: str,
        *,
        method: str = "GET",
        json: object = None,
        accept: str = "application/json",
    ) -> HttpResponse:
        """Ask a door of the provider in the person's name and return the answer, whatever its status."""
        headers = {"accept": accept, "authorization": f"Bearer {tokens.access_token}"}
        body = b""
        if json is not None:
            headers["content-type"], body = "application/json", dumps(json).encode()
        return await tools.send(HttpRequest(method=method, url=url, headers=headers, body=body, network=self.network))

    async def fetch(
        self, tools: Tools, tokens: Tokens, url: str, *, method: str = "GET", json: object = None
    ) -> dict[str, Any]:
        """Return what a door of the provider says as a JSON object."""
        return read_resource(await self.call(tools, tokens, url, method=method, json=json), "resource")

    # ---- inside ----

    def client(self, tools: Tools | None) -> Client:
        """Return who the application is to the provider; without `tools`, with the secret as it is configured."""
        secret = self.client_secret if tools is None else self.secret(tools)
        return Client(id=self.client_id, by=self.client_authentication, secret=secret, key=self.private_key)

    def unfit(self, ask: Ask) -> tuple[str, ...]:
        """Return what this protocol cannot promise."""
        if ask.max_age is not None or ask.acr_values or ask.prompt is not None:
            return (f"{self.name}: only OpenID Connect knows prompt, max_age and acr_values",)
        return ()

    def flow(self, tools: Tools, metadata: Metadata, redirect_uri: str, ask: Ask) -> Flow:
        """Return what is kept while the browser is away."""
        return Flow(
            provider=self.name,
            redirect_uri=redirect_uri,
            response_mode=self.response_mode,
            started_at=int(tools.now().timestamp()),
            state=random_value(),
            verifier=random_value() if self.pkce else None,
            issuer=metadata.issuer,
            scopes=tuple(dict.fromkeys((*self.base_scopes, *self.scopes, *ask.scopes))),
        )

    def parameters(self, flow: Flow, ask: Ask) -> dict[str, str]:
        """Return the parameters of the protocol for the browser's way there."""
        params = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": flow.redirect_uri,
            "state": flow.state,
        }
        if flow.scopes:
            params["scope"] = self.scope_separator.join(flow.scopes)
        if flow.verifier is not None:
            params |= {"code_challenge": challenge(flow.verifier), "code_challenge_method": "S256"}
        if flow.response_mode != "query":
            params["response_mode"] = flow.response_mode
        if ask.login_hint:
            params["login_hint"] = ask.login_hint
        return params

    def _code(self, tools: Tools, metadata: Metadata, flow: Flow, callback: Callback) -> str:
        """Return the code of a call-back that belongs to this flow. State and issuer come before all it says."""
        if flow.provider != self.name or flow.issuer != metadata.issuer:
            raise BadState(Reason.OTHER_PROVIDER)
        if flow.is_over(tools.now()):
            raise BadState(Reason.FLOW_EXPIRED)
        if callback.by != flow.response_mode:
            raise BadState(Reason.OTHER_WAY)
        compare_state(callback.get("state"), flow.state)
        self.check_issuer(metadata, callback.get("iss"))
        raise_denial(callback)
        code = callback.get("code")
        if code is None:
            raise Malformed("code")
        return code

    def check_issuer(self, metadata: Metadata, said: str | None) -> None:
        """Refuse an answer of another provider (RFC 9207), or one of nobody where this one always says who it is."""
        if said is None and metadata.authorization_response_iss_parameter_supported:
            raise BadState(Reason.ISSUER_MISSING)
        if said is not None and metadata.authorization_response_iss_parameter_supported and said != metadata.issuer:
            raise BadState(Reason.ISSUER_WRONG)

    def _tokens(self, tools: Tools, answer: Mapping[str, Any], asked: tuple[str, ...]) -> Tokens:
        return read_tokens(
            translated(self.token_answer, answer, "token answer"),
            now=tools.now(),
            separator=self.scope_separator,
            asked=asked,
        )

    async def _ask(self, tools: Tools, metadata: Metadata, url: str, fields: Mapping[str, str]) -> dict[str, Any]:
        return read_answer(await self._post(tools, metadata, url, fields), "token answer")

    async def _post(self, tools: Tools, metadata: Metadata, url: str, fields: Mapping[str, str]) -> HttpResponse:
        audience = self.client_assertion_audience or self.audience(metadata)
        headers, proof = prove(self.client(tools), audience=audience, jose=tools.jose, now=tools.now())
        body = urlencode({**self.token_params, **fields, **proof}).encode()
        return await tools.send(
            HttpRequest(method="POST", url=url, headers={**FORM, **headers}, body=body, network=self.network)
        )

    def audience(self, metadata: Metadata) -> str:
        """Return whom signed proofs are for."""
        return metadata.token_endpoint

    def _suits(self, metadata: Metadata) -> None:
        offered = metadata.token_endpoint_auth_methods_supported
        if offered is not None and self.client_authentication.value not in offered:
            raise Unsuitable(f"{self.name} does not offer {self.client_authentication.value}")

    def _refuse(self, *problems: str) -> None:
        if problems:
            raise ConfigurationError(*problems)


def compare_state(said: str | None, state: str) -> None:
    """Refuse a call-back of another flow. In constant time, as what is compared is a secret."""
    if said is None:
        raise BadState(Reason.STATE_MISSING)
    if not hmac.compare_digest(said.encode("utf-8", "replace"), state.encode("utf-8", "replace")):
        raise BadState(Reason.STATE_WRONG)


def raise_denial(callback: Callback) -> None:
    """Raise what a call-back says went wrong, if it does."""
    error = callback.params.get("error")
    if error is None:
        return
    if error in DENIALS:
        raise Denied(error)
    raise Refused(error, description=callback.params.get("error_description"), uri=callback.params.get("error_uri"))


def _not_settable(where: str, params: Mapping[str, str]) -> list[str]:
    return [f"{where}: {name} is the protocol's own" for name in sorted(OURS.intersection(params))]


def _asked_wrongly(ask: Ask, redirect_uri: str) -> list[str]:
    found = _not_settable("Ask.params", ask.params)
    if problem := return_problem(redirect_uri):
        found.append(f"redirect_uri: {problem}")
    return found
