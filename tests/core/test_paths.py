"""Every page has one spelling. S44: no way of writing a path maps to another rule than the page's own."""

# ruff: noqa: RUF001  (look-alikes are the matter here)

import posixpath
from contextlib import suppress
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.errors import NotFound
from powauth.paths import MAX_PATH, normalise

PAGES = [
    "/",
    "/sign-in",
    "/sign-up",
    "/session/renew",
    "/reset-password/abcdefgh234567",
    "/sessions/0f1e/end",
    "/anmeldung-für",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_s_own_path_is_left_as_it_is(path: str) -> None:
    assert normalise(path) == path


def test_the_mount_point_is_one_page_with_and_without_its_slash() -> None:
    assert normalise("") == normalise("/") == "/"


OTHERS = [
    *("//", "///", "/.", "/..", "/./", "/../", "//sign-in", "///sign-in", "/sign-in/", "/sign-in//", "/./sign-in"),
    *(
        "/../sign-in",
        "/x/../sign-in",
        "/sign-in/.",
        "/sign-in/..",
        "/session//renew",
        "/session/./renew",
        "/session/renew/",
    ),
    *(
        "/%73ign-in",
        "/sign%2din",
        "/sign-in%2f",
        "/%2fsign-in",
        "/sign-in%00",
        "/sign-in%",
        "/%2e/sign-in",
        "/session%2frenew",
    ),
    *(
        "\\sign-in",
        "/\\sign-in",
        "/sign-in\\",
        "/session\\renew",
        "/.\\sign-in",
        "sign-in",
        "./sign-in",
        "*",
        "https://x/sign-in",
    ),
    *("/sign-in?", "/sign-in?x=1", "/sign-in#", "/sign-in;", "/sign-in;x=1", "/;/sign-in", "/..;/sign-in"),
    *("/sign-in\0", "/sign-in\n", "/sign-in\r\n", "/sign-in\t", "/sign-in ", " /sign-in", "/ sign-in", "/sign-in\x7f"),
    *(
        "/sign-in\u200b",
        "/sign\u00adin",
        "/sign-in\u00a0",
        "/sign-in\u2028",
        "/\ufeffsign-in",
        "/sign-in\ud800",
        "/sign-in\udcff",
    ),
    *("/" + "a" * MAX_PATH, "/a" * 2000, "/" * 5000),
]


@pytest.mark.parametrize("path", OTHERS)
def test_another_spelling_is_no_page(path: str) -> None:
    """S44."""
    with pytest.raises(NotFound):
        normalise(path)


@pytest.mark.parametrize("path", ["/Sign-In", "/SIGN-IN", "/ｓign-in", "/ſign-in", "/sıgn-in", "/sign‐in", "/sign-ⅰn"])
def test_letters_that_look_alike_stay_what_they_are(path: str) -> None:
    """S44: such a path is looked up as it stands, and no page has it."""
    assert normalise(path) == path != "/sign-in"


SPELLINGS = st.lists(
    st.sampled_from(["/", "//", ".", "..", "%2f", "%2e", "%", "\\", ";", "sign-in", "sign-up", "x", " ", "\0", "S"])
)


@given(SPELLINGS.map("".join) | st.text())
@settings(deadline=None)
def test_any_path_is_not_found_or_already_what_every_reader_would_make_of_it(path: str) -> None:
    """S44, S58."""
    with suppress(NotFound):
        found = normalise(path)
        assert found == (path or "/")
        assert normalise(found) == found == posixpath.normpath(found) == unquote(found)
        assert unquote(quote(found)) == found
