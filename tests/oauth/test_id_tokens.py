"""Every check on an ID token, each with its breach (S16, S62; ASVS 9.1.1 to 9.2.4, 10.5.1 to 10.5.4)."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from powauth.oauth import Ask, BadState, BadToken, Begun, Malformed, Reason, Unreachable
from powauth.oauth.id_tokens import TENANT
from tests.oauth.paper import (
    BACK,
    CLIENT,
    ISSUER,
    SECRET,
    Paper,
    coming_back,
    ec,
    keys,
    metadata,
    openid,
    raw,
    rsa,
    said,
    sign_in,
    signed,
)  # fmt: skip

pytestmark = pytest.mark.anyio


@pytest.fixture
def paper() -> Paper:
    return Paper()


async def refused(paper: Paper, provider: Any = None, /, **changes: Any) -> Reason:
    """Return why a token with these claims is refused."""
    with pytest.raises(BadToken) as caught:
        await sign_in(paper, provider, **changes)
    return caught.value.reason


async def with_token(paper: Paper, token: str | None, provider: Any = None) -> Reason:
    """Return why exactly this token is refused."""
    with pytest.raises(BadToken) as caught:
        await sign_in_with(paper, token, provider)
    return caught.value.reason


async def sign_in_with(paper: Paper, token: str | None, provider: Any = None) -> None:
    """Walk through a flow with exactly this token."""
    provider = provider or openid(nonce=False)
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(token)
    await provider.complete(paper.tools, begun.flow, coming_back(begun))


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    parts = [json.dumps({"alg": "none", **header}).encode(), json.dumps(claims).encode()]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


async def test_a_good_token_says_who_it_is(paper: Paper) -> None:
    identity = await sign_in(paper, email="ada@example.com", email_verified="true", own={"a": 1})
    assert (identity.issuer, identity.subject) == (ISSUER, "ada")
    assert (identity.claims.email, identity.claims.email_verified) == ("ada@example.com", True)
    assert identity.claims.extra == {"own": {"a": 1}}


# ---- signature ----


async def test_a_token_without_a_signature_is_refused(paper: Paper) -> None:
    assert await with_token(paper, unsigned(paper.claims())) is Reason.ALGORITHM
    assert await with_token(paper, unsigned(paper.claims(), alg="RS256")) is Reason.SIGNATURE
    assert await with_token(paper, unsigned(paper.claims(), alg="RS256", kid="one")) is Reason.SIGNATURE
    for spelling in ("None", "NONE", "nOnE", "", None, 7, ["RS256"]):
        assert await with_token(paper, unsigned(paper.claims(), alg=spelling)) is Reason.ALGORITHM


async def test_the_provider_s_public_key_is_no_shared_secret(paper: Paper) -> None:
    start = unsigned(paper.claims(), alg="HS256", kid="one").rstrip(".")
    mac = hmac.digest(rsa().as_pem(private=False), start.encode(), "sha256")
    forged = f"{start}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert await with_token(paper, forged) is Reason.ALGORITHM


async def test_no_other_algorithm_than_the_configured_one_is_accepted(paper: Paper) -> None:
    paper.answers["/keys"] = said(keys(rsa(), ec()))
    assert await with_token(paper, signed(paper.claims(), ec(), alg="ES256")) is Reason.ALGORITHM
    assert await with_token(paper, signed(paper.claims(), rsa(), alg="PS256")) is Reason.ALGORITHM
    provider = openid(nonce=False, id_token_algorithm="ES256")
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(signed(paper.claims(), ec(), alg="ES256"))
    assert (await provider.complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"
    assert await with_token(paper, signed(paper.claims()), provider) is Reason.ALGORITHM


async def test_a_key_in_the_token_s_header_is_not_used(paper: Paper) -> None:
    thief = RSAKey.generate_key(2048)
    own = thief.as_dict(private=False)
    headers: list[dict[str, Any]] = [
        {"jwk": own},
        {"jku": "https://thief.example/keys"},
        {"x5u": "https://thief.example/c"},
        {"x5c": ["AA=="]},
    ]
    for header in headers:
        assert await with_token(paper, signed(paper.claims(), thief, kid="one", **header)) is Reason.SIGNATURE
    assert {request.url.split("/")[2] for request in paper.asked} == {"id.example.com"}


async def test_a_token_signed_with_another_key_is_refused(paper: Paper) -> None:
    assert await with_token(paper, signed(paper.claims(), rsa("other"), kid="one")) is Reason.SIGNATURE


async def test_a_token_changed_after_it_was_signed_is_refused(paper: Paper) -> None:
    head, _, tail = signed(paper.claims()).split(".")
    other = signed(paper.claims(sub="eve")).split(".")[1]
    assert await with_token(paper, f"{head}.{other}.{tail}") is Reason.SIGNATURE


async def test_a_critical_header_that_nobody_understands_is_refused(paper: Paper) -> None:
    assert await with_token(paper, unsigned(paper.claims(), alg="RS256", crit=["exp"])) is Reason.CRITICAL_HEADER
    assert await with_token(paper, unsigned(paper.claims(), alg="RS256", b64=False)) is Reason.CRITICAL_HEADER


async def test_another_kind_of_token_is_refused_where_an_id_token_is_due(paper: Paper) -> None:
    for kind in ("at+jwt", "logout+jwt", "secevent+jwt", 7):
        assert await with_token(paper, unsigned(paper.claims(), alg="RS256", typ=kind)) is Reason.TYPE


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "e30.e30.AA",
        "é.e30.AA",
        "e30=.e30.AA",
        "e31.e30.AA",
        " e30.e30.AA",
        "." * 3,
    ],
)
async def test_what_is_no_token_is_refused(paper: Paper, token: str) -> None:
    with pytest.raises((BadToken, Malformed), match=r"unreadable|algorithm|id_token"):
        await sign_in_with(paper, token)


async def test_a_token_has_one_spelling(paper: Paper) -> None:
    good = signed(paper.claims())
    sextets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = good[:-1] + sextets[sextets.index(good[-1]) ^ 1]  # the last bits stand for nothing
    assert base64.urlsafe_b64decode(good.split(".")[2] + "==") == base64.urlsafe_b64decode(other.split(".")[2] + "==")
    assert await with_token(paper, other) is Reason.UNREADABLE


async def test_a_missing_id_token_is_refused(paper: Paper) -> None:
    assert await with_token(paper, None) is Reason.ID_TOKEN_MISSING


async def test_a_token_may_be_signed_with_the_client_s_secret_where_that_is_configured(paper: Paper) -> None:
    provider = openid(id_token_algorithm="HS256", nonce=False)
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(signed(paper.claims(), OctKey.import_key(SECRET), alg="HS256"))
    assert (await provider.complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"
    assert paper.count("/keys") == 0
    wrong = signed(paper.claims(), OctKey.import_key("another secret, as long as the right one"), alg="HS256")
    assert await with_token(paper, wrong, provider) is Reason.SIGNATURE


# ---- keys ----


async def test_a_token_without_a_key_id_is_verified_only_if_there_is_one_key(paper: Paper) -> None:
    provider = openid(nonce=False)
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(signed(paper.claims(), kid=None))
    assert (await provider.complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"
    paper = Paper()
    paper.answers["/keys"] = said(keys(rsa(), rsa("other")))
    assert await with_token(paper, signed(paper.claims(), kid=None)) is Reason.UNKNOWN_KEY


async def test_an_unknown_key_id_has_the_keys_fetched_anew_at_most_once_a_minute(paper: Paper) -> None:
    stranger = signed(paper.claims(), rsa("other"))
    assert await with_token(paper, stranger) is Reason.UNKNOWN_KEY
    assert paper.count("/keys") == 2
    for _ in range(5):
        assert await with_token(paper, stranger) is Reason.UNKNOWN_KEY
    assert paper.count("/keys") == 2
    paper.clock.move(timedelta(seconds=60))
    assert await with_token(paper, signed(paper.claims(), rsa("other"))) is Reason.UNKNOWN_KEY
    assert paper.count("/keys") == 3


async def test_a_new_key_is_found_when_a_token_names_it(paper: Paper) -> None:
    assert (await sign_in(paper)).subject == "ada"
    paper.answers["/keys"] = said(keys(rsa("new")))
    provider = openid()
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(signed(paper.claims(begun), rsa("new")))
    assert (await provider.complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"


async def test_a_new_key_without_an_id_is_found_too(paper: Paper) -> None:
    assert (await sign_in(paper)).subject == "ada"
    paper.answers["/keys"] = said(keys(rsa("new")))
    provider = openid()
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(signed(paper.claims(begun), rsa("new"), kid=None))
    assert (await provider.complete(paper.tools, begun.flow, coming_back(begun))).subject == "ada"


async def test_a_key_that_was_withdrawn_is_good_for_an_hour_at_most(paper: Paper) -> None:
    assert (await sign_in(paper)).subject == "ada"
    paper.answers["/keys"] = said(keys(rsa("new")))
    paper.clock.move(timedelta(hours=1))
    assert await refused(paper) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"key_ops": ["encrypt"]},
        {"kty": "oct", "k": "AAAA"},
        {"n": "AQAB"},
        {"n": "A" * 4000},
    ],
)
async def test_a_key_for_something_else_or_too_short_is_none(paper: Paper, change: dict[str, Any]) -> None:
    paper.answers["/keys"] = said({"keys": [{**rsa().as_dict(private=False), **change}]})
    assert await with_token(paper, signed(paper.claims())) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("change", [{"n": None}, {"n": 7}, {"e": "!"}, {"kty": 7}, {"kid": ["one"]}])
async def test_a_key_that_is_none_is_passed_over(paper: Paper, change: dict[str, Any]) -> None:
    broken = {**rsa().as_dict(private=False), **change}
    paper.answers["/keys"] = said({"keys": [broken, None, "key", []]})
    assert await with_token(paper, signed(paper.claims())) in {Reason.UNKNOWN_KEY, Reason.SIGNATURE}
    paper = Paper()
    paper.answers["/keys"] = said({"keys": [broken, None, rsa().as_dict(private=False)]})
    assert (await sign_in(paper)).subject == "ada"


@pytest.mark.parametrize(
    "answer",
    [raw(b"", 404), raw(b"[]"), raw(b"{}"), said({"keys": None}), said({"keys": {}}), raw(b"\xff"), raw(b"{" * 9999)],
)
async def test_keys_that_cannot_be_read_are_refused(paper: Paper, answer: Any) -> None:
    paper.answers["/keys"] = answer
    with pytest.raises(Malformed):
        await sign_in(paper)


async def test_keys_that_cannot_be_reached_are_not_guessed(paper: Paper) -> None:
    paper.answers["/keys"] = Unreachable("id.example.com")
    with pytest.raises(Unreachable):
        await sign_in(paper)


async def test_a_set_without_keys_knows_no_key(paper: Paper) -> None:
    paper.answers["/keys"] = said({"keys": []})
    assert await refused(paper) is Reason.UNKNOWN_KEY


async def test_a_provider_that_publishes_no_keys_is_refused(paper: Paper) -> None:
    paper.answers["/.well-known/openid-configuration"] = said(metadata(jwks_uri=None))
    with pytest.raises(Malformed, match="jwks_uri"):
        await sign_in(paper)


# ---- claims ----


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
async def test_each_required_claim_is_required(paper: Paper, name: str) -> None:
    with pytest.raises(BadToken) as caught:
        await sign_in(paper, **{name: None})
    assert (caught.value.reason, caught.value.claim) == (Reason.CLAIM_MISSING, name)


@pytest.mark.parametrize(
    "issuer", ["https://id.example.com/", "https://ID.example.com", "http://id.example.com", "x", 7]
)
async def test_the_issuer_is_exactly_the_provider_s(paper: Paper, issuer: Any) -> None:
    assert await refused(paper, iss=issuer) is Reason.ISSUER


@pytest.mark.parametrize("audience", ["other", "OUR-CLIENT", ["other"], [], [None], {"our-client": 1}, 7, ""])
async def test_a_token_for_somebody_else_is_refused(paper: Paper, audience: Any) -> None:
    assert await refused(paper, aud=audience) is Reason.AUDIENCE


async def test_a_token_for_others_besides_is_refused_unless_they_are_trusted(paper: Paper) -> None:
    assert await refused(paper, aud=[CLIENT, "other"], azp=CLIENT) is Reason.AUDIENCE
    trusting = openid(trusted_audiences=("other",))
    assert (await sign_in(paper, trusting, aud=[CLIENT, "other"], azp=CLIENT)).subject == "ada"
    assert await refused(paper, trusting, aud=[CLIENT, "other"]) is Reason.AUTHORIZED_PARTY
    assert await refused(paper, trusting, aud=["other"]) is Reason.AUDIENCE
    assert (await sign_in(paper, aud=[CLIENT])).subject == "ada"


async def test_a_token_made_for_another_party_is_refused(paper: Paper) -> None:
    assert (await sign_in(paper, azp=CLIENT)).subject == "ada"
    assert await refused(paper, azp="other") is Reason.AUTHORIZED_PARTY


async def test_a_token_is_good_until_it_ends_and_a_minute_for_clocks_that_differ(paper: Paper) -> None:
    now = int(paper.clock.now().timestamp())
    assert (await sign_in(paper, exp=now - 50)).subject == "ada"
    assert await refused(paper, exp=now - 61) is Reason.EXPIRED


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_a_token_from_the_future_is_refused(paper: Paper, name: str) -> None:
    now = int(paper.clock.now().timestamp())
    assert (await sign_in(paper, **{name: now + 50})).subject == "ada"
    assert await refused(paper, **{name: now + 65}) is Reason.NOT_YET


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", ["1", True, [], {}, -1, 1e300])
async def test_a_time_that_is_none_is_refused(paper: Paper, name: str, value: Any) -> None:
    assert await refused(paper, **{name: value}) is Reason.CLAIM_TYPE


async def test_a_token_may_be_as_old_as_is_configured(paper: Paper) -> None:
    now = int(paper.clock.now().timestamp())
    strict = openid(id_token_lifetime=timedelta(minutes=5))
    assert (await sign_in(paper, strict, iat=now - 300)).subject == "ada"
    assert await refused(paper, strict, iat=now - 400) is Reason.TOO_OLD
    assert (await sign_in(paper, iat=now - 400)).subject == "ada"


async def test_a_nonce_is_the_flow_s_or_there_is_none_on_both_sides(paper: Paper) -> None:
    assert await refused(paper, nonce="another") is Reason.NONCE
    assert await refused(paper, nonce=None) is Reason.NONCE
    assert await refused(paper, nonce=7) is Reason.NONCE
    assert await refused(paper, openid(nonce=False), nonce="unasked") is Reason.NONCE
    assert (await sign_in(paper, openid(nonce=False))).subject == "ada"


def half(value: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).rstrip(b"=").decode()


async def test_a_token_belongs_to_the_access_token_and_the_code_beside_it(paper: Paper) -> None:
    assert (await sign_in(paper, at_hash=half("access"), c_hash=half("code"))).subject == "ada"
    assert await refused(paper, at_hash=half("another")) is Reason.ACCESS_TOKEN_HASH
    assert await refused(paper, at_hash=7) is Reason.ACCESS_TOKEN_HASH
    assert await refused(paper, c_hash=half("another")) is Reason.CODE_HASH


@pytest.mark.parametrize("subject", ["", 7, [], "a" * 256, "a\0b"])
async def test_a_subject_that_is_none_is_refused(paper: Paper, subject: Any) -> None:
    with pytest.raises((BadToken, Malformed)):
        await sign_in(paper, sub=subject)


# ---- a fresh sign-in ----


async def asking(paper: Paper, ask: Ask, **changes: Any) -> Any:
    provider = openid()
    begun: Begun = await provider.begin(paper.tools, redirect_uri=BACK, ask=ask)
    paper.hands_out(signed(paper.claims(begun, **changes)))
    return await provider.complete(paper.tools, begun.flow, coming_back(begun))


@pytest.mark.parametrize("ask", [Ask(prompt="login"), Ask(max_age=timedelta(0)), Ask(max_age=timedelta(minutes=10))])
async def test_a_fresh_sign_in_is_believed_only_if_the_provider_vouches_for_it(paper: Paper, ask: Ask) -> None:
    now = int(paper.clock.now().timestamp())
    identity = await asking(paper, ask, auth_time=now)
    assert int(identity.auth_time.timestamp()) == now
    for old in (None, now - 3600):
        with pytest.raises(BadToken) as caught:
            await asking(paper, ask, auth_time=old)
        assert caught.value.reason is Reason.NOT_FRESH
    with pytest.raises(BadToken):
        await asking(paper, ask, auth_time=now + 3600)


async def test_a_strength_that_was_asked_for_has_to_be_told(paper: Paper) -> None:
    ask = Ask(acr_values=("phr", "phrh"))
    assert (await asking(paper, ask, acr="phrh")).acr == "phrh"
    for said_instead in (None, "pwd", ["phr"]):
        with pytest.raises(BadToken) as caught:
            await asking(paper, ask, acr=said_instead)
        assert caught.value.reason is Reason.CONTEXT_CLASS


# ---- tenants ----

MANY = f"https://id.example.com/{TENANT}/v2.0"
COMMON = "https://id.example.com/.well-known/openid-configuration"


def of_many(**changes: Any) -> Any:
    return openid(issuer=MANY, discovery=COMMON, **changes)


@pytest.fixture
def many(paper: Paper) -> Paper:
    paper.answers["/.well-known/openid-configuration"] = said(metadata(issuer=MANY))
    return paper


async def test_a_token_of_any_tenant_names_it_in_the_issuer(many: Paper) -> None:
    identity = await sign_in(many, of_many(), iss="https://id.example.com/t1/v2.0", tid="t1")
    assert identity.issuer == "https://id.example.com/t1/v2.0"
    assert await refused(many, of_many(), iss="https://id.example.com/t1/v2.0", tid="t2") is Reason.ISSUER
    assert await refused(many, of_many(), iss=MANY, tid=None) is Reason.TENANT
    for odd in ("../t1", "", 7, "t1/v2.0", TENANT):
        assert await refused(many, of_many(), iss=f"https://id.example.com/{odd}/v2.0", tid=odd) is Reason.TENANT


async def test_only_listed_tenants_are_let_in(many: Paper) -> None:
    some = of_many(tenants=("t1",))
    assert (await sign_in(many, some, iss="https://id.example.com/t1/v2.0", tid="t1")).subject == "ada"
    assert await refused(many, some, iss="https://id.example.com/t2/v2.0", tid="t2") is Reason.TENANT


async def test_the_answer_s_issuer_and_the_token_s_are_one_tenant(many: Paper) -> None:
    provider = of_many()
    begun = await provider.begin(many.tools, redirect_uri=BACK)
    many.hands_out(signed(many.claims(begun, iss="https://id.example.com/t1/v2.0", tid="t1")))
    good = coming_back(begun, iss="https://id.example.com/t1/v2.0")
    assert (await provider.complete(many.tools, begun.flow, good)).subject == "ada"
    for other in ("https://id.example.com/t2/v2.0", "https://evil.example/t1/v2.0", "https://id.example.com/a/b/v2.0"):
        with pytest.raises(BadState) as caught:
            await provider.complete(many.tools, begun.flow, coming_back(begun, iss=other))
        assert caught.value.reason is Reason.ISSUER_WRONG
