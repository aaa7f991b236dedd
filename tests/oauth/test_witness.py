"""The client of OpenID Connect beside Authlib's: it signs in the same people, and lets in nobody whom that refuses."""

from typing import Any

import pytest
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from powauth.oauth import Callback, Network, OpenIDConnect, ProviderError
from powauth.oauth.standard import tools
from tests.oauth.browser import BACK, Browser
from tests.oauth.paper import BACK as PAPER_BACK
from tests.oauth.paper import CLIENT, ISSUER, SECRET, Paper, coming_back, ec, keys, metadata, openid, rsa, said, signed

pytestmark = pytest.mark.anyio


# ---- the same people ----


def authlib(scope: str) -> Any:
    return AsyncOAuth2Client("web", SECRET, scope=scope, redirect_uri=BACK, code_challenge_method="S256")


async def test_both_clients_find_the_same_person_with_the_same_claims(openid_url: str) -> None:
    settings: dict[str, Any] = {"client_id": "web", "client_secret": SECRET, "scopes": ("email", "profile")}
    value = OpenIDConnect(name="op", issuer=openid_url, network=Network.LOOPBACK, **settings)
    ours = tools()
    begun = await value.begin(ours, redirect_uri=BACK)
    identity = await value.complete(ours, begun.flow, await Browser().visit(begun.url))

    doors = await value.metadata(ours)
    verifier, nonce = "v" * 43, "n" * 43
    async with authlib("openid email profile") as client:
        url, state = client.create_authorization_url(doors.authorization_endpoint, nonce=nonce, code_verifier=verifier)
        callback = await Browser().visit(url)
        token = await client.fetch_token(
            doors.token_endpoint, code=callback.get("code"), state=state, code_verifier=verifier
        )
        theirs = (await client.get(str(doors.userinfo_endpoint))).json()
    published = await ours.document(str(doors.jwks_uri), Network.LOOPBACK)
    found = jwt.decode(token["id_token"], KeySet.import_key_set(dict(published.content)), algorithms=["RS256"])  # type: ignore[arg-type]
    CodeIDToken(found.claims, found.header, params={"nonce": nonce, "client_id": "web"}).validate()
    assert theirs == {name: said for name, said in identity.claims.plain().items() if name in theirs}
    assert (found.claims["iss"], found.claims["sub"]) == (identity.issuer, identity.subject)


async def test_each_client_s_codes_are_good_for_itself_alone(openid_url: str) -> None:
    value = OpenIDConnect(name="op", issuer=openid_url, network=Network.LOOPBACK, client_id="web", client_secret=SECRET)
    ours = tools()
    begun = await value.begin(ours, redirect_uri=BACK)
    doors = await value.metadata(ours)
    async with authlib("openid") as client:
        url, _ = client.create_authorization_url(
            doors.authorization_endpoint, state=begun.flow.state, code_verifier="v" * 43
        )
        theirs = await Browser().visit(url)
    with pytest.raises(ProviderError):
        await value.complete(ours, begun.flow, Callback(theirs.params, "query"))


# ---- nobody whom the other refuses ----


class Witness(AsyncOpenIDMixin):  # type: ignore[misc]
    """Authlib's check of an ID token, told what the provider on paper publishes."""

    client_id = CLIENT

    async def load_server_metadata(self) -> dict[str, Any]:
        return metadata(id_token_signing_alg_values_supported=["RS256"])

    async def fetch_jwk_set(self, force: bool = False) -> Any:  # noqa: FBT001, FBT002  Authlib's signature
        return keys()


CASES: dict[str, dict[str, Any]] = {
    "good": {},
    "one audience in a list": {"aud": [CLIENT]},
    "two audiences": {"aud": [CLIENT, "other"], "azp": CLIENT},
    "no issuer": {"iss": None},
    "another issuer": {"iss": "https://evil.example"},
    "an issuer with a slash": {"iss": f"{ISSUER}/"},
    "no subject": {"sub": None},
    "no audience": {"aud": None},
    "another audience": {"aud": "other"},
    "an audience in capitals": {"aud": CLIENT.upper()},
    "another party": {"azp": "other"},
    "no end": {"exp": None},
    "an end long ago": {"exp": -3600},
    "an end just now": {"exp": -30},
    "no beginning": {"iat": None},
    "a beginning to come": {"iat": 3600},
    "valid later": {"nbf": 3600},
    "no nonce": {"nonce": None},
    "another nonce": {"nonce": "other"},
    "a hash of another token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "a time in words": {"exp": "tomorrow"},
}
TIMES = ("exp", "iat", "nbf")
STRICTER = {"two audiences"}
"""What Authlib lets in unless it is told more, and we do not."""


def moved(paper: Paper, claims: dict[str, Any]) -> dict[str, Any]:
    now = int(paper.clock.now().timestamp())
    return {name: now + value if name in TIMES and isinstance(value, int) else value for name, value in claims.items()}


async def lets_in(paper: Paper, token: str, nonce: str) -> bool:
    try:
        await Witness().parse_id_token({"id_token": token, "access_token": "access"}, nonce, leeway=60)
    except (JoseError, ValueError, TypeError):
        return False
    return True


async def we_let_in(paper: Paper, token: str, begun: Any) -> bool:
    paper.hands_out(token)
    try:
        await openid().complete(paper.tools, begun.flow, coming_back(begun))
    except ProviderError:
        return False
    return True


@pytest.mark.parametrize("case", CASES)
async def test_a_token_that_authlib_refuses_is_refused_here(case: str) -> None:
    paper = Paper()
    begun = await openid().begin(paper.tools, redirect_uri=PAPER_BACK)
    token = signed(paper.claims(begun, **moved(paper, CASES[case])))
    theirs, ours = await lets_in(paper, token, str(begun.flow.nonce)), await we_let_in(paper, token, begun)
    assert ours <= theirs
    assert (theirs and not ours) == (case in STRICTER)


async def test_a_signature_that_authlib_refuses_is_refused_here() -> None:
    paper = Paper()
    paper.answers["/keys"] = said(keys())
    begun = await openid().begin(paper.tools, redirect_uri=PAPER_BACK)
    claims = paper.claims(begun)
    good = signed(claims)
    forged = [
        signed(claims, rsa("other"), kid="one"),
        signed(claims, rsa("other")),
        signed(claims, ec(), alg="ES256", kid="one"),
        signed(claims, OctKey.import_key(SECRET), alg="HS256", kid="one"),
        signed(claims, alg="RS512"),
        signed(claims, alg="PS256"),
        good[:-2],
        good + "AA",
        good.rpartition(".")[0] + ".",
        good.replace(".", "..", 1),
    ]
    for token in forged:
        assert not await lets_in(paper, token, str(begun.flow.nonce))
        assert not await we_let_in(paper, token, begun)
    assert await lets_in(paper, good, str(begun.flow.nonce))
    assert await we_let_in(paper, good, begun)
