"""Other sites can change nothing here: S54, login CSRF included; and looking at a page changes nothing either."""

import pytest

from powauth.testing import Site
from powauth.testing.site import HTML
from tests.house import PASSWORD, House
from tests.withstand.attack import (
    ADA,
    FORM,
    HOST,
    JSON,
    ORIGIN,
    Headers,
    Wire,
    database,
    gets,
    parked,
    posts,
    sessions,
    sets_session,
    signed_in,
    stored,
    unaudited,
    urlencoded,
)

pytestmark = pytest.mark.anyio

CROSS: dict[str, Headers] = {
    "a form that tells nothing": (FORM,),
    "a form as plain text": (("content-type", "text/plain"),),
    "a form with JSON written after its type": (("content-type", "text/plain; application/json"),),
    "a multipart form": (("content-type", "multipart/form-data; boundary=x"),),
    "no content at all": (),
    "another site": (FORM, ("origin", "https://evil.example")),
    "another site, JSON": (JSON, ("origin", "https://evil.example")),
    "another site, as new browsers say": (FORM, ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")),
    "another site that hides its origin": (JSON, ("sec-fetch-site", "cross-site")),
    "another site with our origin": (JSON, ORIGIN, ("sec-fetch-site", "cross-site")),
    "a sub-domain": (FORM, ("origin", "https://evil.example.com")),
    "a sub-domain, as new browsers say": (
        FORM,
        ("origin", "https://evil.example.com"),
        ("sec-fetch-site", "same-site"),
    ),
    "a word that nobody knows": (JSON, ORIGIN, ("sec-fetch-site", "trusted")),
    "a word in other letters": (JSON, ORIGIN, ("sec-fetch-site", "Same-Origin")),
    "an empty word": (JSON, ORIGIN, ("sec-fetch-site", "")),
    "a sandboxed frame": (FORM, ("origin", "null")),
    "a sandboxed frame, JSON": (JSON, ("origin", "null"), ("sec-fetch-site", "cross-site")),
    "our name under http": (FORM, ("origin", "http://example.com")),
    "our name with another port": (FORM, ("origin", "https://example.com:444")),
    "our name and more": (FORM, ("origin", "https://example.com.evil.example")),
    "our name and a slash": (FORM, ("origin", "https://example.com/")),
    "our name and a dot": (FORM, ("origin", "https://example.com.")),
    "our name in capitals": (FORM, ("origin", "HTTPS://EXAMPLE.COM")),
    "two origins in one header": (FORM, ("origin", "https://example.com, https://evil.example")),
    "two origins": (FORM, ORIGIN, ("origin", "https://evil.example")),
    "two words": (FORM, ORIGIN, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")),
    "a Host of its own": (FORM, ("origin", "https://evil.example"), ("host", "evil.example")),
    "a forwarded host": (FORM, ("origin", "https://evil.example"), ("x-forwarded-host", "evil.example")),
    "a referrer of ours": (FORM, ("referer", "https://example.com/auth/sign-in")),
    "a scheme that is not Bearer": (FORM, ("authorization", "Basic YWRhOng=")),
    "a method in a header": (FORM, ("x-http-method-override", "GET")),
}


@pytest.fixture
async def browsers(home: House) -> tuple[Site, ...]:
    return home.site(), await signed_in(home), await parked(home)


async def test_another_site_can_send_no_form_of_any_extension(home: House, browsers: tuple[Site, ...]) -> None:
    """S54: every route that changes something, signed out, signed in and between two factors."""
    before = database(home), stored(home)
    body = urlencoded(email=ADA, password=PASSWORD, current_password=PASSWORD, code="123456")
    for attack, headers in CROSS.items():
        host = () if any(name == "host" for name, _ in headers) else (HOST,)
        for wire in map(Wire, browsers):
            for path, _ in posts(home.auth):
                answer = await wire.send("POST", path, (*host, *headers, *wire.cookies()), body)
                assert (answer.status, answer.code) == (403, "cross_site"), (attack, path)
                assert not sets_session(answer, home.auth), (attack, path)
        assert (database(home), stored(home)) == before, attack


async def test_the_site_itself_and_programs_may_send_every_form(home: House) -> None:
    """S54: the twin, without which the refusals above would show nothing."""
    wire = Wire(home.site())
    for allowed in (
        (FORM, ORIGIN),
        (FORM, ("sec-fetch-site", "same-origin")),
        (FORM, ("sec-fetch-site", "none")),
        (FORM, ("origin", "null"), ("sec-fetch-site", "same-origin")),
        (JSON,),
        (FORM, ("authorization", "Bearer x")),
    ):
        for path, _ in posts(home.auth):
            answer = await wire.send("POST", path, (HOST, *allowed))
            assert answer.status != 403, (path, allowed)


async def test_what_may_pass_without_an_origin_brings_no_cookie_along(home: House) -> None:
    """S54: a Bearer token of nobody's does not open the door for a cookie."""
    wire = Wire(await signed_in(home))
    headers = (HOST, FORM, ("authorization", "Bearer x"), *wire.cookies())
    before = sessions(home)
    assert (await wire.send("POST", "/account/close", headers, urlencoded(current_password=PASSWORD))).status == 401
    assert (await wire.send("POST", "/sign-out", headers)).status == 204
    assert sessions(home) == before


async def test_methods_that_a_page_does_not_have_are_refused_everywhere(home: House, stranger: Wire) -> None:
    """S54: no method but the page's own reaches a handler, by whatever name it is called."""
    for path in {*gets(home.auth), *(path for path, _ in posts(home.auth))}:
        for method in (
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "TRACE",
            "CONNECT",
            "post",
            "get",
            "Get",
            "FOO",
            "P\u00d6ST",
            "",
        ):
            answer = await stranger.send(method, path, (HOST, ORIGIN, JSON), b"{}")
            assert (answer.status, answer.code) == (405, "method_not_allowed"), (method, path)
            assert method not in (answer.header("allow") or "").split(", ")


@pytest.mark.parametrize("accept", [HTML, "application/json"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_any_page_changes_nothing(
    home: House, browsers: tuple[Site, ...], method: str, accept: str
) -> None:
    """S54: compared in the database and in the store, sessions apart from being touched and renewed."""
    before = unaudited(home), stored(home)
    inviting = "next=/x&email=a@b.example&password=x&code=123456&token=x&id=x&remember=on&transport=bearer"
    for site in browsers:
        for path in gets(home.auth):
            for query in ("", inviting):
                wire = Wire(site)
                headers = (HOST, ("accept", accept), *wire.cookies())
                answer = await wire.send(method, path, headers, urlencoded(code="123456"), query=query)
                assert answer.status < 500
                assert (unaudited(home), stored(home)) == before, (method, path)


async def test_a_link_from_another_site_ends_nobodys_session(home: House) -> None:
    """S54: whatever page it leads to, the cookie stays and still opens."""
    for site in (await signed_in(home), await parked(home)):
        jar = dict(site.jar)
        for path in gets(home.auth):
            await site.get(path, headers={"sec-fetch-site": "cross-site", "referer": "https://evil.example/"})
        assert site.jar == jar
