"""OpenID Connect apart from the ID token: discovery, userinfo, asking, signing out (S49, S52, S57, S63)."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from powauth.errors import ConfigurationError
from powauth.oauth import (
    Ask,
    BadState,
    BadToken,
    ClientAuthentication,
    HttpResponse,
    Identity,
    Malformed,
    Metadata,
    Network,
    Reason,
    Refused,
    Tokens,
    TooSlow,
    Unreachable,
    Unsuitable,
)  # fmt: skip
from tests.oauth.paper import (
    BACK,
    CLIENT,
    ISSUER,
    Paper,
    coming_back,
    ec,
    metadata,
    openid,
    raw,
    rsa,
    said,
    sign_in,
    signed,
)  # fmt: skip

pytestmark = pytest.mark.anyio
PUBLISHED = "/.well-known/openid-configuration"


@pytest.fixture
def paper() -> Paper:
    return Paper()


# ---- the way there ----


async def test_the_address_asks_for_openid_with_nonce_and_challenge(paper: Paper) -> None:
    ask = Ask(scopes=("email",), prompt="consent", max_age=timedelta(minutes=5), acr_values=("a", "b"))
    begun = await openid(scopes=("profile",)).begin(paper.tools, redirect_uri=BACK, ask=ask)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
    assert asked["scope"] == "openid profile email"
    assert (asked["nonce"], asked["prompt"], asked["max_age"]) == (begun.flow.nonce, "consent", "300")
    assert asked["acr_values"] == "a b"
    assert asked["code_challenge_method"] == "S256"
    assert "response_mode" not in asked


async def test_what_nobody_can_mean_is_refused(paper: Paper) -> None:
    for age in (timedelta(seconds=-1), timedelta(days=10_000)):
        with pytest.raises(ConfigurationError, match="max_age"):
            await openid().begin(paper.tools, redirect_uri=BACK, ask=Ask(max_age=age))


# ---- configuration ----


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id_token_algorithm": "none"}, "none is none that can be trusted"),
        ({"userinfo_algorithm": "HS1"}, "HS1 is none that can be trusted"),
        ({"id_token_algorithm": "HS512"}, "too short to verify with"),
        ({"issuer": "http://id.example.com"}, "only https"),
        ({"issuer": "https://10.0.0.1"}, "not an address of the open internet"),
        ({"issuer": "https://id.example.com/{tenantid}"}, "discovery is missing"),
        ({"inline": Metadata(issuer="https://other.example", authorization_endpoint=BACK, token_endpoint=BACK)},
         "another issuer"),
        ({"inline": Metadata(issuer=ISSUER, authorization_endpoint=BACK, token_endpoint="http://a.example/")},
         "token_endpoint: a.example: only https"),
    ],
)  # fmt: skip
async def test_what_is_unsafe_is_said_before_anybody_is_asked(
    paper: Paper, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        await openid(**changes).begin(paper.tools, redirect_uri=BACK)
    assert paper.asked == []


async def test_a_provider_that_publishes_nothing_is_written_by_hand(paper: Paper) -> None:
    del paper.answers[PUBLISHED]
    doors = Metadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/keys",
    )
    assert (await sign_in(paper, openid(inline=doors))).subject == "ada"


# ---- discovery ----


async def test_what_a_provider_publishes_is_fetched_once_an_hour(paper: Paper) -> None:
    for _ in range(3):
        await sign_in(paper)
    assert (paper.count(PUBLISHED), paper.count("/keys")) == (1, 1)
    paper.clock.move(timedelta(hours=1))
    await sign_in(paper)
    assert (paper.count(PUBLISHED), paper.count("/keys")) == (2, 2)


async def test_what_was_fetched_under_one_network_is_not_served_under_another(paper: Paper) -> None:
    await sign_in(paper, openid(network=Network.PRIVATE))
    await sign_in(paper)
    assert [request.network for request in paper.asked if request.url.endswith("/keys")] == ["private", "public"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (raw(b"", 404), Malformed),
        (raw(b"", 302), Malformed),
        (raw(b"[]"), Malformed),
        (raw(b"{" * 100_000), Malformed),
        (said({}), Malformed),
        (Unreachable("x"), Unreachable),
        (TooSlow("x"), TooSlow),
        (said(metadata(issuer="https://evil.example")), Malformed),
        (said(metadata(issuer=f"{ISSUER}/")), Malformed),
        (said(metadata(token_endpoint=None)), Malformed),
        (said(metadata(token_endpoint=7)), Malformed),
        (said(metadata(token_endpoint="http://id.example.com/token")), Malformed),
        (said(metadata(jwks_uri="https://169.254.169.254/latest")), Malformed),
        (said(metadata(userinfo_endpoint="file:///etc/passwd")), Malformed),
        (said(metadata(authorization_endpoint="javascript:alert(1)")), Malformed),
        (said(metadata(token_endpoint_auth_methods_supported="x")), Malformed),
        (said(metadata(token_endpoint_auth_methods_supported=["none"])), Unsuitable),
    ],
)
async def test_a_provider_that_publishes_nonsense_is_refused(paper: Paper, answer: Any, error: type[Exception]) -> None:
    paper.answers[PUBLISHED] = answer
    with pytest.raises(error):
        await openid().begin(paper.tools, redirect_uri=BACK)


async def test_an_issuer_may_end_with_a_slash(paper: Paper) -> None:
    paper.answers[PUBLISHED] = said(metadata(issuer=f"{ISSUER}/"))
    identity = await sign_in(paper, openid(issuer=f"{ISSUER}/"), iss=f"{ISSUER}/")
    assert identity.issuer == f"{ISSUER}/"


async def test_an_answer_says_who_it_is_of_where_the_provider_promises_that(paper: Paper) -> None:
    paper.answers[PUBLISHED] = said(metadata(authorization_response_iss_parameter_supported=True))
    for iss, reason in ((None, Reason.ISSUER_MISSING), ("https://evil.example", Reason.ISSUER_WRONG)):
        begun = await openid().begin(paper.tools, redirect_uri=BACK)
        with pytest.raises(BadState) as caught:
            await openid().complete(paper.tools, begun.flow, coming_back(begun, iss=iss))
        assert caught.value.reason is reason
    assert paper.count("/token") == 0


async def test_an_answer_of_another_issuer_is_refused_even_unpromised(paper: Paper) -> None:
    begun = await openid().begin(paper.tools, redirect_uri=BACK)
    with pytest.raises(BadState) as caught:
        await openid().complete(paper.tools, begun.flow, coming_back(begun, iss="https://evil.example"))
    assert caught.value.reason is Reason.ISSUER_WRONG


async def test_signed_proofs_are_for_the_issuer(paper: Paper) -> None:
    by = ClientAuthentication.SECRET_JWT
    provider = openid(client_authentication=by)
    await sign_in(paper, provider)
    assert provider.audience(await provider.metadata(paper.tools)) == ISSUER


# ---- userinfo ----


async def with_userinfo(paper: Paper, answer: HttpResponse, /, provider: Any = None, **claims: Any) -> Identity:
    paper.answers["/me"] = answer
    return await sign_in(paper, provider or openid(asks_userinfo=True), **claims)


async def test_userinfo_adds_to_the_id_token(paper: Paper) -> None:
    claims = (await with_userinfo(paper, said({"sub": "ada", "name": "Ada", "own": 1}), locale="en")).claims
    assert (claims.name, claims.locale, claims.extra["own"]) == ("Ada", "en", 1)


async def test_userinfo_of_somebody_else_is_refused(paper: Paper) -> None:
    for other in ({"sub": "eve"}, {"sub": None}, {}, {"sub": ["ada"]}):
        with pytest.raises(BadToken) as caught:
            await with_userinfo(paper, said({**other, "email": "eve@example.com"}))
        assert caught.value.reason is Reason.SUBJECT


async def test_userinfo_cannot_replace_a_claim_of_the_protocol(paper: Paper) -> None:
    lies = {"sub": "ada", "iss": "https://evil.example", "aud": "other", "auth_time": 1, "acr": "phrh", "nonce": "n"}
    identity = await with_userinfo(paper, said(lies), acr="pwd")
    assert (identity.issuer, identity.acr, identity.auth_time) == (ISSUER, "pwd", None)
    assert (identity.raw["iss"], identity.raw["acr"]) == (ISSUER, "pwd")
    assert not {"iss", "aud", "acr", "nonce"} & set(identity.claims.extra)


@pytest.mark.parametrize(
    ("token", "info", "expected"),
    [
        ({"email": "a@x.example", "email_verified": True}, {"email": "b@x.example"}, ("b@x.example", None)),
        ({"email": "a@x.example"}, {"email_verified": True}, ("a@x.example", None)),
        ({"email_verified": True}, {"email": "b@x.example"}, ("b@x.example", None)),
        ({"email": "a@x.example", "email_verified": True}, {}, ("a@x.example", True)),
        ({}, {"email": "b@x.example", "email_verified": True}, ("b@x.example", True)),
    ],
)
async def test_an_address_and_whether_it_is_proved_come_from_one_place(
    paper: Paper, token: dict[str, Any], info: dict[str, Any], expected: tuple[str, bool | None]
) -> None:
    claims = (await with_userinfo(paper, said({"sub": "ada", **info}), **token)).claims
    assert (claims.email, claims.email_verified) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [(said({}, 401), Refused), (said({}, 500), Malformed), (raw(b"[]"), Malformed), (raw(b""), Malformed)],
)
async def test_userinfo_that_fails_fails_the_sign_in(
    paper: Paper, answer: HttpResponse, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await with_userinfo(paper, answer)


def jwt_of(token: str) -> HttpResponse:
    return raw(token.encode(), kind="application/jwt")


async def test_signed_userinfo_is_verified_with_the_same_care(paper: Paper) -> None:
    good = {"iss": ISSUER, "aud": CLIENT, "sub": "ada", "email": "ada@example.com"}
    assert (await with_userinfo(paper, jwt_of(signed(good)))).claims.email == "ada@example.com"
    ends = int(paper.clock.now().timestamp()) - 100
    for bad, reason in (
        (signed(good, rsa("other"), kid="one"), Reason.SIGNATURE),
        (signed(good, ec(), alg="ES256"), Reason.ALGORITHM),
        (signed({**good, "iss": "https://evil.example"}), Reason.ISSUER),
        (signed({**good, "aud": "other"}), Reason.AUDIENCE),
        (signed({**good, "sub": "eve"}), Reason.SUBJECT),
        (signed({**good, "exp": ends}), Reason.EXPIRED),
        (signed(good, typ="at+jwt"), Reason.TYPE),
        ("no token", Reason.UNREADABLE),
    ):
        with pytest.raises(BadToken) as caught:
            await with_userinfo(paper, jwt_of(bad))
        assert caught.value.reason is reason
    with pytest.raises(Malformed):
        await with_userinfo(paper, raw(b"\xff", kind="application/jwt"))


# ---- what follows ----


async def test_a_refreshed_id_token_has_to_be_the_same_person_s(paper: Paper) -> None:
    tokens = Tokens(access_token="a", refresh_token="r")
    cases: list[tuple[dict[str, Any], Reason | None]] = [
        ({}, None),
        ({"nonce": "of the first"}, None),
        ({"sub": "eve"}, Reason.SUBJECT),
        ({"iss": "https://evil.example"}, Reason.ISSUER),
        ({"aud": "other"}, Reason.AUDIENCE),
    ]
    for claims, reason in cases:
        paper.hands_out(signed(paper.claims(**claims)))
        if reason is None:
            assert (await openid().refresh(paper.tools, tokens, subject="ada")).id_token
        else:
            with pytest.raises(BadToken) as caught:
                await openid().refresh(paper.tools, tokens, subject="ada")
            assert caught.value.reason is reason
    paper.hands_out(None)
    assert (await openid().refresh(paper.tools, tokens, subject="ada")).id_token is None


@pytest.mark.parametrize(
    ("error", "needs"), [("login_required", True), ("consent_required", True), ("invalid_request", False)]
)
async def test_a_provider_that_was_to_show_nothing_says_that_it_needs_a_person(
    paper: Paper, error: str, *, needs: bool
) -> None:
    begun = await openid().begin(paper.tools, redirect_uri=BACK, ask=Ask(prompt="none"))
    assert "prompt=none" in begun.url
    with pytest.raises(Refused) as caught:
        await openid().complete(paper.tools, begun.flow, coming_back(begun, code=None, error=error))
    assert caught.value.needs_person is needs


async def test_the_address_for_signing_out_says_who_asks_and_where_to_return(paper: Paper) -> None:
    url = await openid().logout_url(paper.tools, id_token="t", return_to=BACK, state="s")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{ISSUER}/out?")
    assert asked == {"client_id": CLIENT, "id_token_hint": "t", "post_logout_redirect_uri": BACK, "state": "s"}
    paper = Paper()
    paper.answers[PUBLISHED] = said(
        metadata(end_session_endpoint=None, revocation_endpoint=None, userinfo_endpoint=None)
    )
    with pytest.raises(Unsuitable):
        await openid().logout_url(paper.tools)
    with pytest.raises(Unsuitable):
        await openid().revoke(paper.tools, "r")
    with pytest.raises(Unsuitable):
        await openid().userinfo(paper.tools, Tokens(access_token="a"), subject="ada")
    assert (await sign_in(paper, openid(asks_userinfo=True))).subject == "ada"


async def test_a_provider_s_file_may_trust_in_shapes_that_nobody_promised(paper: Paper) -> None:
    class Naive(type(openid())):  # type: ignore[misc]
        def normalise(self, raw: Any) -> Any:
            return {"sub": raw["sub"], "name": raw["names"][0]["first"]}

    value = Naive(name="paper", issuer=ISSUER, client_id=CLIENT, client_secret="s" * 32, asks_userinfo=False)
    assert (await sign_in(paper, value, names=[{"first": "Ada"}])).claims.name == "Ada"
    for odd in (None, [], 7, [None], [7]):
        with pytest.raises(Malformed):
            await sign_in(paper, value, names=odd)
