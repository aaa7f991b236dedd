"""Who may ask for a change. S54: whatever changes state needs proof of its origin; S56: never the Host header."""

# ruff: noqa: RUF001  (look-alikes are the matter here)

from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.csrf import check, check_socket, origin_of
from powauth.errors import ConfigurationError, CrossSite, Unreadable
from powauth.http import RawRequest

BASE = "https://good.example"
FRONT = "https://app.good.example"
EVIL = "https://evil.example"
HOST = ("host", "evil.example")  # S56: whatever it says

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def request(method: str = "POST", **headers: str | None) -> RawRequest:
    named = ((name.replace("_", "-"), value) for name, value in headers.items() if value is not None)
    return RawRequest(method, "/sign-in", headers=(HOST, *named))


def passes(raw: RawRequest, *, has_bearer: bool = False, base: str = BASE, origins: tuple[str, ...] = (FRONT,)) -> bool:
    try:
        check(raw, base_origin=base, origins=origins, has_bearer=has_bearer)
    except CrossSite:
        return False
    return True


def socket_passes(raw: RawRequest, *, base: str = BASE, origins: tuple[str, ...] = (FRONT,)) -> bool:
    try:
        check_socket(raw, base_origin=base, origins=origins)
    except CrossSite:
        return False
    return True


# ---- the table: a line per Sec-Fetch-Site, a column per kind of Origin ----

#                  ours   listed other  null   absent
TABLE = {
    "same-origin": (True, True, True, True, True),
    "none":        (True, True, True, False, True),
    "same-site":   (False, True, False, False, False),
    "cross-site":  (False, True, False, False, False),
    "unknown":     (False, True, False, False, False),
    None:          (True, True, False, False, None),  # None: it takes proof that no form sent it
}  # fmt: skip
OTHERS = (
    EVIL, "", "*", "null ", "NULL", "good.example", "http://good.example", "http://localhost", "https://",
    "https://good.example:443", "https://good.example:8443", "https://good.example/", "https://good.example.",
    "HTTPS://GOOD.EXAMPLE", "https://x.good.example", "https://good.example.evil.example", "https://app.good.exampl",
    "https://app.good.example.evil.example", "https://good.example,https://app.good.example",
    "https://app.good.example https://good.example",
)  # fmt: skip
ORIGINS: tuple[tuple[str | None, ...], ...] = ((BASE,), (FRONT,), OTHERS, ("null",), (None,))
UNKNOWN = (
    "unknown", "", "Same-Origin", "SAME-ORIGIN", "same-origin, none", "same-origin ", "None", "null", "?1",
    "same_origin",
)  # fmt: skip
PROOFS = (JSON, "Application/JSON", "application/json; charset=utf-8", " application/json ;x", "application/json;")
NO_PROOFS = (
    None, "", FORM, "multipart/form-data; boundary=x", "text/plain", "text/plain; application/json", "text/json",
    "application/json, text/plain", "application/jsonp", "application/problem+json", "application/json\x00",
    "json",
)  # fmt: skip
SITES = [(row, site) for row in TABLE for site in (UNKNOWN if row == "unknown" else (row,))]


@pytest.mark.parametrize(("row", "site"), SITES)
def test_every_combination_of_headers_is_answered_as_the_table_says(row: str | None, site: str | None) -> None:
    """S54."""
    for origins, verdict in zip(ORIGINS, TABLE[row], strict=True):
        for origin, type_, bearer in product(origins, PROOFS + NO_PROOFS, (True, False)):
            raw = request(sec_fetch_site=site, origin=origin, content_type=type_)
            expected = bearer or type_ in PROOFS if verdict is None else verdict
            assert passes(raw, has_bearer=bearer) == expected, (origin, type_, bearer)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_are_not_asked(method: str) -> None:
    assert passes(request(method, sec_fetch_site="cross-site", origin=EVIL))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY", "get", "post", "", "FOO"])
def test_every_other_method_is_asked(method: str) -> None:
    """S54."""
    assert not passes(request(method, sec_fetch_site="cross-site", origin=EVIL))
    assert not passes(request(method))


@pytest.mark.parametrize("name", ["sec-fetch-site", "origin"])
def test_a_doubled_header_is_refused(name: str) -> None:
    """S54: two readers may each believe another one."""
    good = {"sec-fetch-site": "same-origin", "origin": BASE}[name]
    for doubled in ((good, good), (good, "cross-site"), (EVIL, good), ("", good)):
        raw = RawRequest("POST", "/", headers=tuple((name, value) for value in doubled))
        assert not passes(raw, has_bearer=True)


def test_two_content_types_prove_nothing() -> None:
    """S54."""
    raw = RawRequest("POST", "/", headers=(("content-type", JSON), ("content-type", "text/plain")))
    with pytest.raises(Unreadable):
        check(raw, base_origin=BASE, origins=(), has_bearer=False)


def test_null_is_nobody_even_if_somebody_lists_it() -> None:
    assert not passes(request(origin="null"), origins=("null",))
    assert not passes(request(origin="null", sec_fetch_site="cross-site"), origins=("null",))
    assert not socket_passes(request("GET", origin="null"), origins=("null",))


def test_a_text_given_for_the_list_of_origins_allows_no_part_of_itself() -> None:
    with pytest.raises(CrossSite):
        check(request(origin="https://app"), base_origin=BASE, origins=FRONT, has_bearer=False)


# ---- loopback ----

TWINS = ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000")
NO_TWINS = (
    "http://localhost", "http://localhost:80", "http://127.0.0.1:8001", "https://localhost:8000",
    "http://127.0.0.2:8000", "http://localhost:8000.evil.example", "http://localhost.evil.example:8000",
    "http://x.localhost:8000", "http://0.0.0.0:8000", "http://[::]:8000", "http://localhost:80000",
    "http://LOCALHOST:8000", EVIL, "null", "",
)  # fmt: skip


@pytest.mark.parametrize("base", TWINS)
def test_a_loopback_address_of_the_site_accepts_its_other_names_at_the_same_port(base: str) -> None:
    for origin in TWINS:
        assert passes(request(origin=origin), base=base, origins=())
        assert passes(request(origin=origin, sec_fetch_site="cross-site"), base=base, origins=())
        assert socket_passes(request("GET", origin=origin), base=base, origins=())
    for origin in NO_TWINS:
        assert not passes(request(origin=origin), base=base, origins=())
        assert not passes(request(origin=origin, sec_fetch_site="cross-site"), base=base, origins=())


@pytest.mark.parametrize(
    "base", [BASE, "http://localhost.example:8000", "http://localhosts:8000", "http://127.0.0.10:8000"]
)
def test_no_other_site_accepts_loopback_names(base: str) -> None:
    """S54: what listens on a visitor's machine is not ours."""
    for origin in (*TWINS, base.replace("localhost", "127.0.0.1"), base.replace("127.0.0.1", "localhost")):
        assert passes(request(origin=origin), base=base, origins=()) == (origin == base)


def test_a_loopback_site_without_a_port_accepts_names_without_a_port() -> None:
    assert passes(request(origin="http://127.0.0.1"), base="http://localhost", origins=())
    assert not passes(request(origin="http://127.0.0.1:8000"), base="http://localhost", origins=())


# ---- WebSockets ----


@pytest.mark.parametrize("site", [None, "same-origin", "none", "same-site", "cross-site", "x"])
def test_a_socket_always_needs_an_allowed_origin(site: str | None) -> None:
    """S54: browsers open sockets to other sites with their cookies."""
    ours, listed, others, null, absent = ORIGINS
    for origin in ours + listed:
        assert socket_passes(request("GET", origin=origin, sec_fetch_site=site))
    for origin in others + null + absent:
        assert not socket_passes(request("GET", origin=origin, sec_fetch_site=site, content_type=JSON))


def test_a_socket_with_two_origins_is_refused() -> None:
    assert not socket_passes(RawRequest("GET", "/", headers=(("origin", BASE), ("origin", BASE))))


# ---- origin_of ----

WRITTEN = {
    "https://good.example": "https://good.example",
    "https://good.example/auth?x#y": "https://good.example",
    "HTTPS://Good.Example:443": "https://good.example",
    "http://good.example:80/": "http://good.example",
    "http://good.example:443": "http://good.example:443",
    "https://good.example:8443": "https://good.example:8443",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://BÜCHER.example": "https://xn--bcher-kva.example",
    "https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
    "http://localhost:8000": "http://localhost:8000",
    "http://127.0.0.1:8000": "http://127.0.0.1:8000",
    "http://[::1]:8000": "http://[::1]:8000",
    "https://[2001:DB8:0:0:0:0:0:1]": "https://[2001:db8::1]",
    "https://a_b.example": "https://a_b.example",
}


@pytest.mark.parametrize(("url", "origin"), WRITTEN.items())
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin
    assert origin_of(origin) == origin


NO_SITES = [
    "", "good.example", "//good.example", "https:", "https://", "https:///x", "ftp://good.example", "javascript:x",
    "https://a@good.example", "https://a:b@good.example", "https://good.example:", "https://good.example:0",
    "https://good.example:65536", "https://good.example:x", "https://good.example.", "https://.example",
    "https://a..b", "https://faß.example", "https://ſ.example", "httpſ://good.example", "https://ｇood.example",
    "https://a。example", "https://0x7f.1", "https://127.1", "https://1", "https://a.1", "https://256.1.1.1",
    "https://[::g]", "https://[]", "https://good example", " https://good.example", "https://good.example\\x",
    "https://good.example\n", "null", "*", "https://*.good.example", "https://good%2eexample",
    "https://[fe80::1%25eth0]", "https://" + "a" * 64 + ".example",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_SITES)
def test_what_is_no_address_of_a_site_or_means_several_is_refused_at_start(url: str) -> None:
    """S57."""
    with pytest.raises(ConfigurationError, match="write it like https://"):
        origin_of(url)


@given(st.text())
@settings(deadline=None)
def test_any_text_is_an_origin_or_a_mistake_in_the_settings(url: str) -> None:
    with suppress(ConfigurationError):
        assert origin_of(f"https://{url}").isascii()


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["origin", "sec-fetch-site", "content-type", "host", "authorization"]),
        st.sampled_from([BASE, FRONT, EVIL, "null", "same-origin", "none", "cross-site", JSON, FORM, ""]) | st.text(),
    ),
    max_size=6,
)


@given(headers=HEADERS, method=st.sampled_from(["POST", "GET", "x"]), bearer=st.booleans())
@settings(deadline=None)
def test_headers_of_any_kind_pass_or_are_refused(headers: list[tuple[str, str]], *, method: str, bearer: bool) -> None:
    """S58."""
    raw = RawRequest(method, "/", headers=tuple(headers))
    with suppress(Unreadable):
        passes(raw, has_bearer=bearer)
    socket_passes(raw)


def test_a_refusal_says_403_and_why() -> None:
    with pytest.raises(CrossSite) as refused:
        check(request(), base_origin=BASE, origins=(), has_bearer=False)
    assert (refused.value.status, refused.value.code) == (403, "cross_site")
