"""GitHub, Google, Apple, Microsoft, Okta, Slack and Linear, imitated over HTTP by npm's `emulate` (S57, S69)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from powauth.errors import ConfigurationError
from powauth.oauth import (
    Ask,
    BadToken,
    Callback,
    ClientAuthentication,
    Identity,
    Malformed,
    Network,
    OAuth2,
    OpenIDConnect,
    PrivateKey,
    Reason,
    Refused,
    Tokens,
    Tools,
)  # fmt: skip
from powauth.oauth.code_flow import CodeFlow
from powauth.oauth.standard import tools as standard_tools
from powauth.providers import Apple, Entra, GitHub, Google, Okta
from tests.oauth.browser import BACK, Browser
from tests.oauth.paper import Paper, coming_back, said

pytestmark = pytest.mark.anyio
Port = Callable[[str], int]
POST = ClientAuthentication.POST
AT_HOME: dict[str, Any] = {"network": Network.LOOPBACK}
TEAM_KEY = ECKey.generate_key("P-256", {"kid": "K1"})


@pytest.fixture
def tools() -> Tools:
    return standard_tools()


async def sign_in(tools: Tools, value: CodeFlow, pick: str | None = None, ask: Ask | None = None) -> Identity:
    begun = await value.begin(tools, redirect_uri=BACK, ask=ask)
    return await value.complete(tools, begun.flow, await Browser(pick=pick).visit(begun.url))


# ---- Google ----


def google(port: Port, **changes: Any) -> Google:
    issuer = f"http://localhost:{port('google')}"
    settings: dict[str, Any] = {"client_id": "goog-id", "client_secret": "goog-secret", "issuer": issuer}
    return Google(**{**settings, **AT_HOME, **changes})


async def test_google_says_who_it_is_and_whether_the_address_is_proved(tools: Tools, emulate_port: Port) -> None:
    identity = await sign_in(tools, google(emulate_port), "ada@example.test")
    assert (identity.claims.email, identity.claims.email_verified) == ("ada@example.test", True)
    assert identity.claims.name == "Ada Lovelace"
    assert identity.subject


async def test_google_s_people_of_another_organisation_are_refused(tools: Tools, emulate_port: Port) -> None:
    for domain in ("example.com", "*"):
        begun = await google(emulate_port, hosted_domain=domain).begin(tools, redirect_uri=BACK)
        assert "hd=" in begun.url
    with pytest.raises(BadToken) as caught:
        await sign_in(tools, google(emulate_port, hosted_domain="example.com"), "ada@example.test")
    assert caught.value.reason is Reason.HOSTED_DOMAIN


@pytest.mark.parametrize(
    ("wanted", "said", "is_in"),
    [
        ("example.com", "example.com", True),
        ("example.com", "EXAMPLE.com", False),
        ("example.com", "evil-example.com", False),
        ("example.com", None, False),
        ("example.com", ["example.com"], False),
        ("*", "any.example", True),
        ("*", None, False),
        ("*", "", False),
        ("*", True, False),
        (None, None, True),
    ],
)
def test_google_s_hosted_domain_is_compared_with_the_signed_claim(
    wanted: str | None, said: Any, *, is_in: bool
) -> None:
    value = Google(client_id="a", client_secret="b", hosted_domain=wanted)
    if is_in:
        value.check_claims({"hd": said})
    else:
        with pytest.raises(BadToken):
            value.check_claims({"hd": said})


# ---- GitHub ----


def github(port: Port, **changes: Any) -> GitHub:
    at = f"http://localhost:{port('github')}"
    settings: dict[str, Any] = {
        "client_id": "gh-id",
        "client_secret": "gh-secret",
        "network": Network.LOOPBACK,
        "authorization_endpoint": f"{at}/login/oauth/authorize",
        "token_endpoint": f"{at}/login/oauth/access_token",
        "userinfo_endpoint": f"{at}/user",
        "emails_endpoint": f"{at}/user/emails",
    }
    return GitHub(**{**settings, **changes})


async def test_github_s_address_is_the_primary_one_with_its_mark(tools: Tools, emulate_port: Port) -> None:
    identity = await sign_in(tools, github(emulate_port), "octocat")
    claims = identity.claims
    assert (claims.email, claims.email_verified) == ("octocat@github.example", True)
    assert (claims.name, claims.preferred_username) == ("The Octocat", "octocat")
    assert identity.issuer == "https://github.com"
    assert identity.subject == str(identity.raw["id"])


async def test_github_s_wrong_secret_is_refused(tools: Tools, emulate_port: Port) -> None:
    with pytest.raises(Refused):
        await sign_in(tools, github(emulate_port, client_secret="another"), "octocat")


EMAILS = [
    {"email": "old@example.com", "primary": False, "verified": True},
    {"email": "ada@example.com", "primary": True, "verified": False},
]


def test_github_s_address_in_the_profile_is_not_believed() -> None:
    value = GitHub(client_id="a", client_secret="b")
    said = value.normalise({"id": 7, "email": "victim@example.com", "emails": EMAILS})
    assert (said["email"], said["email_verified"]) == ("ada@example.com", False)
    assert value.normalise({"id": 7, "email": "victim@example.com"})["email"] is None
    for odd in ([], None, "x", [None, 7], [{"email": "x", "primary": "true"}]):
        assert value.normalise({"id": 7, "emails": odd})["email"] is None


async def test_github_s_addresses_may_be_withheld() -> None:
    paper = Paper()
    paper.answers["/login/oauth/access_token"] = said({"access_token": "a", "token_type": "bearer", "scope": ""})
    paper.answers["/user"] = said({"id": 7, "login": "ada", "email": "victim@example.com"})
    value = GitHub(client_id="id", client_secret="secret")
    for answer, error in (
        (said({}, 403), None),
        (said({}, 404), None),
        (said({}, 500), Malformed),
        (said({}), Malformed),
    ):
        paper.answers["/user/emails"] = answer
        begun = await value.begin(paper.tools, redirect_uri=BACK)
        if error is None:
            assert (await value.complete(paper.tools, begun.flow, coming_back(begun))).claims.email is None
        else:
            with pytest.raises(error):
                await value.complete(paper.tools, begun.flow, coming_back(begun))


# ---- Apple ----


def apple(port: Port, **changes: Any) -> Apple:
    key = PrivateKey(TEAM_KEY.as_pem(private=True).decode(), id="K1")
    settings: dict[str, Any] = {"client_id": "com.example.app", "team_id": "TEAM001", "private_key": key}
    settings["issuer"] = f"http://localhost:{port('apple')}"
    return Apple(**{**settings, **AT_HOME, **changes})


async def test_apple_s_form_comes_back_and_its_secret_is_signed(tools: Tools, emulate_port: Port) -> None:
    value = apple(emulate_port)
    begun = await value.begin(tools, redirect_uri=BACK)
    assert "response_mode=form_post" in begun.url
    assert "scope=name+email&" in begun.url
    callback = await Browser(pick="ada@icloud.example").visit(begun.url)
    assert callback.by == "form_post"
    identity = await value.complete(tools, begun.flow, callback)
    assert (identity.claims.email, identity.claims.email_verified) == ("ada@icloud.example", True)
    secret = value.secret(tools)
    signed = jwt.decode(str(secret), TEAM_KEY, algorithms=["ES256"])
    assert signed.header["kid"] == "K1"
    assert {name: signed.claims[name] for name in ("iss", "sub")} == {"iss": "TEAM001", "sub": "com.example.app"}
    assert signed.claims["aud"] == value.issuer
    assert signed.claims["exp"] - signed.claims["iat"] == 600


def from_browser(text: str) -> Mapping[str, object]:
    value = Apple(client_id="a", team_id="T", private_key=PrivateKey("x", id="K1"))
    return value.from_browser(Callback({"user": text}, "form_post"))


def test_apple_s_name_is_told_once_by_the_browser_and_an_address_there_is_not_read() -> None:
    whole = {"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "victim@example.com", "sub": "victim"}
    expected = {"given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace"}
    assert from_browser(json.dumps(whole)) == expected
    assert from_browser('{"name": {"firstName": 7}}') == {}
    for odd in ("", "x", "[]", "{}", '{"name": "Ada"}', "{" * 5000, '{"name": null}', '{"name": {}, "name": {}}'):
        assert from_browser(odd) == {}


def test_apple_says_what_it_lacks() -> None:
    missing = " ".join(Apple(client_id="", team_id="").problems())
    for name in ("client_id", "team_id", "private_key"):
        assert f"{name} is missing" in missing
    assert Apple(client_id="a", team_id="T", private_key=PrivateKey("x", id="K1")).problems() == ()


# ---- by configuration alone ----


@pytest.mark.parametrize(
    ("name", "id", "pick"), [("microsoft", "ms", "ada@outlook.example"), ("okta", "okta", "testuser@okta.local")]
)
async def test_a_provider_is_signed_in_with_by_configuration_alone(
    tools: Tools, emulate_port: Port, name: str, id: str, pick: str
) -> None:
    value = OpenIDConnect(
        name=name,
        issuer=f"http://localhost:{emulate_port(name)}",
        client_id=f"{id}-id",
        client_secret=f"{id}-secret",
        client_authentication=POST,
        scopes=("email", "profile"),
        network=Network.LOOPBACK,
    )
    if name == "microsoft":  # it names a tenant in its issuer
        tenant = "9188040d-6c67-4c5b-b112-36a304b66dad"
        value = replace(value, discovery=value.discovery_url, issuer=f"{value.issuer}/{tenant}/v2.0")
    assert (await sign_in(tools, value, pick)).claims.email == pick


async def test_okta_and_entra_are_signed_in_with_by_name(tools: Tools, emulate_port: Port) -> None:
    settings: dict[str, Any] = {"client_id": "okta-id", "client_secret": "okta-secret", **AT_HOME}
    okta = Okta(issuer=f"http://localhost:{emulate_port('okta')}", client_authentication=POST, **settings)
    assert (await sign_in(tools, okta, "testuser@okta.local")).claims.email == "testuser@okta.local"
    at, tenant = f"http://localhost:{emulate_port('microsoft')}", "9188040d-6c67-4c5b-b112-36a304b66dad"
    entra = Entra(
        client_id="ms-id",
        client_secret="ms-secret",
        tenant="consumers",
        issuer=f"{at}/{{tenantid}}/v2.0",
        discovery=f"{at}/.well-known/openid-configuration",
        **AT_HOME,
    )
    identity = await sign_in(tools, entra, "ada@outlook.example")
    assert identity.issuer == f"{at}/{tenant}/v2.0"
    assert (identity.claims.email, identity.claims.email_verified) == ("ada@outlook.example", None)
    with pytest.raises((BadToken, Malformed)):
        await sign_in(tools, replace(entra, tenant="9f1b4f1e-0000-4000-8000-000000000001"), "ada@outlook.example")


@dataclass(frozen=True, kw_only=True)
class Linear(OAuth2):
    """Asks by GraphQL."""

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        query = {"query": "{viewer{id email name}}"}
        return await self.fetch(tools, tokens, self.userinfo_endpoint, method="POST", json=query)

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        viewer = raw["data"]["viewer"]
        return {"sub": viewer["id"], "email": viewer["email"], "name": viewer["name"]}


@dataclass(frozen=True, kw_only=True)
class Slack(OAuth2):
    """Hands out the person's token beside the application's own."""

    def token_answer(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        person = answer.get("authed_user", {})
        return {"access_token": person.get("access_token"), "token_type": "Bearer", "scope": person.get("scope")}

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        return await self.fetch(tools, tokens, self.userinfo_endpoint, method="POST")

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        return {"sub": raw["user_id"], "name": raw["user"]}


async def test_linear_is_signed_in_with_by_a_value_of_twenty_lines(tools: Tools, emulate_port: Port) -> None:
    at = f"http://localhost:{emulate_port('linear')}"
    value = Linear(
        name="linear",
        client_id="lin-id",
        client_secret="lin-secret",
        client_authentication=POST,
        scopes=("read",),
        authorization_endpoint=f"{at}/oauth/authorize",
        token_endpoint=f"{at}/oauth/token",
        userinfo_endpoint=f"{at}/graphql",
        network=Network.LOOPBACK,
    )
    identity = await sign_in(tools, value, "ada@example.test")
    assert (identity.claims.email, identity.claims.name) == ("ada@example.test", "Ada")


def slack(kind: type[OAuth2], at: str) -> OAuth2:
    return kind(
        name="slack",
        client_id="1.2",
        client_secret="slack-secret",
        client_authentication=POST,
        authorize_params={"user_scope": "users:read"},
        authorization_endpoint=f"{at}/oauth/v2/authorize",
        token_endpoint=f"{at}/api/oauth.v2.access",
        userinfo_endpoint=f"{at}/api/auth.test",
        network=Network.LOOPBACK,
    )


async def test_slack_s_tokens_in_a_shape_of_its_own_are_read_if_a_value_says_how_and_not_guessed(
    tools: Tools, emulate_port: Port
) -> None:
    at = f"http://localhost:{emulate_port('slack')}"
    identity = await sign_in(tools, slack(Slack, at), "dev@")
    assert identity.claims.name == "dev"
    with pytest.raises((BadToken, Malformed)):
        await sign_in(tools, slack(OAuth2, at), "dev@")


@pytest.mark.parametrize("kind", [Google, GitHub])
def test_a_provider_needs_an_id_and_a_secret_and_shows_neither(kind: Any) -> None:
    assert kind(client_id="id", client_secret="hush-hush").problems() == ()
    assert "hush-hush" not in repr(kind(client_id="id", client_secret="hush-hush"))
    with pytest.raises(TypeError):
        kind()


async def test_what_is_missing_is_said_at_the_beginning(tools: Tools) -> None:
    with pytest.raises(ConfigurationError, match="github: client_secret is missing"):
        await GitHub(client_id="id").begin(tools, redirect_uri=BACK)


def test_an_enterprise_server_of_github_is_a_provider_of_its_own() -> None:
    value = GitHub(client_id="id", client_secret="secret").at("https://GitHub.Example.com/")
    doors = (value.authorization_endpoint, value.token_endpoint, value.userinfo_endpoint, value.emails_endpoint)
    assert all(door.startswith("https://github.example.com/") for door in doors)
    assert (value.issuer, value.problems()) == ("https://github.example.com", ())
    with pytest.raises(ValueError, match="host"):
        GitHub(client_id="id", client_secret="secret").at("https://github.example.com/path")
