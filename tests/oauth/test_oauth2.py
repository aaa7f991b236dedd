"""OAuth 2.0 alone: two halves of a flow, what providers answer, what anybody may send (S49, S57, S61, S69)."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from powauth.errors import ConfigurationError
from powauth.oauth import (
    Ask,
    BadState,
    BadToken,
    Begun,
    Callback,
    ClientAuthentication,
    Denied,
    Flow,
    HttpResponse,
    Identity,
    Malformed,
    NoAnswer,
    OAuth2,
    PrivateKey,
    ProviderError,
    Reason,
    Refused,
    Tokens,
    TooSlow,
    Unreachable,
    Unsuitable,
)  # fmt: skip
from powauth.oauth.pkce import challenge
from tests.oauth.paper import BACK, CLIENT, ISSUER, SECRET, Paper, coming_back, ec, form, raw, rsa, said

pytestmark = pytest.mark.anyio
UNSIGNED = PrivateKey("x", algorithm="none")
GOOD = {"access_token": "access", "token_type": "bearer"}


def oauth2(**changes: Any) -> OAuth2:
    settings: dict[str, Any] = {
        "name": "paper",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/me",
        "revocation_endpoint": f"{ISSUER}/revoke",
    }
    return OAuth2(**{**settings, **changes})


@pytest.fixture
def paper() -> Paper:
    paper = Paper()
    paper.answers["/token"] = said(GOOD)
    return paper


async def begin(paper: Paper, provider: OAuth2 | None = None, ask: Ask | None = None) -> Begun:
    return await (provider or oauth2()).begin(paper.tools, redirect_uri=BACK, ask=ask)


async def sign_in(paper: Paper, provider: OAuth2 | None = None, **changes: str | None) -> Identity:
    provider = provider or oauth2()
    begun = await begin(paper, provider)
    return await provider.complete(paper.tools, begun.flow, coming_back(begun, **changes))


def query(url: str) -> dict[str, str]:
    found = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values())
    return {name: values[0] for name, values in found.items()}


# ---- the way there ----


async def test_the_address_asks_for_a_code_with_state_and_challenge(paper: Paper) -> None:
    begun = await begin(paper, oauth2(scopes=("a", "b")), Ask(scopes=("b", "c"), login_hint="ada"))
    asked = query(begun.url)
    assert begun.flow.verifier
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "scope": "a b c",
        "state": begun.flow.state,
        "code_challenge": challenge(begun.flow.verifier),
        "code_challenge_method": "S256",
        "login_hint": "ada",
    }
    assert len(begun.flow.state) == len(begun.flow.verifier) == 43  # RFC 7636 §4.1: from 43 to 128
    assert paper.asked == []


async def test_every_flow_has_values_of_its_own(paper: Paper) -> None:
    one, other = await begin(paper), await begin(paper)
    assert one.flow.state != other.flow.state
    assert one.flow.verifier != other.flow.verifier


async def test_only_the_state_of_a_flow_stands_in_the_address(paper: Paper) -> None:
    begun = await begin(paper)
    assert begun.flow.verifier
    assert begun.flow.verifier not in begun.url


async def test_pkce_can_be_left_out_for_a_provider_that_refuses_it_and_state_never(paper: Paper) -> None:
    asked = query((await begin(paper, oauth2(pkce=False))).url)
    assert "code_challenge" not in asked
    assert asked["state"]


async def test_an_address_with_a_query_keeps_it(paper: Paper) -> None:
    provider = oauth2(authorization_endpoint=f"{ISSUER}/authorize?tenant=t1&state=theirs")
    asked = query((await begin(paper, provider)).url)
    assert asked["tenant"] == "t1"
    assert asked["state"] != "theirs"


async def test_parameters_can_be_added_and_none_of_the_protocol_be_replaced(paper: Paper) -> None:
    provider = oauth2(authorize_params={"access_type": "offline"})
    assert query((await begin(paper, provider, Ask(params={"theme": "dark"}))).url)["theme"] == "dark"
    for name in ("state", "redirect_uri", "client_id", "scope", "code_challenge", "response_type", "request_uri"):
        with pytest.raises(ConfigurationError, match=name):
            await begin(paper, None, Ask(params={name: "x"}))
        with pytest.raises(ConfigurationError, match=name):
            await begin(paper, oauth2(authorize_params={name: "x"}))
    with pytest.raises(ConfigurationError, match="code_verifier"):
        await begin(paper, oauth2(token_params={"code_verifier": "x"}))


@pytest.mark.parametrize("ask", [Ask(max_age=timedelta(0)), Ask(acr_values=("phr",)), Ask(prompt="login")])
async def test_oauth_alone_does_not_promise_a_fresh_sign_in(paper: Paper, ask: Ask) -> None:
    with pytest.raises(ConfigurationError):
        await begin(paper, None, ask)


@pytest.mark.parametrize("back", ["/callback", "http://app.example.com/", "https://app.example.com/#a", "app://x", ""])
async def test_a_browser_comes_back_to_https_or_to_this_machine(paper: Paper, back: str) -> None:
    with pytest.raises(ConfigurationError, match="redirect_uri"):
        await oauth2().begin(paper.tools, redirect_uri=back)
    begun = await oauth2().begin(paper.tools, redirect_uri="http://localhost:8000/callback")
    assert begun.flow.redirect_uri == "http://localhost:8000/callback"


# ---- configuration ----


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"client_id": ""}, "client_id is missing"),
        ({"client_secret": None}, "client_secret is missing"),
        ({"client_secret": None, "client_authentication": ClientAuthentication.POST}, "client_secret is missing"),
        ({"client_secret": None, "client_authentication": ClientAuthentication.SECRET_JWT}, "client_secret is missing"),
        ({"client_secret": "short", "client_authentication": ClientAuthentication.SECRET_JWT}, "shorter than 32 bytes"),
        ({"client_authentication": ClientAuthentication.PRIVATE_KEY_JWT}, "private_key is missing"),
        ({"client_authentication": ClientAuthentication.PRIVATE_KEY_JWT, "private_key": UNSIGNED}, "none is no"),
        ({"name": "A/b"}, "cannot stand in an address"),
        ({"authorization_endpoint": "http://id.example.com/"}, "only https"),
        ({"token_endpoint": "https://10.0.0.1/"}, "not an address of the open internet"),
        ({"userinfo_endpoint": ""}, "not an address"),
    ],
)  # fmt: skip
async def test_what_is_missing_or_unsafe_is_said_before_anybody_is_asked(
    paper: Paper, changes: dict[str, Any], problem: str
) -> None:
    provider = oauth2(**changes)
    assert any(problem in each for each in provider.problems())
    with pytest.raises(ConfigurationError, match=problem):
        await begin(paper, provider)
    with pytest.raises(ConfigurationError, match=problem):
        await provider.complete(paper.tools, (await begin(paper)).flow, Callback({}, "query"))
    assert paper.asked == []


def test_a_good_value_has_no_problems_and_shows_no_secret() -> None:
    provider = oauth2(private_key=PrivateKey("-----BEGIN PRIVATE KEY-----"))
    assert provider.problems() == ()
    assert SECRET not in repr(provider)
    assert "BEGIN" not in repr(provider)
    assert hash(provider) == hash(oauth2(private_key=PrivateKey("-----BEGIN PRIVATE KEY-----")))


# ---- client authentication ----


async def test_a_client_without_a_secret_names_itself(paper: Paper) -> None:
    await sign_in(paper, oauth2(client_secret=None, client_authentication=ClientAuthentication.NONE))
    assert paper.fields()["client_id"] == CLIENT
    assert "authorization" not in paper.headers()
    assert "client_secret" not in paper.fields()


async def test_a_secret_travels_in_the_header_form_encoded_first(paper: Paper) -> None:
    await sign_in(paper, oauth2(client_id="a:b c", client_secret="ü%&"))
    encoded = paper.headers()["authorization"].removeprefix("Basic ")
    assert base64.b64decode(encoded) == b"a%3Ab+c:%C3%BC%25%26"  # RFC 6749 §2.3.1
    assert "client_secret" not in paper.fields()


async def test_a_secret_travels_in_the_body(paper: Paper) -> None:
    await sign_in(paper, oauth2(client_authentication=ClientAuthentication.POST))
    assert (paper.fields()["client_id"], paper.fields()["client_secret"]) == (CLIENT, SECRET)
    assert "authorization" not in paper.headers()


def assertion(paper: Paper, key: Any, algorithm: str) -> Any:
    fields = paper.fields()
    assert fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in fields
    return jwt.decode(fields["client_assertion"], key, algorithms=[algorithm])


async def test_a_secret_signs_and_does_not_travel(paper: Paper) -> None:
    provider = oauth2(client_authentication=ClientAuthentication.SECRET_JWT)
    await sign_in(paper, provider)
    first = assertion(paper, OctKey.import_key(SECRET), "HS256")
    now = int(paper.clock.now().timestamp())
    expected = {"iss": CLIENT, "sub": CLIENT, "aud": f"{ISSUER}/token", "iat": now, "exp": now + 60}
    assert {**first.claims, "jti": ""} == {**expected, "jti": ""}
    await sign_in(paper, provider)
    assert assertion(paper, OctKey.import_key(SECRET), "HS256").claims["jti"] != first.claims["jti"]


@pytest.mark.parametrize(("key", "algorithm"), [(rsa, "RS256"), (rsa, "PS256"), (ec, "ES256")])
@pytest.mark.parametrize("is_pem", [True, False])
async def test_a_private_key_signs(paper: Paper, key: Callable[[], Any], algorithm: str, *, is_pem: bool) -> None:
    pem, jwk = key().as_pem(private=True).decode(), key().as_dict(private=True)
    private = PrivateKey(pem if is_pem else None, None if is_pem else jwk, id="ours", algorithm=algorithm)
    settings = {"client_authentication": ClientAuthentication.PRIVATE_KEY_JWT, "client_assertion_audience": ISSUER}
    await sign_in(paper, oauth2(client_secret=None, private_key=private, **settings))
    signed = assertion(paper, key(), algorithm)
    assert (signed.header["kid"], signed.claims["aud"]) == ("ours", ISSUER)


async def test_a_key_that_is_none_is_named_and_not_shown(paper: Paper) -> None:
    private = PrivateKey("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")
    provider = oauth2(client_authentication=ClientAuthentication.PRIVATE_KEY_JWT, private_key=private)
    with pytest.raises(ConfigurationError, match="cannot sign") as caught:
        await sign_in(paper, provider)
    assert "c2VjcmV0" not in repr(caught.value)
    assert caught.value.__cause__ is None


# ---- the way back ----


async def test_the_code_is_exchanged_with_the_verifier_and_the_very_return_address(paper: Paper) -> None:
    begun = await begin(paper)
    identity = await oauth2().complete(paper.tools, begun.flow, coming_back(begun))
    expected = {"grant_type": "authorization_code", "code": "code", "redirect_uri": BACK}
    assert paper.fields() == {**expected, "code_verifier": begun.flow.verifier}
    assert paper.headers("/me")["authorization"] == "Bearer access"
    assert (identity.issuer, identity.subject, identity.claims.email) == (ISSUER, "ada", "ada@example.com")


async def refused_state(paper: Paper, provider: OAuth2 | None = None, **changes: str | None) -> Reason:
    with pytest.raises(BadState) as caught:
        await sign_in(paper, provider, **changes)
    assert paper.asked == []
    return caught.value.reason


async def test_a_state_that_is_missing_or_another_s_is_refused_before_all_else(paper: Paper) -> None:
    assert await refused_state(paper, state=None) is Reason.STATE_MISSING
    assert await refused_state(paper, state="") is Reason.STATE_MISSING
    assert await refused_state(paper, state="another") is Reason.STATE_WRONG
    assert await refused_state(paper, state="é" * 43) is Reason.STATE_WRONG
    assert await refused_state(paper, state="\ud800" * 43) is Reason.STATE_WRONG
    assert await refused_state(paper, state="another", error="access_denied") is Reason.STATE_WRONG


async def test_a_flow_is_for_one_provider(paper: Paper) -> None:
    begun = await begin(paper)
    for other in (oauth2(name="other"), oauth2(authorization_endpoint="https://other.example.com/authorize")):
        with pytest.raises(BadState) as caught:
            await other.complete(paper.tools, begun.flow, coming_back(begun))
        assert caught.value.reason is Reason.OTHER_PROVIDER


async def test_a_flow_is_good_for_a_quarter_of_an_hour(paper: Paper) -> None:
    begun = await begin(paper)
    paper.clock.move(timedelta(minutes=15))
    assert (await oauth2().complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"
    paper.clock.move(timedelta(seconds=2))
    with pytest.raises(BadState) as caught:
        await oauth2().complete(paper.tools, begun.flow, coming_back(begun))
    assert caught.value.reason is Reason.FLOW_EXPIRED


async def test_whoever_agreed_on_a_form_takes_nothing_from_a_query_and_the_other_way_round(paper: Paper) -> None:
    for mode, other in (("form_post", "query"), ("query", "form_post")):
        provider = oauth2(response_mode=mode)
        begun = await begin(paper, provider)
        assert query(begun.url).get("response_mode", "query") == mode
        for params in ({"code": "code"}, {"error": "access_denied"}):
            callback = Callback({**params, "state": begun.flow.state}, other)  # type: ignore[arg-type]
            with pytest.raises(BadState) as caught:
                await provider.complete(paper.tools, begun.flow, callback)
            assert caught.value.reason is Reason.OTHER_WAY
        assert (await provider.complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"


async def test_a_provider_that_says_who_it_is_has_to_be_itself(paper: Paper) -> None:
    provider = oauth2(response_issuer=ISSUER)
    assert (await sign_in(paper, provider, iss=ISSUER)).issuer == ISSUER
    paper.asked.clear()
    assert await refused_state(paper, provider, iss="https://evil.example") is Reason.ISSUER_WRONG
    assert await refused_state(paper, provider) is Reason.ISSUER_MISSING
    assert await refused_state(paper, provider, iss="https://evil.example", error="x") is Reason.ISSUER_WRONG


async def test_a_person_may_say_no(paper: Paper) -> None:
    with pytest.raises(Denied):
        await sign_in(paper, code=None, error="access_denied")


async def test_an_error_comes_with_its_code_and_words_for_a_log(paper: Paper) -> None:
    words = "No\x00such\nscope" + "x" * 900
    with pytest.raises(Refused) as caught:
        await sign_in(paper, code=None, error="invalid_scope", error_description=words, error_uri="https://id/e")
    assert (caught.value.error, caught.value.uri) == ("invalid_scope", "https://id/e")
    assert caught.value.description
    assert caught.value.description.startswith("No such scope")
    assert len(caught.value.description) == 500
    assert "such" not in str(caught.value) + repr(caught.value)


async def test_an_error_s_code_cannot_forge_a_line_of_a_log(paper: Paper) -> None:
    with pytest.raises(Refused) as caught:
        await sign_in(paper, code=None, error="x\n2026 ERROR: all is lost")
    assert str(caught.value) == "unreadable"


async def test_a_call_back_without_code_and_error_is_refused(paper: Paper) -> None:
    with pytest.raises(Malformed, match="code"):
        await sign_in(paper, code=None)


@pytest.mark.parametrize("text", ["code=a&code=b&state=s", "state=a&state=b", "code=a&code="])
def test_a_parameter_that_stands_twice_is_refused(text: str) -> None:
    for read in (Callback.from_query, Callback.from_form):
        with pytest.raises(BadState) as caught:
            read(text)
        assert caught.value.reason is Reason.REPEATED


def test_a_call_back_says_how_it_came_and_shows_nothing() -> None:
    callback = Callback.from_form("code=secret&state=s")
    assert (callback.by, callback.get("code"), callback.get("nothing")) == ("form_post", "secret", None)
    assert "secret" not in repr(callback)


@pytest.mark.parametrize("text", ["a=" + "x" * 40_000, "&".join(f"a{n}=1" for n in range(200)), "a=%ff"])
def test_a_call_back_that_is_too_long_or_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ProviderError):
        Callback.from_query(text)


# ---- what the token endpoint answers ----


@pytest.mark.parametrize(
    "answer",
    [
        said(GOOD),
        said(GOOD, 201),
        said({**GOOD, "token_type": "BEARER"}),
        said(GOOD, kind="application/json; charset=utf-8"),
        said(GOOD, kind="application/vnd.api+json"),
        said(GOOD, kind="text/plain"),
        said(GOOD, kind=""),
        form(GOOD),
        form(GOOD, kind="text/plain"),
        form(GOOD, kind="text/html; charset=utf-8"),
    ],
)
async def test_tokens_are_read_as_providers_write_them(paper: Paper, answer: HttpResponse) -> None:
    paper.answers["/token"] = answer
    assert (await sign_in(paper)).tokens.access_token == "access"


@pytest.mark.parametrize(
    "answer",
    [
        said({"error": "bad_verification_code", "error_description": "d"}, 200),
        form({"error": "bad_verification_code", "error_description": "d"}, 200),
        said({"error": "bad_verification_code", "error_description": "d", **GOOD}, 400),
        form({"error": "bad_verification_code", "error_description": "d"}, 401),
    ],
)
async def test_an_error_is_one_whatever_its_status_and_form(paper: Paper, answer: HttpResponse) -> None:
    paper.answers["/token"] = answer
    with pytest.raises(Refused) as caught:
        await sign_in(paper)
    assert (caught.value.error, caught.value.description) == ("bad_verification_code", "d")
    assert caught.value.status == answer.status


@pytest.mark.parametrize(
    "answer",
    [
        said({"token_type": "bearer"}),
        said({**GOOD, "access_token": ""}),
        said({**GOOD, "access_token": None}),
        said({**GOOD, "access_token": 7}),
        said({**GOOD, "access_token": "a\r\nX-Evil: b"}),
        said({**GOOD, "refresh_token": []}),
        said({**GOOD, "id_token": 7}),
        said({**GOOD, "expires_in": "soon"}),
        said({**GOOD, "expires_in": -1}),
        said({**GOOD, "expires_in": True}),
        said({**GOOD, "expires_in": 10**30}),
        said({**GOOD, "scope": 7}),
        said([]),
        said("text"),
        said(GOOD, 204),
        said(GOOD, 302),
        said({}, 500),
        raw(b""),
        raw(b"<html>", kind="text/html"),
        raw(b"\xff\xfe"),
        raw(b'{"access_token": "a", "access_token": "b", "token_type": "bearer"}'),
        raw(b'{"access_token": "a", "token_type": "bearer", "n": NaN}'),
        raw(b'{"n": ' + b"9" * 5000 + b"}"),
        raw(b"[" * 100_000),
        raw(b"", 503, "text/html"),
    ],
)
async def test_tokens_that_are_none_are_refused(paper: Paper, answer: HttpResponse) -> None:
    paper.answers["/token"] = answer
    with pytest.raises(Malformed):
        await sign_in(paper)
    assert paper.count("/me") == 0


@pytest.mark.parametrize("kind", ["mac", "DPoP", "N_A", "", None])
async def test_a_token_of_an_unknown_type_is_not_used(paper: Paper, kind: str | None) -> None:
    paper.answers["/token"] = said({"access_token": "access", "token_type": kind})
    with pytest.raises(BadToken) as caught:
        await sign_in(paper)
    assert caught.value.reason is Reason.TOKEN_TYPE
    assert paper.count("/me") == 0


@pytest.mark.parametrize("error", [Unreachable("id.example.com"), TooSlow("id.example.com")])
@pytest.mark.parametrize("door", ["/token", "/me"])
async def test_a_provider_that_does_not_answer_is_told_from_one_that_refuses(
    paper: Paper, error: NoAnswer, door: str
) -> None:
    paper.answers[door] = error
    with pytest.raises(type(error)):
        await sign_in(paper)


async def test_tokens_know_when_they_end_and_what_they_open(paper: Paper) -> None:
    paper.answers["/token"] = said({**GOOD, "expires_in": "3600", "scope": "a b", "refresh_token": "r"})
    tokens = (await sign_in(paper)).tokens
    assert tokens.expires_at == paper.clock.now() + timedelta(hours=1)
    assert (tokens.scopes, tokens.refresh_token) == (("a", "b"), "r")
    paper.answers["/token"] = said(GOOD)
    assert (await sign_in(paper, oauth2(scopes=("asked",)))).tokens.scopes == ("asked",)  # RFC 6749 §5.1
    paper.answers["/token"] = said({**GOOD, "scope": "a,b"})
    assert (await sign_in(paper, oauth2(scope_separator=","))).tokens.scopes == ("a", "b")


# ---- who it is ----


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (said({}, 401), Refused),
        (said({}, 403), Refused),
        (said({}, 500), Malformed),
        (said([]), Malformed),
        (said({}), Malformed),
        (said({"sub": None}), Malformed),
        (said({"sub": True}), Malformed),
        (said({"sub": "ada", "email": ["a"]}), Malformed),
        (said({"sub": "ada", "email_verified": "yes"}), Malformed),
        (said({"sub": "ada", "updated_at": "2026"}), None),
        (said({"sub": "ada", "updated_at": "now"}), Malformed),
        (said({"sub": 42}), None),
    ],
)
async def test_what_is_said_of_a_person_has_to_be_readable(
    paper: Paper, answer: HttpResponse, error: type[Exception] | None
) -> None:
    paper.answers["/me"] = answer
    if error is None:
        assert (await sign_in(paper)).subject in {"ada", "42"}
    else:
        with pytest.raises(error):
            await sign_in(paper)


# ---- what follows ----


async def test_tokens_are_refreshed_and_the_old_refresh_token_kept_where_no_new_one_comes(paper: Paper) -> None:
    old = Tokens(access_token="a", refresh_token="r", scopes=("s",))
    new = await oauth2().refresh(paper.tools, old)
    assert (new.access_token, new.refresh_token, new.scopes) == ("access", "r", ("s",))
    assert paper.fields() == {"grant_type": "refresh_token", "refresh_token": "r"}
    paper.answers["/token"] = said({**GOOD, "refresh_token": "r2"})
    assert (await oauth2().refresh(paper.tools, old)).refresh_token == "r2"
    paper.answers["/token"] = said({"error": "invalid_grant"}, 400)
    with pytest.raises(Refused, match="invalid_grant"):
        await oauth2().refresh(paper.tools, old)


async def test_what_cannot_be_refreshed_or_revoked_is_said(paper: Paper) -> None:
    with pytest.raises(Unsuitable):
        await oauth2().refresh(paper.tools, Tokens(access_token="a"))
    with pytest.raises(Unsuitable):
        await oauth2(revocation_endpoint=None).revoke(paper.tools, "a")


async def test_a_token_is_revoked_with_proof_of_who_asks(paper: Paper) -> None:
    paper.answers["/revoke"] = raw(b"")
    await oauth2().revoke(paper.tools, "r")
    assert paper.fields("/revoke") == {"token": "r", "token_type_hint": "refresh_token"}
    assert paper.headers("/revoke")["authorization"].startswith("Basic ")
    paper.answers["/revoke"] = said({"error": "unsupported_token_type"}, 400)
    with pytest.raises(Refused, match="unsupported_token_type"):
        await oauth2().revoke(paper.tools, "r")
    paper.answers["/revoke"] = raw(b"", 503)
    with pytest.raises(Malformed):
        await oauth2().revoke(paper.tools, "r")


# ---- what is kept ----


async def test_a_flow_can_be_kept_as_json_and_read_again(paper: Paper) -> None:
    flow = (await begin(paper, oauth2(scopes=("a",)))).flow
    assert Flow.read(json.loads(json.dumps(flow.plain()))) == flow


@pytest.mark.parametrize(
    "change",
    [{"state": 7}, {"state": None}, {"extra": 1}, {"started_at": "1"}, {"started_at": True}, {"started_at": -1},
     {"scopes": "a"}, {"scopes": [1]}, {"response_mode": "fragment"}, {"max_age": 1.5}, {"started_at": 10**40}],
)  # fmt: skip
async def test_what_is_no_flow_is_refused(paper: Paper, change: dict[str, Any]) -> None:
    plain = (await begin(paper)).flow.plain()
    with pytest.raises(BadState) as caught:
        Flow.read({**plain, **change})
    assert caught.value.reason is Reason.FLOW_UNREADABLE
    with pytest.raises(BadState):
        Flow.read({name: value for name, value in plain.items() if name != "state"})


async def test_nothing_shows_a_secret(paper: Paper) -> None:
    begun = await begin(paper)
    paper.answers["/token"] = said({**GOOD, "access_token": "door-key", "refresh_token": "spare-key"})
    identity = await oauth2().complete(paper.tools, begun.flow, coming_back(begun, code="the-code"))
    shown = repr([begun, begun.flow, identity, identity.tokens, paper.asked, paper.tools])
    secrets = [begun.flow.state, begun.flow.verifier, "door-key", "spare-key", "the-code", SECRET]
    assert [secret for secret in secrets if str(secret) in shown] == []
