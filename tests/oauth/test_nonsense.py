"""Whatever comes, `complete` returns somebody or raises a typed error; and nobody is let in by nonsense (S58)."""

import base64
import json
from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.oauth import (
    Ask,
    Begun,
    Callback,
    ClientAuthentication,
    Flow,
    HttpResponse,
    OAuth1,
    OAuth2,
    OpenIDConnect,
    ProviderError,
)  # fmt: skip
from powauth.oauth.claims import Claims
from powauth.oauth.guard import address_problem
from powauth.oauth.ports import Network
from powauth.providers import Apple, GitHub, Google
from tests.oauth.paper import (
    BACK,
    CLIENT,
    ISSUER,
    SECRET,
    Paper,
    coming_back,
    form,
    keys,
    metadata,
    openid,
    rsa,
    said,
    signed,
)

patient = settings(deadline=None)  # the first RSA key takes its time
TEXT = st.text(max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just(10**400)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
NAMES = st.sampled_from(
    ["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "auth_time", "acr", "tid", "hd",
     "email", "email_verified", "name", "address", "updated_at", "id", "emails", "login"]
)  # fmt: skip
KINDS = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/html", "application/jwt", "", "é"]
)
BODIES = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value, default=str).encode())
    | st.dictionaries(
        st.sampled_from(["access_token", "token_type", "id_token", "expires_in", "scope", "refresh_token", "error",
                         "error_description", "oauth_token", "oauth_token_secret", "keys", "sub"]),
        JSON | st.just("Bearer"),
    ).map(lambda value: json.dumps(value, default=str).encode())
)  # fmt: skip
ANSWERS = st.builds(
    lambda status, kind, body: HttpResponse(status=status, headers={"content-type": kind}, body=body),
    st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 500]), KINDS, BODIES,
)  # fmt: skip
PARAMS = st.dictionaries(
    st.sampled_from(["code", "state", "iss", "error", "error_description", "error_uri", "user", "oauth_token",
                     "oauth_verifier", "denied"]) | TEXT,
    TEXT | st.just("code"),
)  # fmt: skip


def run(story: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nobody, as a provider on paper answers at once: a thousand times faster than an event loop."""
    try:
        story.send(None)
    except StopIteration:
        return
    story.close()
    raise AssertionError("it waits")


async def outcome(value: Any, paper: Paper, begun: Begun, callback: Callback) -> bool:
    """Say whether somebody was let in; whatever else than a typed error comes, fails the test."""
    try:
        await value.complete(paper.tools, begun.flow, callback)
    except ProviderError as error:
        caught = error
    else:
        return True
    assert caught.code
    assert str(caught).isprintable()
    return False


def oauth2() -> GitHub:
    return GitHub(client_id=CLIENT, client_secret=SECRET)


def oauth1() -> OAuth1:
    doors = {
        f"{name}_endpoint": f"{ISSUER}/{name}"
        for name in ("request_token", "authorization", "access_token", "userinfo")
    }
    return OAuth1(name="bird", consumer_key="k", consumer_secret="s", **doors)  # type: ignore[arg-type]


@given(PARAMS, st.sampled_from(["query", "form_post"]))
@patient
def test_a_call_back_of_nonsense_lets_nobody_in(params: dict[str, str], by: Any) -> None:
    async def main() -> None:
        paper = Paper()
        paper.answers["/request_token"] = form(
            {"oauth_token": "t", "oauth_token_secret": "s", "oauth_callback_confirmed": "true"}
        )
        for value in (openid(), oauth2(), oauth1()):
            begun = await value.begin(paper.tools, redirect_uri=BACK)
            assert not await outcome(value, paper, begun, Callback(params, by))

    run(main())


@given(st.text(max_size=200))
@patient
def test_a_query_of_nonsense_is_read_or_refused(text: str) -> None:
    for read in (Callback.from_query, Callback.from_form):
        try:
            callback = read(text)
        except ProviderError:
            continue
        for name in callback.params:
            try:
                callback.get(name)
            except ProviderError:
                continue


@given(ANSWERS, ANSWERS, ANSWERS)
@patient
def test_answers_of_nonsense_let_nobody_in(token: HttpResponse, person: HttpResponse, published: HttpResponse) -> None:
    async def main() -> None:
        for value in (openid(asks_userinfo=True), openid(nonce=False), oauth2()):
            paper = Paper()
            begun = await value.begin(paper.tools, redirect_uri=BACK)
            paper.answers |= {"/token": token, "/login/oauth/access_token": token, "/keys": published}
            paper.answers |= {"/me": person, "/user": person, "/user/emails": person}
            is_in = await outcome(value, paper, begun, coming_back(begun))
            assert not is_in or isinstance(value, OAuth2)

    run(main())


@given(st.dictionaries(NAMES | TEXT, JSON, max_size=5))
@patient
def test_a_signed_token_of_nonsense_lets_in_only_whom_it_names(changes: dict[str, Any]) -> None:
    async def main() -> None:
        for value in (openid(), Google(client_id=CLIENT, client_secret=SECRET, issuer=ISSUER, hosted_domain="*")):
            paper = Paper()
            begun = await value.begin(paper.tools, redirect_uri=BACK)
            claims = {**paper.claims(begun), **changes}
            try:
                paper.hands_out(signed(claims))
            except (ValueError, TypeError):
                return
            if await outcome(value, paper, begun, coming_back(begun)):
                assert claims["iss"] == ISSUER
                assert CLIENT in claims["aud"]
                assert claims["nonce"] == begun.flow.nonce

    run(main())


HEADERS = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "jwk", "jku", "x5u", "crit", "b64", "zip", "enc"]), JSON
)


@given(HEADERS, st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=300))
@patient
def test_a_token_that_nobody_signed_lets_nobody_in(header: Any, payload: bytes, signature: bytes) -> None:
    async def main() -> None:
        parts = (json.dumps({"alg": "RS256", **header}).encode(), payload, signature)
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        paper = Paper()
        value = openid(nonce=False)
        begun = await value.begin(paper.tools, redirect_uri=BACK)
        paper.hands_out(token)
        assert not await outcome(value, paper, begun, coming_back(begun))

    run(main())


@given(st.text(max_size=80))
@patient
def test_text_that_is_no_token_lets_nobody_in(token: str) -> None:
    async def main() -> None:
        paper = Paper()
        value = openid(nonce=False)
        begun = await value.begin(paper.tools, redirect_uri=BACK)
        paper.hands_out(token)
        assert not await outcome(value, paper, begun, coming_back(begun))

    run(main())


@given(st.dictionaries(st.sampled_from(sorted(metadata())) | TEXT, JSON, max_size=4))
@patient
def test_metadata_of_nonsense_are_read_or_refused(changes: dict[str, Any]) -> None:
    async def main() -> None:
        paper = Paper()
        paper.answers["/.well-known/openid-configuration"] = said({**metadata(), **changes})
        try:
            begun = await openid().begin(paper.tools, redirect_uri=BACK)
        except ProviderError:
            return
        assert begun.url.startswith("https://")

    run(main())


@given(
    st.lists(
        JSON | st.dictionaries(st.sampled_from(["kty", "n", "e", "kid", "alg", "use", "key_ops", "crv", "x"]), JSON)
    )
)
@patient
def test_keys_of_nonsense_verify_nothing(published: list[Any]) -> None:
    async def main() -> None:
        paper = Paper()
        paper.answers["/keys"] = said({"keys": published})
        begun = await openid().begin(paper.tools, redirect_uri=BACK)
        paper.hands_out(signed(paper.claims(begun)))
        assert not await outcome(openid(), paper, begun, coming_back(begun))
        if "NaN" in json.dumps(published) or "Infinity" in json.dumps(published):  # then it is no JSON as a whole
            return
        paper = Paper()
        paper.answers["/keys"] = said({"keys": [*published[:50], rsa().as_dict(private=False)]})
        begun = await openid().begin(paper.tools, redirect_uri=BACK)
        paper.hands_out(signed(paper.claims(begun)))
        assert await outcome(openid(), paper, begun, coming_back(begun))

    run(main())


@given(st.dictionaries(NAMES | TEXT, JSON, max_size=6))
@patient
def test_claims_of_nonsense_are_read_or_refused(raw: dict[str, Any]) -> None:
    for read in (Claims.read, lambda said: Claims.read(oauth2().normalise(said))):
        try:
            claims = read(raw)
        except (ProviderError, LookupError, TypeError, AttributeError):
            continue
        assert 0 < len(claims.sub) <= 255


@given(st.dictionaries(st.sampled_from(sorted(Flow.__dataclass_fields__)) | TEXT, JSON))
@patient
def test_a_flow_of_nonsense_is_read_or_refused(plain: dict[str, Any]) -> None:
    try:
        Flow.read(plain)
    except ProviderError:
        return
    assert isinstance(plain["state"], str)


@given(st.text(max_size=60) | st.text("https:/[]@.0x127%\\#?abc ", max_size=40), st.sampled_from(list(Network)))
@patient
def test_an_address_of_nonsense_is_judged(url: str, network: Network) -> None:
    problem = address_problem(url, network)
    assert problem is None or "\n" not in problem


@given(st.text(max_size=60))
@patient
def test_a_name_of_nonsense_from_apple_s_form_is_read_or_left(text: str) -> None:
    value = Apple(client_id="a", team_id="t", client_authentication=ClientAuthentication.POST)
    try:
        assert set(value.from_browser(Callback({"user": text}, "form_post"))) <= {"name", "given_name", "family_name"}
    except ProviderError:
        return


def test_what_is_compared_here_can_succeed() -> None:
    async def main() -> None:
        paper = Paper()
        paper.answers["/keys"] = said(keys())
        value: OpenIDConnect = openid()
        begun = await value.begin(paper.tools, redirect_uri=BACK, ask=Ask())
        paper.hands_out(signed(paper.claims(begun)))
        assert await outcome(value, paper, begun, coming_back(begun))

    run(main())
