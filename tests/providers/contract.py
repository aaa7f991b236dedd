"""What holds for every provider that signs in by a code: each one's file brings its answers (S47, S57, S69)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from powauth.oauth import (
    BadToken,
    Begun,
    Callback,
    Denied,
    Identity,
    NoAnswer,
    ProviderError,
    Reason,
    Refused,
    TooBig,
    TooSlow,
)  # fmt: skip
from powauth.oauth.code_flow import CodeFlow
from tests.oauth.paper import BACK, keys, rsa, signed
from tests.providers.loopback import LONGEST, SLOW, Loopback

ID, SECRET = "our-client", "a secret of thirty-two bytes, or more"
SETTINGS: Mapping[str, Any] = {"client_id": ID, "client_secret": SECRET}
TOKENS = {"access_token": "access-token", "token_type": "bearer", "expires_in": 3600}
NONSENSE = (b"", b"{", b"[]", b"null", b"7", b'"text"', b"{}", b'{"sub": NaN}', b"\xff", b"<html>")


class Contract:
    """A provider of OAuth 2.0."""

    value: ClassVar[CodeFlow]
    token: ClassVar[str]
    """Where codes are exchanged."""
    answers: ClassVar[Mapping[str, Any]]
    """What its doors answer, by their addresses, as documented."""
    issuer: ClassVar[str]
    claims: ClassVar[Mapping[str, Any]]
    """What comes of it, `sub` included."""
    silent: ClassVar[Mapping[str, Any]] = {}
    """Answers that tell no address."""
    unproved: ClassVar[Mapping[str, Any]] = {}
    """Answers that tell one that is not verified; empty where none is ever said to be."""
    error: ClassVar[Any] = (400, {"error": "invalid_grant", "error_description": "The code is over."})
    """What is answered to a bad code, as documented."""
    comes_back: ClassVar[Mapping[str, str]] = {}
    """What comes back beside code and state."""

    async def begin(self, site: Loopback) -> Begun:
        site.answers.update(self.answers)
        return await self.value.begin(site.tools(), redirect_uri=BACK)

    def prepare(self, site: Loopback, begun: Begun) -> None:
        """Change what is answered for one flow."""

    async def sign_in(
        self, site: Loopback, changes: Mapping[str, Any] | None = None, within: timedelta = timedelta(seconds=10)
    ) -> Identity:
        begun = await self.begin(site)
        self.prepare(site, begun)
        site.answers.update(changes or {})
        params = {"code": "code", "state": begun.flow.state, **self.comes_back}
        return await self.value.complete(site.tools(within), begun.flow, Callback(params, begun.flow.response_mode))

    async def test_it_says_who_somebody_is(self, site: Loopback) -> None:
        identity = await self.sign_in(site)
        assert (identity.issuer, identity.provider) == (self.issuer, self.value.name)
        said = identity.claims.plain()
        assert {name: said.get(name) for name in self.claims} == self.claims
        assert isinstance(identity.subject, str)
        assert site.last(self.token).form["code"] == "code"

    async def test_an_address_that_is_missing_is_none(self, site: Loopback) -> None:
        claims = (await self.sign_in(site, self.silent)).claims
        assert (claims.email, claims.email_verified) == (None, None) if self.silent or not claims.email else True

    async def test_an_address_is_proved_only_where_the_provider_says_so(self, site: Loopback) -> None:
        claims = (await self.sign_in(site, self.unproved)).claims
        assert claims.email_verified is not True if self.unproved or "email_verified" not in self.claims else True

    async def test_an_error_is_refused(self, site: Loopback) -> None:
        with pytest.raises((Refused, NoAnswer)):
            await self.sign_in(site, {self.token: self.error})
        begun = await self.begin(site)
        for error, kind in (("access_denied", Denied), ("server_error", Refused)):
            params = {"error": error, "state": begun.flow.state}
            with pytest.raises(kind):
                await self.value.complete(site.tools(), begun.flow, Callback(params, begun.flow.response_mode))

    async def test_a_token_of_another_kind_is_refused(self, site: Loopback) -> None:
        with pytest.raises(BadToken) as caught:
            await self.sign_in(site, {self.token: {**TOKENS, "token_type": "mac"}})
        assert caught.value.reason is Reason.TOKEN_TYPE

    async def test_nonsense_at_any_door_is_a_typed_error(self, site: Loopback) -> None:
        for door in self.answers:
            for body in NONSENSE:
                with pytest.raises(ProviderError):
                    await self.sign_in(site, {door: body})

    async def test_a_door_that_fails_is_a_typed_error(self, site: Loopback) -> None:
        for door in self.answers:
            for status in (302, 401, 429, 500):
                with pytest.raises(ProviderError):
                    await self.sign_in(site, {door: (status, b"no")})

    async def test_no_door_is_waited_for(self, site: Loopback) -> None:
        for door in self.answers:
            with pytest.raises(TooSlow):
                await self.sign_in(site, {door: SLOW}, timedelta(milliseconds=150))

    async def test_no_door_is_listened_to_for_ever(self, site: Loopback) -> None:
        for door in self.answers:
            with pytest.raises(TooBig):
                await self.sign_in(site, {door: b" " * (LONGEST + 1)})

    def test_it_shows_no_secret_and_lacks_nothing(self) -> None:
        assert self.value.problems() == ()
        assert SECRET not in repr(self.value)


class Signed(Contract):
    """A provider of OpenID Connect: what it says is signed."""

    said: ClassVar[Mapping[str, Any]]
    """The ID token's claims, as documented; times, audience and nonce are of the test."""

    def claims_of(self, site: Loopback, begun: Begun) -> dict[str, Any]:
        now = int(site.clock.now().timestamp())
        of_flow = {"aud": ID, "iat": now, "exp": now + 300, "auth_time": now}
        if begun.flow.nonce is not None:
            of_flow["nonce"] = begun.flow.nonce
        return {**self.said, **of_flow}

    def sign(self, claims: Mapping[str, Any]) -> str:
        return signed(claims)

    def prepare(self, site: Loopback, begun: Begun, **changes: Any) -> None:
        claims = {**self.claims_of(site, begun), **changes}
        token = self.sign({name: value for name, value in claims.items() if value is not None})
        site.answers[self.token] = {**self.answers[self.token], "id_token": token}

    async def sign_in_with(self, site: Loopback, answers: Mapping[str, Any] | None = None, **changes: Any) -> Identity:
        """Sign in with an ID token that says something else; `None` takes a claim away."""
        begun = await self.begin(site)
        self.prepare(site, begun, **changes)
        site.answers.update(answers or {})
        params = {"code": "code", "state": begun.flow.state}
        return await self.value.complete(site.tools(), begun.flow, Callback(params, begun.flow.response_mode))

    async def test_an_address_that_is_missing_is_none(self, site: Loopback) -> None:
        claims = (await self.sign_in_with(site, self.silent, email=None, email_verified=None)).claims
        assert (claims.email, claims.email_verified) == (None, None)

    async def test_an_address_is_proved_only_where_the_provider_says_so(self, site: Loopback) -> None:
        for word in (False, "false", None):
            claims = (await self.sign_in_with(site, self.unproved, email_verified=word)).claims
            assert claims.email_verified is not True

    async def test_no_id_token_signs_nobody_in(self, site: Loopback) -> None:
        with pytest.raises(BadToken) as caught:
            await self.sign_in(site, {self.token: self.answers[self.token]})
        assert caught.value.reason is Reason.ID_TOKEN_MISSING

    @pytest.mark.parametrize(
        ("claim", "value"),
        [("aud", "another"), ("iss", "https://evil.example"), ("exp", 1), ("nonce", "another"), ("sub", None)],
    )
    async def test_an_id_token_of_another_flow_client_or_issuer_is_refused(
        self, site: Loopback, claim: str, value: Any
    ) -> None:
        with pytest.raises(BadToken):
            await self.sign_in_with(site, **{claim: value})

    async def test_an_id_token_that_somebody_else_signed_is_refused(self, site: Loopback) -> None:
        begun = await self.begin(site)
        token = signed(self.claims_of(site, begun), rsa("another"), kid="one")
        with pytest.raises(BadToken):
            await self.sign_in(site, {self.token: {**self.answers[self.token], "id_token": token}})


def published(issuer: str, doors: str = "", **changes: Any) -> dict[str, Any]:
    """Return the metadata of a provider whose doors stand below one address."""
    at = doors or issuer
    whole = {
        "issuer": issuer,
        "authorization_endpoint": f"{at}/authorize",
        "token_endpoint": f"{at}/token",
        "userinfo_endpoint": f"{at}/userinfo",
        "jwks_uri": f"{at}/keys",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def openid(
    metadata: Mapping[str, Any],
    *,
    at: str = "",
    tokens: Mapping[str, Any] = TOKENS,
    userinfo: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the answers of a provider's doors: metadata, keys, tokens and, if it is asked, userinfo."""
    discovery = at or metadata["issuer"].rstrip("/") + "/.well-known/openid-configuration"
    doors = {discovery: metadata, metadata["jwks_uri"]: keys(), metadata["token_endpoint"]: dict(tokens)}
    return doors if userinfo is None else {**doors, metadata["userinfo_endpoint"]: userinfo}
