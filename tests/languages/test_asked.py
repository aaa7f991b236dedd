"""Which language a browser gets: RFC 9110 §12.5.4 and RFC 4647 §3.4, and whatever else may be sent."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from powauth.languages import Languages, lookup

OFFERED = ("en", "de", "fr", "pt-BR")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-Latn-AT-1996", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.1, de;q=0.2", "de"),
        ("es, de;q=0.001", "de"),
        ("pt-br", "pt-BR"),
        ("pt-BR-x-informal", "pt-BR"),
        ("de;q=1.000,fr", "de"),
        ("fr;q=0.5, de;q=0.5", "fr"),
        (" de ;\tq=0.7 ,en;q=0.2", "de"),
        (",,de,,", "de"),
    ],
)
def test_a_browser_gets_what_it_likes_best(header: str, language: str) -> None:
    assert lookup([header], OFFERED, "en") == language


@pytest.mark.parametrize("default", OFFERED)
@pytest.mark.parametrize(
    "header",
    [
        "",
        "*",
        "es",
        "pt",
        "es-419, nl;q=0.5",
        "*;q=0.1",
        "x-klingon",
        "tlh",
        "de;q=0",
        "de-AT, de;q=0",
        "i",
        "-",
        ";",
        ",;q=,",
    ],
)
def test_whoever_asks_for_nothing_that_is_offered_gets_the_default(header: str, default: str) -> None:
    assert lookup([header], OFFERED, default) == default


@pytest.mark.parametrize(
    "header",
    [
        "de;q=2",
        "de;q=-1",
        "de;q=nan",
        "de;q=1e9",
        "de;q=",
        "de;q",
        "de;q=0.1234",
        "de;q=0.5;q=0.9",
        "de;v=1",
        "de;q=\u0660.\u0665",
        "d€",
        "de_AT",
        "de AT",
    ],
)
def test_what_cannot_be_read_is_not_there(header: str) -> None:
    assert lookup([header], OFFERED, "en") == "en"
    assert lookup([f"{header}, fr;q=0.1"], OFFERED, "en") == "fr"


def test_any_language_is_one_that_was_not_refused() -> None:
    assert lookup(["en;q=0, *"], OFFERED, "en") == "de"
    assert lookup(["de;q=0, *;q=0.5, en;q=0"], OFFERED, "de") == "fr"
    assert lookup(["*;q=0.9, fr;q=0.5"], OFFERED, "en") == "en"


def test_several_headers_are_one() -> None:
    assert lookup(["es", "fr;q=0.3", "de;q=0.4"], OFFERED, "en") == "de"


def test_a_header_without_end_is_read_as_far_as_any_browser_goes() -> None:
    assert lookup(["es," * 1_000_000 + "de"], OFFERED, "en") == "en"


PIECES = st.sampled_from(
    [
        "de",
        "fr",
        "en",
        "*",
        "-",
        ",",
        ";",
        "q",
        "=",
        "0",
        "1",
        ".",
        " ",
        "\t",
        "q=0.5",
        "x-",
        "AT",
        "\x00",
        "ü",
        "\u2167",
    ]
)


@given(st.lists(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=30).map("".join)), max_size=4))
@example(["de;q=1\u0660"])
@example(["DE\N{KELVIN SIGN}"])
@example(["-" * 1000])
@example([";" * 1000])
@example(["a-" * 500])
def test_whatever_is_sent_gets_an_offered_language(headers: list[str]) -> None:
    assert lookup(headers, OFFERED, "en") in OFFERED


def test_a_tenants_default_that_is_no_longer_offered_gives_way() -> None:
    languages = Languages(offered=("en", "de"), default="de")
    assert languages.choose((), "fr") == "de"
    assert languages.choose(("nl",), "en") == "en"
