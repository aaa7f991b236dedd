"""OAuth 1.0a: the vectors of RFC 5849, and whole flows against a provider made of oauthlib (S49, S57, S69)."""
# oauthlib's stubs know properties where it wants values, and less of its arguments than it hands over:
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false, reportArgumentType=false

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from oauthlib.oauth1 import Client, RequestValidator, WebApplicationServer
from oauthlib.oauth1.rfc5849 import signature as theirs

from powauth.errors import ConfigurationError
from powauth.oauth import (
    Ask,
    BadState,
    Callback,
    Denied,
    Flow,
    HttpRequest,
    HttpResponse,
    Malformed,
    OAuth1,
    Reason,
    Refused,
    Signature,
    Tools,
    Unreachable,
)  # fmt: skip
from powauth.oauth.joserfc import Joserfc
from powauth.oauth.oauth1_signing import base_string, header, sign
from tests.oauth.paper import BACK, ISSUER, Paper, ec, form, raw, rsa, said

pytestmark = pytest.mark.anyio
PEM = rsa().as_pem(private=True).decode()


# ---- the vectors of RFC 5849 ----


def test_the_base_string_is_the_standard_s() -> None:  # §3.4.1.1
    named = {
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
    }
    made = base_string(
        "post",
        "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        [*named.items(), ("c2", ""), ("a3", "2 q")],
    )
    assert made == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


COMMON = {"oauth_consumer_key": "dpf43f3p2l4k3l03", "oauth_signature_method": "HMAC-SHA1"}
VECTORS: list[tuple[str, str, dict[str, str], str, str]] = [  # §1.2
    (
        "POST",
        "https://photos.example.net/initiate",
        {"oauth_timestamp": "137131200", "oauth_nonce": "wIjqoS", "oauth_callback": "http://printer.example.com/ready"},
        "",
        "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
    ),
    (
        "POST",
        "https://photos.example.net/token",
        {"oauth_token": "hh5s93j4hdidpola", "oauth_timestamp": "137131201", "oauth_nonce": "walatlh",
         "oauth_verifier": "hfdp7dh39dks9884"},
        "hdhd0244k9j7ao03",
        "gKgrFCywp7rO0OXSjdot/IHF7IU=",
    ),
    (
        "GET",
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        {"oauth_token": "nnch734d00sl2jdk", "oauth_timestamp": "137131202", "oauth_nonce": "chapoH"},
        "pfkkdhi9sl3r4s00",
        "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url", "params", "secret", "signature"), VECTORS)
def test_the_signatures_are_the_standard_s(
    method: str, url: str, params: dict[str, str], secret: str, signature: str
) -> None:
    base = base_string(method, url, {**COMMON, **params}.items())
    secrets = ("kd94hf93k423kf44", secret)
    assert sign(base, by=Signature.HMAC_SHA1, secrets=secrets, private_key=None, jose=Joserfc()) == signature


# ---- oauthlib as a witness ----

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=6), st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT, TEXT)
@settings(deadline=None)
def test_whatever_is_signed_is_signed_as_oauthlib_does(
    params: list[tuple[str, str]], query: list[tuple[str, str]], ours: str, token: str
) -> None:
    url = f"https://Photos.Example.net:8443/a%20b?{urlencode(query)}"
    base = base_string("get", url, params)
    collected = theirs.collect_parameters(uri_query=urlsplit(url).query, body=params, exclude_oauth_signature=False)
    expected = theirs.signature_base_string("GET", theirs.base_string_uri(url), theirs.normalize_parameters(collected))
    assert base == expected
    made = sign(base, by=Signature.HMAC_SHA1, secrets=(ours, token), private_key=None, jose=Joserfc())
    assert made == theirs.sign_hmac_sha1_with_client(base, Client("k", ours, "t", token))
    plain = sign(base, by=Signature.PLAINTEXT, secrets=(ours, token), private_key=None, jose=Joserfc())
    assert plain == theirs.sign_plaintext_with_client(base, Client("k", ours, "t", token))


def test_rsa_is_signed_as_oauthlib_does() -> None:
    made = sign("GET&a&b", by=Signature.RSA_SHA1, secrets=("", ""), private_key=PEM, jose=Joserfc())
    assert made == theirs.sign_rsa_sha1_with_client("GET&a&b", Client("k", rsa_key=PEM))


def test_a_header_is_escaped() -> None:
    assert header({"oauth_callback": 'a" b,\r\nX: y'}) == 'OAuth oauth_callback="a%22%20b%2C%0D%0AX%3A%20y"'


# ---- whole flows ----


class Validator(RequestValidator):  # type: ignore[misc]
    """What oauthlib asks about clients and tokens."""

    enforce_ssl = True
    client_key_length = nonce_length = request_token_length = access_token_length = verifier_length = (3, 100)
    allowed_signature_methods = ("HMAC-SHA1", "RSA-SHA1", "PLAINTEXT")
    safe_characters = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    dummy_client = dummy_request_token = dummy_access_token = "dummy"

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.verifiers = {"": ""}
        self.used: set[str] = set()

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == "our-key"

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return "our secret"

    def get_rsa_key(self, client_key: str, request: Any) -> str:
        return rsa().as_pem(private=False).decode()

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, request: Any) -> bool:
        return redirect_uri == BACK

    def validate_timestamp_and_nonce(self, client_key: str, timestamp: Any, nonce: str, request: Any, **_: Any) -> bool:
        is_new = nonce not in self.used
        self.used.add(nonce)
        return is_new

    def get_default_realms(self, client_key: str, request: Any) -> list[str]:
        return []

    def get_realms(self, token: str, request: Any) -> list[str]:
        return []

    def validate_requested_realms(self, client_key: str, realms: Any, request: Any) -> bool:
        return True

    def validate_realms(self, client_key: str, token: str, request: Any, **_: Any) -> bool:
        return True

    def save_request_token(self, token: Mapping[str, str], request: Any) -> None:
        self.tokens[token["oauth_token"]] = token["oauth_token_secret"]

    save_access_token = save_request_token

    def validate_request_token(self, client_key: str, token: str, request: Any) -> bool:
        return token in self.tokens

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token in self.tokens

    def get_request_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self.tokens.get(token, "dummy")

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self.tokens.get(token, "dummy")

    def validate_verifier(self, client_key: str, token: str, verifier: str, request: Any) -> bool:
        return self.verifiers.get(token) == verifier

    def invalidate_request_token(self, client_key: str, request_token: str, request: Any) -> None:
        self.tokens.pop(request_token)


@dataclass
class Oauthlib:
    """A provider made of oauthlib, as an `Http`."""

    validator: Validator = field(default_factory=Validator)

    async def send(self, request: HttpRequest) -> HttpResponse:
        server = WebApplicationServer(self.validator)
        headers = {name.title(): value for name, value in request.headers.items()}
        path = urlsplit(request.url).path
        if path == "/me":
            is_good, _ = server.validate_protected_resource_request(request.url, request.method, None, headers)
            return said({"id": 42, "screen_name": "ada"}, 200 if is_good else 401)
        make = server.create_request_token_response if path == "/request" else server.create_access_token_response
        answered, body, status = make(request.url, request.method, None, headers)
        kind = answered.get("Content-Type", "text/plain")
        return HttpResponse(status=status, headers={"content-type": kind}, body=str(body or "").encode())

    def authorize(self, url: str) -> Callback:
        """Return what the browser comes back with after the person agreed."""
        token = parse_qs(urlsplit(url).query)["oauth_token"][0]
        self.validator.verifiers[token] = "a-verifier"
        return Callback.from_query(urlencode({"oauth_token": token, "oauth_verifier": "a-verifier"}))


class Bird(OAuth1):
    """A provider with words of its own."""

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        return {"sub": raw["id"], "preferred_username": raw["screen_name"]}


def bird(**changes: Any) -> OAuth1:
    settings: dict[str, Any] = {
        "name": "bird",
        "consumer_key": "our-key",
        "consumer_secret": "our secret",
        "private_key": PEM,
        "request_token_endpoint": f"{ISSUER}/request",
        "authorization_endpoint": f"{ISSUER}/authenticate",
        "access_token_endpoint": f"{ISSUER}/access",
        "userinfo_endpoint": f"{ISSUER}/me?include_email=true",
    }
    return Bird(**{**settings, **changes})


def tools_of(http: Any) -> Tools:
    return Tools(http=http, jose=Joserfc())


@pytest.mark.parametrize("signature", Signature)
async def test_a_person_signs_in_with_each_signature(signature: Signature) -> None:
    provider, value = Oauthlib(), bird(signature=signature)
    begun = await value.begin(tools_of(provider), redirect_uri=BACK)
    assert begun.url == f"{ISSUER}/authenticate?oauth_token={begun.flow.state}"
    kept = Flow.read(begun.flow.plain())
    identity = await value.complete(tools_of(provider), kept, provider.authorize(begun.url))
    assert (identity.issuer, identity.subject, identity.claims.preferred_username) == (ISSUER, "42", "ada")
    with pytest.raises((Refused, Malformed)):  # the request token is used up
        await value.complete(tools_of(provider), kept, provider.authorize(begun.url))


@pytest.mark.parametrize(
    "changes",
    [
        {"consumer_secret": "another"},
        {"consumer_key": "another"},
        {"signature": Signature.RSA_SHA1, "private_key": RSAKey.generate_key(2048).as_pem(private=True).decode()},
        {"signature": Signature.PLAINTEXT, "consumer_secret": "another"},
    ],
)
async def test_a_wrong_signature_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((Refused, Malformed)):
        await bird(**changes).begin(tools_of(Oauthlib()), redirect_uri=BACK)


async def test_a_verifier_of_another_flow_is_refused() -> None:
    provider, value = Oauthlib(), bird()
    begun = await value.begin(tools_of(provider), redirect_uri=BACK)
    provider.authorize(begun.url)
    forged = Callback({"oauth_token": begun.flow.state, "oauth_verifier": "guessed"}, "query")
    with pytest.raises((Refused, Malformed)):
        await value.complete(tools_of(provider), begun.flow, forged)


# ---- what anybody may send instead ----

PAIR = {"oauth_token": "t", "oauth_token_secret": "s"}
CONFIRMED = {**PAIR, "oauth_callback_confirmed": "true"}


@pytest.fixture
def paper() -> Paper:
    paper = Paper()
    paper.answers["/request"] = form(CONFIRMED)
    paper.answers["/access"] = form(PAIR)
    paper.answers["/me"] = said({"id": 42, "screen_name": "ada"})
    return paper


async def finish(paper: Paper, value: OAuth1 | None = None, **changes: str | None) -> Any:
    value = value or bird()
    begun = await value.begin(paper.tools, redirect_uri=BACK)
    whole = {"oauth_token": "t", "oauth_verifier": "v", **changes}
    callback = Callback({name: text for name, text in whole.items() if text is not None}, "query")
    return await value.complete(paper.tools, begun.flow, callback)


@pytest.mark.parametrize("answer", [form(PAIR), form(PAIR, 201), form(PAIR, kind="text/html"), said(PAIR)])
async def test_tokens_are_read_as_providers_write_them(paper: Paper, answer: HttpResponse) -> None:
    paper.answers["/access"] = answer
    assert (await finish(paper)).tokens.token_secret == "s"


@pytest.mark.parametrize("door", ["/request", "/access"])
@pytest.mark.parametrize(
    "answer",
    [
        form({"oauth_token": "t"}),
        form({**CONFIRMED, "oauth_token_secret": ""}),
        said({**CONFIRMED, "oauth_token": 7}),
        said([]),
        raw(b""),
        raw(b"\xff"),
        raw(b"<html>"),
        form(CONFIRMED, 500),
        form(CONFIRMED, 302),
        Unreachable("id.example.com"),
    ],
)
async def test_tokens_that_are_none_are_refused(paper: Paper, door: str, answer: Any) -> None:
    paper.answers[door] = answer
    with pytest.raises((Malformed, Unreachable)):
        await finish(paper)


async def test_a_provider_that_does_not_confirm_the_return_address_is_refused(paper: Paper) -> None:
    for confirmed in ("false", "", "TRUE"):
        paper.answers["/request"] = form({**CONFIRMED, "oauth_callback_confirmed": confirmed})
        with pytest.raises(Malformed, match="oauth_callback_confirmed"):
            await finish(paper)


async def test_an_error_of_the_token_doors_is_one(paper: Paper) -> None:
    paper.answers["/access"] = said({"error": "expired", "error_description": "too late"}, 401)
    with pytest.raises(Refused, match="expired"):
        await finish(paper)


async def test_a_request_token_of_another_flow_is_refused(paper: Paper) -> None:
    for token, reason in ((None, Reason.STATE_MISSING), ("other", Reason.STATE_WRONG)):
        with pytest.raises(BadState) as caught:
            await finish(paper, oauth_token=token)
        assert caught.value.reason is reason
    assert paper.count("/access") == 0
    begun = await bird().begin(paper.tools, redirect_uri=BACK)
    good = {"oauth_token": "t", "oauth_verifier": "v"}
    for value, callback, reason in (
        (bird(name="other"), Callback(good, "query"), Reason.OTHER_PROVIDER),
        (bird(issuer="https://other.example"), Callback(good, "query"), Reason.OTHER_PROVIDER),
        (bird(), Callback(good, "form_post"), Reason.OTHER_WAY),
    ):
        with pytest.raises(BadState) as caught:
            await value.complete(paper.tools, begun.flow, callback)
        assert caught.value.reason is reason


async def test_a_person_may_say_no(paper: Paper) -> None:
    with pytest.raises(Denied):
        await finish(paper, oauth_token=None, oauth_verifier=None, denied="t")
    with pytest.raises(BadState):
        await finish(paper, oauth_token=None, oauth_verifier=None, denied="other")
    with pytest.raises(Refused):
        await finish(paper, error="server_error")
    with pytest.raises(Malformed, match="oauth_verifier"):
        await finish(paper, oauth_verifier=None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"consumer_key": ""}, "consumer_key is missing"),
        ({"consumer_secret": None}, "consumer_secret is missing"),
        ({"consumer_secret": None, "signature": Signature.PLAINTEXT}, "consumer_secret is missing"),
        ({"private_key": None, "signature": Signature.RSA_SHA1}, "private_key is missing"),
        ({"private_key": "x", "signature": Signature.RSA_SHA1}, "not a key as PEM"),
        ({"private_key": ec().as_pem(private=True).decode(), "signature": Signature.RSA_SHA1}, "not an RSA key"),
        ({"request_token_endpoint": "http://id.example.com/"}, "only https"),
        ({"authorization_endpoint": "https://10.0.0.1/"}, "open internet"),
        ({"name": "A B"}, "cannot stand in an address"),
        ({"authorize_params": {"oauth_token": "x"}}, "the protocol's own"),
    ],
)
async def test_what_is_missing_or_unsafe_is_said(paper: Paper, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        await finish(paper, bird(**changes))
    assert paper.asked == []


async def test_what_the_protocol_does_not_know_cannot_be_asked_for(paper: Paper) -> None:
    for ask in (Ask(scopes=("a",)), Ask(prompt="login"), Ask(params={"oauth_callback": "x"})):
        with pytest.raises(ConfigurationError):
            await bird().begin(paper.tools, redirect_uri=BACK, ask=ask)
    begun = await bird(authorize_params={"force_login": "true"}).begin(paper.tools, redirect_uri=BACK)
    assert "force_login=true" in begun.url


async def test_nothing_shows_a_secret(paper: Paper) -> None:
    paper.answers["/request"] = form({**CONFIRMED, "oauth_token_secret": "hush-one"})
    paper.answers["/access"] = form({**PAIR, "oauth_token_secret": "hush-two"})
    identity = await finish(paper)
    begun = await bird().begin(paper.tools, redirect_uri=BACK)
    shown = repr([bird(), begun, begun.flow, identity, paper.asked])
    assert not re.search(r"hush|our secret|BEGIN", shown)
    assert begun.flow.token_secret == "hush-one"
