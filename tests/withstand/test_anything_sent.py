"""Whatever is sent gets an answer with a code, never a 500 and never a sign-in: S58, S4, S16."""

import base64
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from powauth import NewAccount
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.testing import Answer, Site, sign_in_as
from tests.ci import STEP
from tests.house import PASSWORD, House, house, let, settle
from tests.withstand.attack import (
    ADA,
    FORM,
    HOST,
    JSON,
    ORIGIN,
    READS_HTML,
    READS_JSON,
    SENDS_JSON,
    Headers,
    Wire,
    fields,
    gets,
    inhabited,
    parked,
    posts,
    sessions,
    sets_session,
    signed_in,
    variants,
)

pytestmark = pytest.mark.anyio

many = settings(max_examples=400 // STEP, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
clients = (str(IPv4Address(number)) for number in count(int(IPv4Address("192.0.2.0"))))
"""A new address for every request, so that it is not the limits that answer."""

STRANGERS = {"/sign-in", "/sign-up", "/session/exchange", "/invitations/token", "/providers/provider/complete"}
"""Where only somebody may come who is signed out."""

ODD = [
    "",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\u202e",
    "\ufeff",
    "\r\nset-cookie: x=y",
    "'; drop table users; --",
    "../../etc/passwd",
    "%00",
    "%s%n",
    "{0.__class__}",
    "{{7*7}}",
    "e\u0301" * 200,
    "a" * 300,
    "a" * 5000,
    "\u0345" * 500,
    "\ufdfa" * 300,
    "on",
    "-1",
    "9" * 400,
    "@",
    "a@b@c",
    "a@" + "b." * 100,
    "\uff20",
    "a@\u2024com",
    "a@xn--\u00fc.example",
    "a@[::1]",
    "a@-.-",
    "null",
    "absent",
]
texts = st.sampled_from(ODD) | st.text(st.characters(codec=None), max_size=40)
numbers = st.integers() | st.floats() | st.sampled_from([10**30, -(10**30), 2**63, 1e308])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
latin = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=60)


# ---- any request ----

METHODS = st.sampled_from(["GET", "HEAD", "POST", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "\u00df"])
NAMES = ["accept", "content-type", "content-length", "content-encoding", "authorization", "cookie", "origin", "host"]
MORE_NAMES = [
    "sec-fetch-site",
    "sec-purpose",
    "x-forwarded-for",
    "user-agent",
    "accept-language",
    "if-none-match",
    "range",
]
PLAIN = [
    "",
    "text/html",
    "*/*;q=nan",
    ";;;q=,",
    "bearer",
    "Bearer ",
    "Bearer a b",
    "Basic Og==",
    "-1",
    "1e3",
    "gzip",
    "null",
    "\xff",
]
headers = st.lists(st.tuples(st.sampled_from([*NAMES, *MORE_NAMES]), st.sampled_from(PLAIN) | latin), max_size=5)
bodies = st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode())
KINDS = st.tuples(st.booleans(), st.sampled_from(["text/html", "application/json"]))
ALLOWED: list[Headers] = [
    (),
    (ORIGIN,),
    (ORIGIN, FORM),
    (ORIGIN, JSON),
    (ORIGIN, ("content-type", "multipart/form-data; boundary=x")),
]


@pytest.fixture
async def browsers(home: House) -> tuple[Site, ...]:
    await let(home, ADA, "admin")  # so that every page is open to somebody
    return home.site(), await signed_in(home), await parked(home)


def fine(answer: Answer, method: str = "GET") -> bool:
    """Whether an answer is one that a client may get; one that refuses a program names its code."""
    is_problem = answer.header("content-type") == "application/problem+json"
    return answer.status < 500 and (not is_problem or method == "HEAD" or bool(answer.code))


@many
@given(
    who=st.integers(0, 2),
    method=METHODS,
    place=st.integers(0, 100) | st.tuples(st.sampled_from(["/sessions/{}/end", "/{}", "/assets/{}", "{}"]), texts),
    query=texts | latin,
    base=st.sampled_from(ALLOWED),
    more=headers,
    body=bodies,
)
async def test_any_request_at_all_has_an_answer(
    home: House,
    browsers: tuple[Site, ...],
    *,
    who: int,
    method: str,
    place: int | tuple[str, str],
    query: str,
    base: Headers,
    more: Headers,
    body: bytes,
) -> None:
    """S58: any method, path, query, headers and bytes, with and without cookies."""
    routes = [*gets(home.auth), *(path for path, _ in posts(home.auth)), "/", "", "/assets/1/powauth.css"]
    path = routes[place % len(routes)] if isinstance(place, int) else place[0].replace("{}", place[1])
    before, wire = sessions(home), Wire(browsers[who])
    answer = await wire.send(method, path, (*base, *wire.cookies(), *more), body, query=query, client=next(clients))
    assert fine(answer, method)
    assert sessions(home) - before == set()


@many
@given(who=st.integers(0, 2), place=st.integers(0, 100), typed=st.lists(values, min_size=8, max_size=8), kind=KINDS)
async def test_any_form_of_any_page_has_an_answer(
    home: House, browsers: tuple[Site, ...], *, who: int, place: int, typed: list[Any], kind: tuple[bool, str]
) -> None:
    """S58: the right names with wrong types, nested, missing or unreadable values, as JSON and as a form."""
    wire, every = Wire(browsers[who]), posts(home.auth)
    path, page = every[place % len(every)]
    names = [*(known.name for known in fields(home.auth, page)), "pending", "x"]
    form = {name: value for name, value in zip(names, typed, strict=False) if value != "absent"}
    before = sessions(home)
    is_json, accept = kind
    body = json.dumps(form).encode() if is_json else as_form(form)
    sent = (HOST, ORIGIN, JSON if is_json else FORM, ("accept", accept), *wire.cookies())
    answer = await wire.send("POST", path, sent, body, client=next(clients))
    assert fine(answer)
    if path != "/sign-up":  # where anybody may be somebody new
        assert not sets_session(answer, home.auth)
        assert sessions(home) <= before


def as_form(form: dict[str, Any]) -> bytes:
    pairs = (f"{name}={value}" for name, value in form.items())
    return "&".join(pairs).replace(" ", "+").encode("utf-8", "surrogatepass")


@many
@given(email=texts, password=texts)
@example(email="a@" + "\u00df" * 60 + ".example", password="x")
@example(email="\u0130@example.com", password="x")
@example(email="a@\u0378.example", password="x")
async def test_any_identifier_and_password_has_an_answer_and_none_is_right(
    home: House, email: str, password: str
) -> None:
    """S58, S4."""
    body = json.dumps({"email": email, "password": password}).encode()
    answer = await Wire(home.site()).send("POST", "/sign-in", SENDS_JSON, body, client=next(clients))
    assert answer.status in {401, 422, 429}
    answer = await Wire(home.site()).send("POST", "/sign-up", SENDS_JSON, body, client=next(clients))
    assert answer.status in {201, 422}


# ---- fields ----


async def test_every_field_of_every_page_refuses_what_it_cannot_hold_by_name(
    home: House, browsers: tuple[Site, ...]
) -> None:
    """S4: NUL, half a character, and more than its limit."""
    stranger, ada, eve = browsers
    tried = 0
    for path, page in posts(home.auth):
        site = {"/test-code": eve}.get(path, stranger if path in STRANGERS else ada)
        for known in fields(home.auth, page):
            if known.value != "str":
                continue
            for bad, codes in (
                ("a\0b", {"bad_characters"}),
                ("a\ud800b", {"bad_characters"}),
                ("a" * (known.max + 1), {"too_long"}),
                (["a"], {"wrong_type"}),
                ({"a": 1}, {"wrong_type"}),
                (True, {"wrong_type"}),
                (7, {"wrong_type"}),
            ):
                body = json.dumps({known.name: bad}).encode()
                answer = await Wire(site).send(
                    "POST", path, (*SENDS_JSON, *Wire(site).cookies()), body, client=next(clients)
                )
                assert answer.status == 422, (path, known.name, bad)
                assert {error["code"] for error in answer.json["errors"][known.name]} == codes, (path, known.name)
                tried += 1
    assert tried > 70


async def test_every_bad_field_is_named_at_once(home: House) -> None:
    body = {"email": 1, "password": [], "next": "\0", "transport": "smoke"}
    answer = await home.site().program().post("/sign-in", **body)
    assert set(answer.json["errors"]) == set(body)


# ---- cookies and tokens ----


async def test_ten_thousand_cookies_and_a_huge_one_are_read_past(home: House) -> None:
    """S58: before and after the one that counts; of two with one name the first."""
    site = await signed_in(home)
    session = f"__Host-powauth-session={site.cookie}"
    many_cookies = "; ".join(f"c{number}={number}" for number in range(10_000))
    odd = ['=; ==; ;;; a; a=b=c; "x"="y; \xff=\xfe', "x=" + "y" * 1_000_000, "$Version=1; x", "\t \x00 \r\n"]
    for cookie in (many_cookies, *odd):
        for line in (f"{cookie}; {session}", f"{session}; {cookie}"):
            answer = await Wire(site).send("GET", "/account", (*READS_JSON, ("cookie", line)))
            assert answer.status == 200, cookie[:40]
        assert (await Wire(site).send("GET", "/account", (*READS_JSON, ("cookie", cookie)))).status == 401
    answer = await Wire(site).send("GET", "/account", (*READS_JSON, ("cookie", f"__Host-powauth-session=x; {session}")))
    assert answer.status == 401


async def test_a_session_whose_cookie_was_changed_anywhere_opens_nothing(home: House) -> None:
    """S16, S58: every character of it; and trying ends nobody's session."""
    site = await signed_in(home)
    secret = str(site.cookie)
    for changed in variants(secret):
        site.jar["__Host-powauth-session"] = changed
        assert (await site.get("/account", headers={"accept": "application/json"})).status == 401, changed
        answer = await Wire(site).send("GET", "/account", (*READS_JSON, ("authorization", f"Bearer {changed}")))
        assert answer.status == 401, changed
    site.jar["__Host-powauth-session"] = secret
    assert (await site.get("/account")).status == 200


async def test_no_secret_is_taken_for_another(home: House) -> None:
    """S16: each in the place of each other one, in its cookie, in the body and in the header."""
    site, waiting, program = await signed_in(home), await parked(home), home.site().program()
    token = (await program.post("/sign-in", email=ADA, password=PASSWORD, transport="bearer")).json["token"]
    await site.post("/account/email", email=ADA, current_password=PASSWORD)
    secrets = {
        "session": str(site.cookie),
        "token": token,
        "pending": waiting.jar["__Host-powauth-pending"],
        "device": site.jar["__Host-powauth-device"],
        "notice": site.jar["__Host-powauth-notice"],
    }
    for purpose, secret in secrets.items():
        for place in ("session", "pending", "device", "notice"):
            if place == purpose:
                continue
            wire = Wire(home.site())
            cookie = ("cookie", f"__Host-powauth-{place}={secret}")
            assert (await wire.send("GET", "/account", (*READS_JSON, cookie))).status == 401, (purpose, place)
            assert (await wire.send("POST", "/test-code", (*SENDS_JSON, cookie), b'{"code":"123456"}')).status == 401
            page = await wire.send("GET", "/sign-in", (*READS_HTML, cookie))
            assert 'role="status"' not in page.text
        if purpose != "token":
            bearer = ("authorization", f"Bearer {secret}")
            assert (await Wire(home.site()).send("GET", "/account", (*READS_JSON, bearer))).status == 401, purpose
        if purpose != "pending":
            answer = await home.site().program().post("/test-code", code="123456", pending=secret)
            assert answer.status == 401, purpose


async def test_with_a_bearer_token_cookies_are_not_looked_at(home: House) -> None:
    """Other schemes are not ours; two tokens are none."""
    site = await signed_in(home)
    cookies = Wire(site).cookies()
    for value, status in {
        "Bearer x": 401,
        "bearer x": 401,
        "Bearer": 401,
        "Bearer ": 401,
        "Bearer \xff": 401,
        f"Bearer {site.cookie}": 401,
        "Basic eDp5": 200,
        "Bearerx": 200,
        "": 200,
        "Token Bearer x": 200,
    }.items():
        answer = await Wire(site).send("GET", "/account", (*READS_JSON, ("authorization", value), *cookies))
        assert answer.status == status, value
        assert not any("Max-Age=0" in cookie for cookie in answer.cookies()), value
    two = (("authorization", "Bearer x"), ("authorization", "Bearer y"))
    assert (await Wire(site).send("GET", "/account", (*READS_JSON, *two, *cookies))).code == "unreadable"


@pytest.fixture
async def other(home: House, tmp_path: Path) -> AsyncGenerator[House]:
    """Another Auth with the same secret and the same store."""
    (tmp_path / "other").mkdir()
    async with inhabited(tmp_path / "other", name="other", clock=home.clock, store=home.auth.plan.store) as opened:
        yield opened


async def test_nothing_of_another_auth_is_accepted(home: House, other: House) -> None:
    """S16: sessions, parked sign-ins, notices and known devices of a neighbour with the same secret."""
    theirs = await signed_in(other)
    waiting = await parked(other)
    program = other.site().program()
    token = (await program.post("/sign-in", email=ADA, password=PASSWORD, transport="bearer")).json["token"]
    mine = home.site()
    for jar in (theirs.jar, waiting.jar):
        mine.jar = {name.replace("other", "powauth"): value for name, value in jar.items()}
        assert (await mine.get("/account")).status == 303
        assert (await mine.get("/test-code")).status == 303
        assert (await mine.post("/test-code", code="123456")).status == 401
    mine.jar, mine.bearer = {}, token
    assert (await mine.program().get("/account")).status == 401


async def test_a_sealed_value_that_was_changed_says_nothing(home: House) -> None:
    """S58: notices and known devices, signed but readable."""
    site = await signed_in(home)
    await site.post("/account/email", email=ADA, current_password=PASSWORD)
    notice = site.jar["__Host-powauth-notice"]
    body, _, signature = notice.partition(".")
    forged = base64.urlsafe_b64encode(b'[99999999999,"<script>"]').decode().rstrip("=")
    for changed in (
        *variants(notice),
        f"{forged}.{signature}",
        f"{body}.",
        f".{signature}",
        f"{body}.{signature}.x",
        "[].[]",
    ):
        for name in ("notice", "device"):
            site.jar[f"__Host-powauth-{name}"] = changed
        page = await Wire(site).send("GET", "/account", (*READS_HTML, *Wire(site).cookies()))
        assert page.status == 200
        assert 'role="status"' not in page.text, changed


async def test_a_file_name_that_no_file_can_have_is_404(home: House) -> None:
    """S58: however long, and wherever it points."""
    names = [
        "a" * 256 + ".css",
        "a" * 5000 + ".css",
        "..",
        "../powauth.css",
        "%2e%2e/x.css",
        ".hidden.css",
        "a\0.css",
        "con.",
        "\ud800.css",
    ]
    for name in names:
        for method in ("GET", "HEAD", "POST"):
            answer = await Wire(home.site()).send(method, f"/assets/1/{name}", (*SENDS_JSON,))
            assert answer.status == (200 if name == "../powauth.css" and method != "POST" else 404), name


NEED_A_LINK = ("token", "/invitations/continue")


async def test_a_session_that_is_over_is_a_stranger_and_no_error(home: House) -> None:
    """S25, S58: idle, ended, of an account that is gone."""
    idle, gone = await signed_in(home), home.site()
    await settle(gone, "gone@example.com")
    twin = home.site()
    twin.jar = dict(gone.jar)
    assert (await gone.post("/account/close", current_password=PASSWORD)).status == 303
    home.clock.move(timedelta(minutes=30))
    for site in (idle, twin):
        for path in gets(home.auth):
            unknown = {404} if path.startswith("/providers/") else set[int]()
            assert (await site.get(path)).status in ({400} if path.endswith(NEED_A_LINK) else {200, 303} | unknown), (
                path
            )
        for path, _ in posts(home.auth):
            unknown = {404} if path.startswith("/providers/") else set[int]()
            assert (await site.post(path)).status in {303, 400, 401, 422} | unknown, path


async def test_an_account_without_a_password_and_without_a_fresh_proof_is_refused_and_no_error(tmp_path: Path) -> None:
    """S58: also where no extension lets one prove it again."""
    extensions = (SignUp(), SignIn(), ManageAccount())
    async with house(tmp_path, extensions=extensions) as home:
        async with home.auth.begin() as ctx:
            pia = await ctx.accounts.add(NewAccount(email="pia@example.com"), now=ctx.now)
        site = home.site()
        site.jar |= await sign_in_as(home.auth, pia)
        home.clock.move(timedelta(minutes=6))
        for path in ("/account/password", "/account/email", "/account/close"):
            answer = await site.post(path, email="new@example.com", new_password="nine slow orange hares")
            assert answer.status == 403, path
        assert (await site.get("/account")).status == 200
