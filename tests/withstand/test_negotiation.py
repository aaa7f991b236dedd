"""People get pages and programs get data, with the same statuses; every answer says how it may be kept and shown."""

import json
from datetime import timedelta
from typing import Any

import pytest

from powauth import NotFound, StoreUnavailable
from powauth.testing import Answer, Site
from powauth.testing.site import HTML
from tests.house import PASSWORD, House
from tests.withstand.attack import (
    ADA,
    FORM,
    HOST,
    JSON,
    ORIGIN,
    READS_HTML,
    READS_JSON,
    SENDS_HTML,
    SENDS_JSON,
    Headers,
    Wire,
    gets,
    parked,
    posts,
    signed_in,
    urlencoded,
)

pytestmark = pytest.mark.anyio

ACCEPTS: dict[str, bool] = {
    HTML: True,
    "text/html": True,
    "TEXT/HTML": True,
    "application/xhtml+xml": True,
    "text/html;q=0.9, application/json;q=0.8": True,
    "application/json;q=0.1, text/html;q=0.2": True,
    "text/html; charset=utf-8; q=0.5": True,
    "text/html, */*": True,
    "text/html ;q=1": True,
    "": False,
    "*/*": False,
    "text/*": False,
    "text/plain": False,
    "application/json": False,
    "application/json, text/html": False,
    "application/json, text/html;q=0.9": False,
    "text/html;q=0": False,
    "text/html;q=0, */*": False,
    "text/html;q=nan": False,
    "text/html;q=-1": False,
    "text/html;q=x": False,
    "application/problem+json, text/html;q=0.9": False,
    "application/vnd.api+json, text/html": False,
    "image/webp, */*;q=0.8": False,
    "text/html" + ";" * 1000 + "q=0": False,
    ",,,": False,
    "text/htmlx": False,
}


def is_html(answer: Answer) -> bool:
    return (answer.header("content-type") or "").startswith("text/html")


@pytest.mark.parametrize(("accept", "expected"), ACCEPTS.items())
async def test_html_only_if_it_is_named_above_json(home: House, accept: str, *, expected: bool) -> None:
    """On every page that is looked at, on every error, and for whoever is signed out where one has to be signed in."""
    wire = Wire(home.site())
    for path in ("/sign-in", "/sign-up", "/nothing", "/session"):
        answer = await wire.send("GET", path, (HOST, ("accept", accept)))
        assert is_html(answer) is expected, path
    answer = await wire.send("GET", "/account", (HOST, ("accept", accept)))
    assert (answer.status == 303) is expected


async def test_without_accept_it_is_json_and_of_two_lines_both_count(home: House) -> None:
    wire = Wire(home.site())
    assert not is_html(await wire.send("GET", "/sign-in", (HOST,)))
    assert not is_html(
        await wire.send("GET", "/sign-in", (HOST, ("accept", "application/json"), ("accept", "text/html")))
    )
    assert is_html(await wire.send("GET", "/sign-in", (HOST, ("accept", "image/png"), ("accept", "text/html"))))


async def test_whatever_sent_json_gets_json(home: House) -> None:
    wire = Wire(home.site())
    for path, page in posts(home.auth):
        answer = await wire.send("POST", path, (HOST, ORIGIN, JSON, ("accept", HTML)), b"{}")
        assert not is_html(answer), page
        assert answer.status != 303, page


# ---- what is answered ----

TO_SIGN_IN = "/auth/sign-in?next=%2Fauth%2F"
Case = tuple[str, str, str, Any, Any]

TABLE: list[Case] = [
    # who, method, path: for people, for programs
    ("nobody", "GET", "/sign-in", 200, 200),
    ("nobody", "GET", "/sign-up", 200, 200),
    ("nobody", "GET", "/session", 200, 200),
    ("nobody", "GET", "/account", f"{TO_SIGN_IN}account", 401),
    ("nobody", "GET", "/sessions", f"{TO_SIGN_IN}sessions", 401),
    ("nobody", "GET", "/prove", f"{TO_SIGN_IN}prove", 401),
    ("nobody", "GET", "/test-code", f"{TO_SIGN_IN}test-code", 401),
    ("nobody", "HEAD", "/account", 401, 401),
    ("nobody", "POST", "/account/password", 401, 401),
    ("nobody", "POST", "/sessions/x/end", 401, 401),
    ("nobody", "POST", "/session/renew", 401, 401),
    ("nobody", "POST", "/sign-out", "/", 204),
    ("nobody", "POST", "/sign-in", 401, 401),
    ("nobody", "POST", "/sign-up", 422, 422),
    ("nobody", "POST", "/session", 405, 405),
    ("nobody", "DELETE", "/sign-in", 405, 405),
    ("nobody", "GET", "/sign-out", 405, 405),
    ("nobody", "GET", "/", 404, 404),
    ("nobody", "GET", "/sign-in/", 404, 404),
    ("nobody", "POST", "/nothing", 404, 404),
    ("ada", "GET", "/account", 200, 200),
    ("ada", "GET", "/sessions", 200, 200),
    ("ada", "GET", "/prove", 200, 200),
    ("ada", "GET", "/sign-in", "/", 409),
    ("ada", "GET", "/sign-up", "/", 409),
    ("ada", "GET", "/test-code", "/", 409),
    ("ada", "POST", "/sign-in", "/", 409),
    ("ada", "POST", "/sign-up", "/", 409),
    ("ada", "POST", "/test-code", "/", 409),
    ("ada", "POST", "/session/renew", 403, 403),
    ("ada", "POST", "/sessions/x/end", 404, 404),
    ("ada", "POST", "/account/password", 422, 422),
    ("ada", "POST", "/account/username", 404, 404),
    ("eve", "GET", "/test-code", 200, 200),
    ("eve", "POST", "/test-code", 422, 422),
    ("eve", "GET", "/account", f"{TO_SIGN_IN}account", 401),
]


@pytest.mark.parametrize(("who", "method", "path", "for_people", "for_programs"), TABLE)
async def test_every_outcome_has_one_status_for_people_and_one_for_programs(
    home: House, *, who: str, method: str, path: str, for_people: Any, for_programs: Any
) -> None:
    site = {"nobody": home.site(), "ada": await signed_in(home), "eve": await parked(home)}[who]
    wire = Wire(site)
    reads, sends = (READS_HTML, READS_JSON), (SENDS_HTML, SENDS_JSON)
    people, programs = reads if method in {"GET", "HEAD"} else sends
    answer = await wire.send(method, path, (*people, *wire.cookies()))
    assert (answer.location or answer.status) == for_people
    assert answer.location == "" or answer.status == 303
    answer = await wire.send(method, path, (*programs, *wire.cookies()))
    assert (answer.status, answer.location) == (for_programs, "")
    if answer.status >= 400 and method != "HEAD":
        _is_problem(answer)


def _is_problem(answer: Answer) -> None:
    """RFC 9457, with a stable code."""
    assert answer.header("content-type") == "application/problem+json"
    data = answer.json
    assert (data["type"], data["status"]) == ("about:blank", answer.status)
    assert data["title"]
    assert data["code"].isidentifier()
    assert ("errors" in data) == (answer.status == 422)
    for found in data.get("errors", {}).values():
        assert all(error["code"].isidentifier() and error["message"] for error in found)


BODIES: dict[str, tuple[str, bytes, int, str]] = {
    "no type": ("", b"x=1", 415, "unsupported_media"),
    "plain text": ("text/plain", b"x=1", 415, "unsupported_media"),
    "XML": ("application/xml", b"<x/>", 415, "unsupported_media"),
    "JSON by another name": ("text/json", b"{}", 415, "unsupported_media"),
    "problem JSON": ("application/problem+json", b"{}", 415, "unsupported_media"),
    "too long": ("application/json", b'{"email": "%s"}' % (b"x" * 70_000), 413, "too_large"),
    "ten megabytes": ("application/x-www-form-urlencoded", b"email=" + b"x" * 10_000_000, 413, "too_large"),
    "a list": ("application/json", b"[]", 400, "unreadable"),
    "no JSON": ("application/json", b"{", 400, "unreadable"),
    "too deep": ("application/json", b'{"x":' + b"[" * 100 + b"]" * 100 + b"}", 400, "unreadable"),
    "two of one name": ("application/json", b'{"email":"a","email":"b"}', 400, "unreadable"),
    "not UTF-8": ("application/x-www-form-urlencoded", b"email=%ff", 400, "unreadable"),
    "no boundary": ("multipart/form-data", b"--x", 400, "unreadable"),
    "NaN": ("application/json", b'{"email": NaN}', 400, "unreadable"),
}


@pytest.mark.parametrize(("kind", "body", "status", "code"), BODIES.values(), ids=list(BODIES))
async def test_what_cannot_be_read_says_so_on_every_page(
    home: House, kind: str, body: bytes, status: int, code: str
) -> None:
    for site in (home.site(), await signed_in(home)):
        wire = Wire(site)
        for path, _ in posts(home.auth):
            headers = (HOST, ORIGIN, *((("content-type", kind),) if kind else ()), *wire.cookies())
            answer = await wire.send("POST", path, headers, body)
            assert (answer.status, answer.code) == (status, code), path


async def test_401_says_how_to_come_in_and_405_what_may_be_asked(home: House) -> None:
    wire = Wire(home.site())
    for reads in (READS_JSON, READS_HTML):
        assert (await wire.send("HEAD", "/account", reads)).header("www-authenticate") == "Bearer"
        assert (await wire.send("POST", "/sign-in", (*reads, ORIGIN, FORM))).header("www-authenticate") == "Bearer"
        assert (await wire.send("GET", "/sign-out", reads)).header("allow") == "POST"
        assert (await wire.send("PUT", "/sign-in", reads)).header("allow") == "GET, HEAD, POST"
        assert (await wire.send("PUT", "/session", reads)).header("allow") == "GET, HEAD"


async def test_a_form_for_programs_is_its_fields_and_holds_no_values(home: House) -> None:
    answer = await home.site().program().get("/sign-up?email=x@y.example&password=x")
    fields = {field["name"]: field for field in answer.json["fields"]}
    assert fields["password"] == {
        "name": "password",
        "type": "string",
        "kind": "password",
        "required": True,
        "max": 4096,
    }
    assert fields["email"]["required"] is True
    assert "username" not in fields
    assert "x@y.example" not in answer.text


async def test_what_is_made_is_201_and_what_is_done_200_or_204(home: House) -> None:
    program = home.site().program()
    made = await program.post("/sign-up", email="new@example.com", password=PASSWORD)
    assert (made.status, sorted(made.json)) == (201, ["action"])
    assert (await program.post(program.outbox.link)).status == 204
    done = await program.post("/sign-in", email="new@example.com", password=PASSWORD)
    assert (done.status, sorted(done.json)) == (200, ["account", "session"])
    assert "session" not in {key for key in done.json["session"] if "secret" in key}
    assert done.json["session"].keys() == {
        "id",
        "transport",
        "created_at",
        "seen_at",
        "expires_at",
        "actor",
        "client",
        "device",
        "proofs",
    }


async def test_a_store_that_does_not_answer_is_503_with_a_time_to_come_back(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is known, so nothing is granted, and nobody is told that they are signed out."""
    site = await signed_in(home)

    async def silent(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(home.auth.plan.store, "get", silent)
    for path in gets(home.auth):
        for reads in (READS_JSON, READS_HTML):
            answer = await Wire(site).send("GET", path, (*reads, *Wire(site).cookies()))
            assert answer.status == 503
            assert int(answer.header("retry-after") or 0) >= 1
            assert answer.cookies() == []


# ---- how it may be kept and shown ----


async def every_answer(home: House, site: Site) -> list[tuple[str, Answer]]:
    """Every page, looked at and sent to, for people and for programs."""
    found: list[tuple[str, Answer]] = []
    cookies = Wire(site).cookies()
    for reads, sends in ((READS_HTML, SENDS_HTML), (READS_JSON, SENDS_JSON)):
        asked: list[tuple[str, str, Headers]] = [("GET", path, reads) for path in gets(home.auth)]
        asked += [("POST", path, sends) for path, _ in posts(home.auth) if path != "/sign-out"]
        found += [
            (f"{method} {path}", await Wire(site).send(method, path, (*headers, *cookies)))
            for method, path, headers in asked
        ]
    return found


async def test_an_answer_for_which_a_session_was_read_is_kept_by_nobody(home: House) -> None:
    for site in (home.site(), await signed_in(home), await parked(home)):
        for what, answer in await every_answer(home, site):
            assert answer.header("cache-control") == "private, no-store", what
            assert [name for name, _ in answer.headers].count("cache-control") == 1, what
            vary = {name.strip() for key, value in answer.headers if key == "vary" for name in value.split(",")}
            assert vary >= {"Cookie", "Authorization", "Accept"}, what


async def test_an_answer_for_which_no_session_was_read_is_left_alone(home: House) -> None:
    site = await signed_in(home)
    home.clock.move(timedelta(minutes=16))
    wire = Wire(site)
    for method, path in (("GET", "/nothing"), ("PUT", "/account"), ("POST", "/account/close")):
        answer = await wire.send(method, path, (*READS_JSON, *wire.cookies()))
        assert answer.header("vary") == "Accept-Language", path  # what went wrong is said in a language
        assert answer.header("cache-control") is None, path
        assert answer.cookies() == [], path
    style = await wire.send("GET", "/assets/1/powauth.css", (*READS_HTML, *wire.cookies()))
    assert (style.status, style.header("vary"), style.cookies()) == (200, None, [])
    assert "immutable" in (style.header("cache-control") or "")
    assert style.header("x-content-type-options") == "nosniff"


async def test_every_page_forbids_what_it_does_not_need(home: House) -> None:
    """No inline script or style, no frame around it, no address in a referrer, no guessing of types."""
    pages = 0
    for site in (home.site(), await signed_in(home), await parked(home)):
        answers = await every_answer(home, site)
        for path in ("/nothing", "/sign-out"):
            answers.append((path, await Wire(site).send("GET", path, READS_HTML)))
        for what, answer in answers:
            if not is_html(answer):
                continue
            pages += 1
            policy = answer.header("content-security-policy") or ""
            assert "default-src 'none'" in policy, what
            assert "unsafe" not in policy, what
            assert "frame-ancestors 'none'" in policy, what
            assert "form-action 'self'" in policy, what
            assert "base-uri 'none'" in policy, what
            assert answer.header("x-frame-options") == "DENY", what
            assert answer.header("x-content-type-options") == "nosniff", what
            assert answer.header("referrer-policy") == "same-origin", what
            assert answer.header("cache-control") == "private, no-store", what
            assert " style=" not in answer.text, what
            assert "<script>" not in answer.text, what
            assert " onclick" not in answer.text.lower(), what
            assert answer.header("content-type") == "text/html; charset=utf-8", what
    assert pages > 30


HOSTILE = '"><script>alert(1)</script><x y="\' onfocus=alert(1) {{7*7}} {name} %s \\'


async def test_what_was_typed_comes_back_as_text(home: House) -> None:
    """In forms that were refused, in what an address brought along, and on pages of one's own account."""
    site = home.site()
    query = urlencoded(email=HOSTILE, next=HOSTILE, username=HOSTILE, code=HOSTILE).decode()
    answers = [
        await site.get(f"/sign-in?{query}"),
        await site.post(f"/sign-in?{query}", email=HOSTILE, password=HOSTILE),
        await site.post("/sign-up", email=HOSTILE, password=PASSWORD, next=HOSTILE),
        await (await parked(home)).post(f"/test-code?{query}", code=HOSTILE),
        await (await signed_in(home)).post(f"/account/email?{query}", email=HOSTILE),
        await site.get(f"/{HOSTILE}"),
    ]
    for answer in answers:
        assert answer.status in {200, 401, 404, 422}
        assert "<script>alert" not in answer.text
        assert "<x" not in answer.text
        assert HOSTILE not in answer.text
    assert "{{7*7}} {name} %s" in answers[1].text


async def test_a_cookie_is_the_hosts_own_for_the_server_alone_and_not_for_other_sites(home: House) -> None:
    """S26."""
    site = home.site()
    answers = [
        await site.post("/sign-in", email="eve@example.com", password=PASSWORD),
        await site.post("/test-code", code="123456"),
        await site.post("/prove", password=PASSWORD),
        await site.post("/sign-out"),
        await site.get("/sign-in"),
    ]
    cookies = [cookie for answer in answers for cookie in answer.cookies()]
    assert len(cookies) >= 5
    for cookie in cookies:
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-powauth-")
        assert {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"} <= set(attributes)
        assert not any(attribute.startswith("Domain") for attribute in attributes)


async def test_a_body_that_is_not_sent_to_the_end_is_400(home: House) -> None:
    wire = Wire(home.site())
    answer = await wire.send("POST", "/sign-in", (*SENDS_JSON, ("content-length", "5")), json.dumps({}).encode())
    assert answer.status == 401  # what the header promised is the server's to hold; the form is empty
    assert (await wire.send("POST", "/sign-in", (*SENDS_JSON, ("content-length", "70000")))).code == "too_large"
    assert (await wire.send("POST", "/sign-in", (*SENDS_JSON, ("content-length", "x")))).code == "unreadable"


def test_nothing_here_is_the_code_of_404() -> None:
    assert (NotFound.code, NotFound.status, ADA) == ("not_found", 404, "ada@example.com")
