"""Where a visitor may be sent on to: S55, every redirect parameter passes one validator; S56, the Host header never."""

# ruff: noqa: RUF001, SIM905  (look-alikes are the matter here, and a list of words is easier to read)

import ipaddress
import re
import string
import unicodedata
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powauth.redirects import MAX_TARGET, safe_target

BASE = "https://good.example/auth"
ORIGINS = ("https://app.good.example", "http://localhost:3000", "https://[2001:db8::1]:8443")
ALLOWED = {"https://good.example", *ORIGINS}


def target(value: object) -> str | None:
    return safe_target(value, base_url=BASE, origins=ORIGINS)


# ---- the corpus: what leads away, what only some readers think leads away, and what is no address ----

SLASHES = """
//evil ///evil ////evil /////evil //evil/ //evil/%2f.. //evil.example //evil%00.example //good.example
//good.example@evil //evil@good.example //[::1] //[evil] //0 //0x7f.1 //2130706433 //127.1 //evil:80 //evil:443/
//evil?x //evil#x //?evil //#evil // /// //. //.. //%2e //evil\\.good.example //xn--evl-ena.example //.evil //evil.
///%2fevil //%2fevil //%5cevil //good.example.evil //good.example%2f@evil //good.example%5c@evil
//good.example%23@evil //good.example&@evil //@evil //good.example:443@evil //good.example:@evil //:@evil //:80
//evil;x //e%76il //%65vil //％65vil //ｅvil //evil。example
""".split()
BACKSLASHES = [
    *r"""
    \ \\ \\\ \/ \/evil \\evil \\\evil \/\evil \\/evil /\ /\evil /\/evil /\\evil //\evil //\/evil /\/\evil \evil
    \/\/evil /\@evil /\good.example@evil \\good.example /a\..\..\evil /a/\evil /a\evil /.\evil /..\evil /.\/evil
    /\.evil \.\evil https:\\evil https:\/evil https:/\evil https:\evil https://\evil https://good.example\evil
    https://good.example\@evil https://good.example\.evil https://evil\@good.example https://evil\.good.example
    https://evil\good.example https://good.example/\evil https:\\good.example https:/\good.example
    http:\\localhost:3000 /?a\b /#a\b /me?x=\\evil
    """.split(),
]
SCHEMES = """
https:evil https:/evil https:///evil https:////evil https:good.example https:/good.example https:///good.example
https: http: https:/ https:// http:// http:evil http:/evil http:///evil http:localhost:3000 http:/localhost:3000
https:/auth https:auth https:?x https:#x https:. https:.. https:/../evil https:%2f%2fevil https%3a//evil
https%3A%2F%2Fevil https;//evil https//evil ://evil :evil :/evil :80 : x: x:y x://evil javascript:alert(1)
JavaScript:alert(1) javascript://good.example/%0aalert(1) javascript:alert(1)//https://good.example
javascript&colon;alert(1) java%0ascript:alert(1) jav&#x09;ascript:alert(1) data:text/html,x
data:text/html;base64,PHNjcmlwdD4= data:,https://good.example vbscript:x file:///etc/passwd file://good.example
file:/etc/passwd ftp://good.example ftp:evil ws://good.example wss://good.example blob:https://good.example/x
about:blank view-source:https://good.example mailto:a@good.example tel:1 intent://evil#Intent;end chrome://settings
ms-word:x httpſ://good.example https://good.example:ſ HTTPſ://evil gopher://good.example feed:https://good.example
xhttps://good.example
""".split()
HOSTS = """
https://evil https://evil/ https://evil.example https://good.evil https://good.example.evil https://goodexample
https://good.examplee https://evilgood.example https://evil-good.example https://x.good.example https://good.example.
https://good.example.. https://.good.example https://good..example https://.. https://. https://evil/good.example
https://evil?good.example https://evil#good.example https://evil;good.example https://evil,good.example
https://evil%00good.example https://evil%2fgood.example https://evil%23.good.example https://evil%3f.good.example
https://good.example%2eevil https://good%2eexample https://g%6fod.example https://%67ood.example
https://good.example%00.evil https://good.example%0aevil https://good.example%20.evil https://gооd.example
https://goоd.example https://ｇood.example https://good。example https://good．example https://good｡example
https://good.example。evil https://good.example／evil https://good.example＼evil https://good.example？evil
https://good.example＃evil https://good.example：443 https://ⓖood.example https://good.example／@evil
https://xn--good-example https://xn--gd-jbba.example https://good.exam\u00adple https://ɡood.example
https://GOOD.EXAMPLE.EVIL https://good_example https://good.example*evil https://good.example|evil
https://good.example^evil https://good.example<evil https://good.example>evil https://good.example"evil
https://good.example'evil https://good.example`x https://$good.example https://!good.example https://good.example!
https://good.example~evil https://(good.example) https://app.good.example.evil https://app.good.example@evil
https://app-good.example https://app.good.examplex
""".split()
AUTHORITIES = """
https://good@evil https://good.example@evil https://good.example:443@evil https://good.example:@evil
https://evil@good.example https://a:b@good.example https://:@good.example https://@good.example https://@evil
https://@@good.example https://good.example@good.example https://good.example%40evil https://good.example%2f@evil
https://good.example%5c@evil https://good.example:80 https://good.example:444 https://good.example:8443
https://good.example:0 https://good.example:00443 https://good.example:0443 https://good.example:65536
https://good.example:66000 https://good.example:4430 https://good.example:99999999999 https://good.example:+443
https://good.example:-443 https://good.example:4_43 https://good.example:443x https://good.example:x
https://good.example: https://good.example:/ https://good.example::443 https://good.example:443:443
https://good.example:４４３ https://good.example:٤٤٣ https://good.example:%34%34%33 https://good.example:443.evil
http://good.example http://good.example:443 http://app.good.example http://localhost http://localhost:3001
http://localhost:30000 http://localhost:03000 https://localhost:3000 http://127.0.0.1:3000 http://[::1]:3000
http://0:3000 http://localhost.:3000 http://localhost:3000.evil http://localhost:3000@evil https://[2001:db8::1]
https://[2001:db8::1]:443 https://[2001:db8::2]:8443 https://[2001:db8::1]:8443@evil https://[2001:db8:0::1]:8443
https://[2001:0db8::1]:8443 https://[2001:db8::0:1]:8443 https://[2001:db8::1]evil:8443 https://[2001:db8::1]x
https://[2001:db8::1%25eth0]:8443 https://[2001:db8::1 https://2001:db8::1]:8443 https://[] https://[good.example]
https://[::ffff:127.0.0.1] https://[v1.good] https://2130706433 https://0x7f000001 https://0177.1 https://1
""".split()
PATHS = """
/.//evil /..//evil /./ /../ /. /.. /a/..//evil /a/.//evil /a/../ /a/.. /../../evil /././/evil /%2e//evil /%2e%2e//evil
/.%2e/ /%2e./evil /%2E%2E/ /%2E%2e//evil /a/%2e%2e//evil /..;/evil /.;//evil /a/..;x//evil /%2e%2e;/evil /%2f/evil
/%2fevil /%2Fevil /%2f%2fevil /%5c /%5cevil /%5C/evil /%5c%5cevil /%09/evil /%09//evil /%0a/evil /%0d%0aSet-Cookie:x=y
/%0d%0a%0d%0a<script> /a%0aLocation:%20https://evil /%00/evil /%00 /%1f/evil /%7f/evil /%0D/evil /%0a%2fevil /／evil
/／／evil /＼evil /．．／／evil /．／／evil /．．/ /‥/ /‥//evil
/․/ /․․//evil /％2fevil /％5cevil /％2e%2e/ /a／..／／evil /﹨evil /．%2e/
""".split()
NO_ADDRESS = """
evil evil.example good.example www.evil.example evil/ evil//x a a/b . .. ./ ../ ../evil ./evil ./#x ?x ?next=//evil
?//evil ? #x # #//evil ;//evil @evil @good.example %2f %2fevil %2f%2fevil %5cevil %2e%2e %09//evil *~ , & = [::1] 0
null None undefined ／ ／evil ／／evil ＼evil ．．／evil 。/evil good.example/me auth/me :443 <x> "x" "//evil" 'https://evil'
(//evil)
""".split()
BLANKS = [
    template.replace("_", blank)
    for blank in ("\t", "\n", "\r", "\r\n", "\0", "\x0b", "\x0c", "\x1f", "\x7f", "\x85", "\u2028", "\u200b", "\ufeff")
    for template in ("/_/evil", "_//evil", "/_\\evil", "/me_", "_/me", "/me?x=_", "ht_tps://evil", "https:_//evil", "_")
]
SPACES = [
    " ", "  ", " /me", "/me ", " //evil", " https://evil", " https://good.example", "\u00a0/me", "\u3000//evil",
]  # fmt: skip
MORE = [
    "/\ud800",
    "/me\udfff",
    "",
    "/" * 3000,
    "/" + "a" * MAX_TARGET,
    "/" + "ä" * 400,
    "https://good.example/" + "a" * 2040,
]
CORPUS = [
    *(SLASHES + BACKSLASHES + SCHEMES + HOSTS + AUTHORITIES + PATHS + NO_ADDRESS),
    *(BLANKS + SPACES + MORE),
]


def test_the_corpus_has_more_than_four_hundred_strings() -> None:
    assert len(set(CORPUS)) == len(CORPUS) > 400


@pytest.mark.parametrize("value", CORPUS)
def test_whatever_might_lead_away_is_ignored(value: str) -> None:
    """S55."""
    assert target(value) is None


@pytest.mark.parametrize("value", [None, 0, 1, True, 1.5, b"/me", ["/me"], {"next": "/me"}, ("/me",), object()])
def test_what_is_no_text_is_ignored(value: object) -> None:
    """S58."""
    assert target(value) is None


KEPT = {
    "/": "/",
    "/me": "/me",
    "/me/": "/me/",
    "/a//b": "/a//b",
    "/me?tab=2&x=%2F%2Fevil#top": "/me?tab=2&x=%2F%2Fevil#top",
    "/?next=https://evil": "/?next=https://evil",
    "/me?x=%0d%0aSet-Cookie:%20a=b": "/me?x=%0d%0aSet-Cookie:%20a=b",
    "/#/../..//evil": "/#/../..//evil",
    "/@evil": "/@evil",
    "/:80": "/:80",
    "/https://evil": "/https://evil",
    "/javascript:alert(1)": "/javascript:alert(1)",
    "/.well-known/x": "/.well-known/x",
    "/...": "/...",
    "/a b?c d": "/a%20b?c%20d",
    "/süß?ä=ö#ü": "/s%C3%BC%C3%9F?%C3%A4=%C3%B6#%C3%BC",
    "/%c3%bc": "/%c3%bc",
    '/"><script>': "/%22%3E%3Cscript%3E",
    "/100%": "/100%",
    "https://good.example": "https://good.example/",
    "https://good.example/": "https://good.example/",
    "https://good.example?x": "https://good.example/?x",
    "https://good.example#x": "https://good.example/#x",
    "HTTPS://GOOD.example:443/Me": "https://good.example/Me",
    "https://app.good.example/inbox?x=1#y": "https://app.good.example/inbox?x=1#y",
    "http://localhost:3000/": "http://localhost:3000/",
    "https://[2001:DB8::1]:8443/x": "https://[2001:db8::1]:8443/x",
    "https://good.example/ü": "https://good.example/%C3%BC",
}


@pytest.mark.parametrize(("value", "expected"), KEPT.items())
def test_a_path_and_an_allowed_address_are_kept_with_query_and_fragment(value: str, expected: str) -> None:
    assert target(value) == expected


@pytest.mark.parametrize("value", CORPUS)
def test_behind_an_allowed_origin_nothing_that_leads_away_is_kept(value: str) -> None:
    """S55."""
    kept = target(f"https://good.example{value}")
    assert kept is None or browser_origin(kept) == "https://good.example"


def test_other_spellings_of_the_site_in_the_settings_make_no_difference() -> None:
    assert safe_target("https://good.example/x", base_url="HTTPS://Good.Example:443", origins=()) is not None
    assert safe_target("https://xn--bcher-kva.example/", base_url="https://bücher.example", origins=()) is not None


def test_a_text_given_for_the_list_of_origins_allows_no_part_of_itself() -> None:
    assert safe_target("https://good", base_url="https://x.example", origins="https://good.example") is None


# ---- an independent reader: the URL standard's parser, as far as it tells where an address leads ----

SPECIAL = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
FORBIDDEN = set(" #/:<>?@[\\]^|%") | {chr(code) for code in (*range(0x20), 0x7F)}


def browser_origin(value: str, base: str = BASE) -> str:
    """Where a browser on a page of `base` goes: an origin, `invalid` for nowhere, `opaque` for no web address."""
    value = re.sub(r"[\t\n\r]", "", value.strip("".join(map(chr, range(0x21)))))
    here = urlsplit(base)
    scheme, rest = here.scheme, value
    if named := re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", value):
        scheme, rest = named[1].lower(), value[named.end() :]
        if scheme not in SPECIAL:
            return "opaque"
        if scheme != here.scheme:
            return authority(scheme, rest.lstrip("/\\"))
    if re.match(r"[/\\]{2}", rest):
        return authority(scheme, rest.lstrip("/\\"))
    return f"{here.scheme}://{here.netloc}"


def authority(scheme: str, rest: str) -> str:
    text = re.split(r"[/\\?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", text, re.ASCII)
    host = browser_host(found[1]) if found else None
    if not found or not host or int(found[2] or 0) > 65535:
        return "invalid"
    port = str(int(found[2])) if found[2] else SPECIAL[scheme]
    return f"{scheme}://{host}" + ("" if port == SPECIAL[scheme] else f":{port}")


def browser_host(text: str) -> str | None:
    try:
        if text.startswith("["):
            return f"[{ipaddress.IPv6Address(text[1:-1]).compressed}]"
        name = unicodedata.normalize("NFKC", unquote_to_bytes(text).decode()).replace("。", ".").lower()
        name = name if name.isascii() else name.encode("idna").decode()
    except ValueError:
        return None
    return None if FORBIDDEN & set(name) else name


TOKENS = """
https://good.example https://app.good.example http://localhost:3000 https://[2001:db8::1]:8443 https: http: HTTPS:// /
/ // \\ . .. %2e %2f %5c %09 @ : :443 :80 :3000 ? # ; evil evil.example good.example localhost [::1] xn-- javascript:
data: ／ ＼ ． 。 ： ＠ ſ ß ä % & = < '
""".split()
TOKENS_AND_BLANKS = [*TOKENS, "\t", "\n", "\r", "\0", " ", "\u200d", "\ud800"]
ADDRESSES = st.lists(st.sampled_from(TOKENS_AND_BLANKS), max_size=9).map("".join) | st.text(max_size=40)
SAFE = set(string.ascii_letters + string.digits + "/?#[]@!$&'()*+,;=:%-._~")


@settings(max_examples=2000, deadline=None)
@given(ADDRESSES)
@example("/.//evil")
@example("/\\evil")
def test_whatever_is_returned_leads_to_an_allowed_origin_in_every_reader(value: str) -> None:
    """S55, S58."""
    kept = target(value)
    if kept is None:
        return
    joined = urlsplit(urljoin(BASE, kept))
    assert f"{joined.scheme}://{joined.netloc}" in ALLOWED
    assert browser_origin(kept) in ALLOWED
    assert browser_origin(joined.path) in ALLOWED  # and once more by whoever redirects to the path alone
    assert set(kept) <= SAFE
    assert len(kept) <= MAX_TARGET
    assert target(kept) == kept


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(deadline=None)
def test_a_kept_path_means_what_was_sent(text: str) -> None:
    kept = target(f"/x?q={text}")
    if kept is not None:
        assert unquote_to_bytes(kept) == unquote_to_bytes(f"/x?q={text}")


@pytest.mark.parametrize(
    "value", ["//evil", "/\\evil", "https:evil", "https:/evil", "/\t/evil", "https://good@evil", "\\/evil"]
)
def test_the_reader_of_these_tests_knows_what_browsers_do(value: str) -> None:
    expected = "https://good.example" if value in {"https:evil", "https:/evil"} else "https://evil"
    assert browser_origin(value) == expected
