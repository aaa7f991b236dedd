"""OpenID Connect against a certified provider that nobody here wrote: npm's `oidc-provider`, on loopback (S49, S52)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import ECKey

from powauth.errors import ConfigurationError
from powauth.oauth import (
    Ask,
    BadState,
    BadToken,
    Begun,
    Callback,
    ClientAuthentication,
    Denied,
    Identity,
    Network,
    OpenIDConnect,
    PrivateKey,
    Reason,
    Refused,
    Tools,
    Unsuitable,
)  # fmt: skip
from powauth.oauth.standard import tools as standard_tools
from tests import servers
from tests.oauth.browser import BACK, Browser

pytestmark = pytest.mark.anyio
SECRET = "a secret that is long enough to sign with"


@pytest.fixture
def tools() -> Tools:
    return standard_tools()


@pytest.fixture
def browser() -> Browser:
    return Browser()


def provider(issuer: str, client_id: str = "web", **changes: Any) -> OpenIDConnect:
    settings: dict[str, Any] = {
        "name": "op",
        "issuer": issuer,
        "client_id": client_id,
        "client_secret": SECRET,
        "scopes": ("email", "profile"),
        "network": Network.LOOPBACK,
    }
    return OpenIDConnect(**{**settings, **changes})


async def walk(tools: Tools, value: OpenIDConnect, browser: Browser, ask: Ask | None = None) -> tuple[Begun, Callback]:
    begun = await value.begin(tools, redirect_uri=BACK, ask=ask)
    return begun, await browser.visit(begun.url)


async def sign_in(tools: Tools, value: OpenIDConnect, browser: Browser, ask: Ask | None = None) -> Identity:
    begun, callback = await walk(tools, value, browser, ask)
    return await value.complete(tools, begun.flow, callback)


async def tell(issuer: str, what: str, value: object = None) -> None:
    """Change what the provider is while it runs."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.put(f"{issuer}/_test/{what}", json=value)).status_code == 204


CLIENTS = [
    ("web", {}),
    ("post", {"client_authentication": ClientAuthentication.POST}),
    ("public", {"client_authentication": ClientAuthentication.NONE, "client_secret": None}),
    ("signing", {"client_authentication": ClientAuthentication.SECRET_JWT}),
    ("es256", {"id_token_algorithm": "ES256"}),
    ("hs256", {"id_token_algorithm": "HS256"}),
    ("signed-userinfo", {}),
]


@pytest.mark.parametrize(("client_id", "changes"), CLIENTS, ids=[name for name, _ in CLIENTS])
async def test_a_person_signs_in_with_each_way_to_prove_who_asks(
    tools: Tools, browser: Browser, openid_url: str, client_id: str, changes: dict[str, Any]
) -> None:
    identity = await sign_in(tools, provider(openid_url, client_id, **changes), browser)
    assert (identity.issuer, identity.subject) == (openid_url, "ada")
    claims = identity.claims
    assert (claims.email, claims.email_verified, claims.name) == ("ada@example.test", True, "User ada")
    assert identity.tokens.scopes == ("openid", "email", "profile")


async def test_a_person_signs_in_where_a_private_key_proves_who_asks(
    tools: Tools, browser: Browser, openid_url: str
) -> None:
    key = ECKey.generate_key("P-256", {"kid": "ours"})
    public = {**key.as_dict(private=False), "kid": "ours", "use": "sig", "alg": "ES256"}
    client = {"client_id": "keyed", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [public]}}
    await tell(openid_url, "clients", client)
    private = PrivateKey(key.as_pem(private=True).decode(), id="ours", algorithm="ES256")
    by = ClientAuthentication.PRIVATE_KEY_JWT
    value = provider(openid_url, "keyed", client_secret=None, client_authentication=by, private_key=private)
    assert (await sign_in(tools, value, browser)).subject == "ada"
    stranger = ECKey.generate_key("P-256").as_pem(private=True).decode()
    with pytest.raises(Refused, match="invalid_client"):
        await sign_in(tools, replace(value, private_key=PrivateKey(stranger, id="ours", algorithm="ES256")), browser)


async def test_a_wrong_secret_is_told_by_its_code(tools: Tools, browser: Browser, openid_url: str) -> None:
    with pytest.raises(Refused) as caught:
        await sign_in(tools, provider(openid_url, client_secret="another"), browser)
    assert (caught.value.error, caught.value.status) == ("invalid_client", 401)


async def test_a_code_is_good_once_and_only_with_its_verifier(tools: Tools, browser: Browser, openid_url: str) -> None:
    value = provider(openid_url)
    begun, callback = await walk(tools, value, browser)
    with pytest.raises(Refused, match="invalid_grant"):
        await value.complete(tools, replace(begun.flow, verifier="x" * 43), callback)
    begun, callback = await walk(tools, value, browser)
    assert (await value.complete(tools, begun.flow, callback)).subject == "ada"
    with pytest.raises(Refused, match="invalid_grant"):
        await value.complete(tools, begun.flow, callback)


async def test_a_code_of_another_flow_of_the_same_person_is_refused(
    tools: Tools, browser: Browser, openid_url: str
) -> None:
    value = provider(openid_url)
    mine, _ = await walk(tools, value, browser)
    _, theirs = await walk(tools, value, Browser(login="eve"))
    with pytest.raises(BadState) as caught:
        await value.complete(tools, mine.flow, theirs)
    assert caught.value.reason is Reason.STATE_WRONG
    injected = Callback({**theirs.params, "state": mine.flow.state}, "query")
    with pytest.raises(Refused, match="invalid_grant"):
        await value.complete(tools, mine.flow, injected)


async def test_the_provider_says_who_it_is_and_has_to_be_believed(
    tools: Tools, browser: Browser, openid_url: str
) -> None:
    value = provider(openid_url)
    begun, callback = await walk(tools, value, browser)
    assert callback.get("iss") == openid_url
    for iss, reason in (("https://evil.example", Reason.ISSUER_WRONG), ("", Reason.ISSUER_MISSING)):
        with pytest.raises(BadState) as caught:
            await value.complete(tools, begun.flow, Callback({**callback.params, "iss": iss}, "query"))
        assert caught.value.reason is reason


async def test_a_form_comes_back_by_post_and_by_nothing_else(tools: Tools, browser: Browser, openid_url: str) -> None:
    value = provider(openid_url, response_mode="form_post")
    begun, callback = await walk(tools, value, browser)
    assert callback.by == "form_post"
    with pytest.raises(BadState):
        await value.complete(tools, begun.flow, Callback(callback.params, "query"))
    assert (await value.complete(tools, begun.flow, callback)).subject == "ada"


async def test_a_person_who_says_no_is_told_from_an_error(tools: Tools, openid_url: str) -> None:
    value = provider(openid_url)
    with pytest.raises(Denied):
        await sign_in(tools, value, Browser(declines=True))
    with pytest.raises(Refused, match="login_required"):
        await sign_in(tools, value, Browser(), Ask(prompt="none"))
    with pytest.raises(Refused, match="invalid_request"):
        await sign_in(tools, replace(value, pkce=False), Browser())  # this provider insists on PKCE


async def test_keys_may_change_while_the_provider_runs(
    tools: Tools, browser: Browser, own_server: Callable[[str], AbstractContextManager[servers.Server]]
) -> None:
    with own_server("openid") as server:
        issuer = f"http://127.0.0.1:{server.port}"
        value = provider(issuer)
        assert (await sign_in(tools, value, browser)).subject == "ada"
        await tell(issuer, "rotate")
        assert (
            await sign_in(tools, value, browser)
        ).subject == "ada"  # fetched anew, as a token named a key nobody knew
        await tell(issuer, "rotate")
        with pytest.raises(BadToken) as caught:
            await sign_in(tools, value, browser)  # a second time within the minute it is not
        assert caught.value.reason is Reason.UNKNOWN_KEY


async def test_claims_that_are_withheld_are_none_and_not_guessed(
    tools: Tools, browser: Browser, openid_url: str
) -> None:
    bare = (await sign_in(tools, provider(openid_url, scopes=()), browser)).claims
    assert (bare.email, bare.email_verified, bare.name) == (None, None, None)
    await tell(openid_url, "accounts/bob", {"email": "bob@example.test", "email_verified": False})
    claims = (await sign_in(tools, provider(openid_url), Browser(login="bob"))).claims
    assert (claims.email, claims.email_verified) == ("bob@example.test", False)
    await tell(openid_url, "accounts/carol", {"email": None, "email_verified": None})
    assert (await sign_in(tools, provider(openid_url), Browser(login="carol"))).claims.email is None


async def test_a_fresh_sign_in_can_be_asked_for_and_is_vouched_for(
    tools: Tools, browser: Browser, openid_url: str
) -> None:
    value = provider(openid_url)
    assert (await sign_in(tools, value, browser)).subject == "ada"
    for ask in (Ask(prompt="login"), Ask(max_age=timedelta(0)), Ask(max_age=timedelta(hours=1))):
        identity = await sign_in(tools, value, browser, ask)
        assert identity.auth_time
        assert tools.now() - identity.auth_time < timedelta(minutes=1)


async def test_tokens_are_refreshed_for_the_same_person_and_revoked(
    tools: Tools, browser: Browser, openid_url: str
) -> None:
    value = provider(openid_url)
    identity = await sign_in(tools, value, browser, Ask(scopes=("offline_access",), prompt="consent"))
    new = await value.refresh(tools, identity.tokens, subject="ada")
    assert new.access_token != identity.tokens.access_token
    assert new.id_token
    with pytest.raises(BadToken) as caught:
        await value.refresh(tools, new, subject="eve")
    assert caught.value.reason is Reason.SUBJECT
    assert (await value.userinfo(tools, new, subject="ada"))["email"] == "ada@example.test"
    with pytest.raises(BadToken) as caught:
        await value.userinfo(tools, new, subject="eve")
    assert caught.value.reason is Reason.SUBJECT
    await value.revoke(tools, new.access_token, hint="access_token")
    with pytest.raises(Refused) as refused:
        await value.userinfo(tools, new, subject="ada")
    assert refused.value.status == 401


async def test_a_browser_is_sent_to_sign_out_at_the_provider(tools: Tools, browser: Browser, openid_url: str) -> None:
    value = provider(openid_url)
    identity = await sign_in(tools, value, browser)
    back = "http://localhost:17399/out"
    url = await value.logout_url(tools, id_token=identity.tokens.id_token, return_to=back, state="s")
    page = await browser.open(url)
    assert page.status_code == 200
    assert "logout" in page.text.lower()
    asked = parse_qs(urlsplit(url).query)
    assert (asked["client_id"], asked["post_logout_redirect_uri"], asked["state"]) == (["web"], [back], ["s"])
    with pytest.raises(ConfigurationError):
        await value.logout_url(tools, return_to="javascript:alert(1)")


async def test_a_way_to_prove_who_asks_that_is_not_offered_is_refused_at_the_beginning(
    tools: Tools, openid_url: str
) -> None:
    metadata = await provider(openid_url).metadata(tools)
    inline = replace(metadata, token_endpoint_auth_methods_supported=("private_key_jwt",))
    with pytest.raises(Unsuitable, match="client_secret_basic"):
        await provider(openid_url, inline=inline).begin(tools, redirect_uri=BACK)


async def test_an_issuer_is_exactly_what_the_provider_calls_itself(tools: Tools, openid_url: str) -> None:
    other = openid_url.replace("127.0.0.1", "localhost")
    with pytest.raises(Exception, match="metadata issuer"):
        await provider(other).begin(tools, redirect_uri=BACK)


async def test_a_loopback_provider_is_refused_unless_the_author_says_so(tools: Tools, openid_url: str) -> None:
    with pytest.raises(ConfigurationError, match="only https"):
        await provider(openid_url, network=Network.PUBLIC).begin(tools, redirect_uri=BACK)
