"""Where a request comes from. S44: the key of a limit is a canonical address, read only through configured proxies."""

# ruff: noqa: RUF001  (look-alikes are the matter here)

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powauth.clients import client_address, device_name, limit_key
from powauth.http import RawRequest

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("127.0.0.1/32")]


def address(peer: str, *forwarded: str, name: str = "x-forwarded-for") -> str:
    raw = RawRequest("GET", "/", headers=tuple((name, value) for value in forwarded), client=peer)
    return client_address(raw, PROXIES)


def test_without_proxies_the_address_is_the_peer_s_whatever_it_claims() -> None:
    """S44."""
    raw = RawRequest("GET", "/", headers=(("x-forwarded-for", "192.0.2.9"),), client="198.51.100.7")
    assert client_address(raw, []) == "198.51.100.7"


def test_a_peer_that_is_no_proxy_is_not_believed() -> None:
    """S44."""
    assert address("198.51.100.7", "192.0.2.9") == "198.51.100.7"


CHAINS = {
    ("10.0.0.1", "192.0.2.9"): "192.0.2.9",
    ("10.0.0.1", "203.0.113.1, 192.0.2.9"): "192.0.2.9",  # what stands to the left, anybody may have written
    ("10.0.0.1", "203.0.113.1, 192.0.2.9, 10.0.0.2"): "192.0.2.9",
    ("10.0.0.1", "203.0.113.1", "192.0.2.9,10.0.0.2"): "192.0.2.9",  # several headers are one list
    ("10.0.0.1", "10.0.0.3, 192.0.2.9, 10.0.0.2"): "192.0.2.9",
    ("10.0.0.1", "garbage, 192.0.2.9"): "192.0.2.9",
    ("10.0.0.1", "10.0.0.3, 10.0.0.2"): "10.0.0.3",
    ("10.0.0.1",): "10.0.0.1",
    ("::ffff:10.0.0.1", "192.0.2.9"): "192.0.2.9",
    ("10.0.0.1", "::ffff:192.0.2.9"): "192.0.2.9",
    ("10.0.0.1", "192.0.2.9, ::ffff:10.0.0.2"): "192.0.2.9",
    ("fd00::1", "2001:DB8:0:0::9"): "2001:db8::9",
    ("10.0.0.1", "192.0.2.9:4711"): "192.0.2.9",
    ("10.0.0.1", "[2001:db8::9]:4711"): "2001:db8::9",
    ("10.0.0.1", "[2001:db8::9]"): "2001:db8::9",
    ("10.0.0.1", "fe80::1%eth0"): "fe80::1",
    ("fe80::1%eth0", "192.0.2.9"): "fe80::1",
}


@pytest.mark.parametrize(("chain", "expected"), CHAINS.items())
def test_behind_proxies_it_is_the_last_address_that_is_none_of_theirs(chain: tuple[str, ...], expected: str) -> None:
    """S44."""
    assert address(*chain) == expected


MALFORMED = [
    "", ",", "192.0.2.9,", "unknown", "_hidden", "192.0.2", "192.0.2.9.1", "192.0.2.256", "010.0.0.1", "0x7f.1",
    "1", "192.0.2.9:", "192.0.2.9:x", "192.0.2.9:123456", "192.0.2.9 x", "[2001:db8::9", "2001:db8::9]", "[]",
    "[::1]x", "for=192.0.2.9", '"192.0.2.9"', "192.0.2.9/32", "１９２.0.2.9", "١٩٢.0.2.9", "1" * 9000, "192.0.2.9\0",
    "x, 10.0.0.2",
]  # fmt: skip


@pytest.mark.parametrize("value", MALFORMED)
def test_what_is_no_address_counts_as_the_peer_s(value: str) -> None:
    """S44, S58."""
    assert address("10.0.0.1", value) == "10.0.0.1"


@pytest.mark.parametrize(
    "name", ["forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip", "host"]
)
def test_no_other_header_is_read(name: str) -> None:
    """S44, S56."""
    assert address("10.0.0.1", "192.0.2.9", name=name) == "10.0.0.1"


@pytest.mark.parametrize("peer", ["", "testclient", "unix:", "/run/app.sock"])
def test_a_peer_without_an_address_is_not_believed(peer: str) -> None:
    assert address(peer, "192.0.2.9") == peer


KEYS = {
    "192.0.2.9": "192.0.2.9",
    "::ffff:192.0.2.9": "192.0.2.9",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:DB8:1:2::": "2001:db8:1:2::/64",
    "2001:db8:1:3::": "2001:db8:1:3::/64",
    "::1": "::/64",
    "fe80::1%eth0": "fe80::/64",
    "testclient": "testclient",
    "": "",
}


@pytest.mark.parametrize(("value", "key"), KEYS.items())
def test_limits_count_ipv6_by_64_bits_and_all_else_whole(value: str, key: str) -> None:
    """S44: one customer has 2⁶⁴ addresses."""
    assert limit_key(value) == key


@given(st.ip_addresses() | st.ip_addresses(v=6).map(lambda found: ip_address(int(found) & (2**48 - 1))))
@settings(deadline=None)
def test_every_spelling_of_an_address_has_one_key(found: object) -> None:
    """S44."""
    one = ip_address(str(found))
    spellings = {str(one), one.exploded, one.exploded.upper(), address(str(one)), address("10.0.0.1", one.exploded)}
    assert len({limit_key(spelling) for spelling in spellings}) == 1


@given(
    st.text(max_size=40) | st.just("x" * 999),
    st.lists(st.text() | st.from_regex(r"[0-9a-f:.%\[\], ]{0,40}"), max_size=3),
)
@settings(deadline=None)
def test_no_header_raises_or_makes_an_address_longer_than_one(peer: str, forwarded: list[str]) -> None:
    """S58."""
    for found in (address(peer, *forwarded), address("10.0.0.1", *forwarded)):
        assert len(found) <= 64
        assert len(limit_key(found)) <= 64


# ---- devices ----

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IOS = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36"
ANDROID = f"Mozilla/5.0 (Linux; Android 14; SM-S911B) {WEBKIT}"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {IOS}"
AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0": "Firefox on Windows",
    "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0": "Firefox on Android",
    WINDOWS: "Chrome on Windows",
    f"{WINDOWS} Edg/140.0.0.0": "Edge on Windows",
    f"{WINDOWS} OPR/120.0.0.0": "Opera on Windows",
    f"{WINDOWS} Vivaldi/7.0": "Vivaldi on Windows",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36": "Chrome on ChromeOS",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/140.0.0.0 Safari/537.36": "Chrome on Linux",
    f"{ANDROID} Chrome/140.0.0.0 Mobile Safari/537.36": "Chrome on Android",
    f"{ANDROID} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    f"{IPHONE} CriOS/140.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    f"{IPHONE} FxiOS/128.0 Mobile/15E148 Safari/605.1.15": "Firefox on iPhone",
    f"{IPHONE} EdgiOS/140.0 Version/17.0 Mobile/15E148 Safari/604.1": "Edge on iPhone",
    f"{IPHONE} Mobile/15E148": "iPhone",
    f"Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) {IOS} Version/16.6 Mobile/15E148 Safari/604.1": "Safari on iPad",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {IOS} Version/17.5 Safari/605.1.15": "Safari on macOS",
    "curl/8.5.0": "curl",
    "python-httpx/0.27.0": "Python",
    "python-requests/2.32.0": "Python",
    "Python/3.12 aiohttp/3.9": "Python",
    "okhttp/4.12.0": "okhttp",
    "Mozilla/5.0": "Unknown device",
    "": "Unknown device",
    "<script>alert(1)</script>": "Unknown device",
}


@pytest.mark.parametrize(("agent", "name"), AGENTS.items())
def test_a_device_is_named_as_its_owner_would(agent: str, name: str) -> None:
    assert device_name(agent) == name


@given(st.text() | st.lists(st.sampled_from([*AGENTS, "\0", "\ud800", " on "]), max_size=9).map("".join))
@settings(deadline=None)
def test_a_device_s_name_is_short_and_holds_no_word_of_the_client_s(agent: str) -> None:
    """S58."""
    name = device_name(agent)
    assert len(name) <= 40
    assert name.isascii()
    assert name.replace(" ", "").isalpha()


def test_a_very_long_agent_costs_no_more_than_its_beginning() -> None:
    assert device_name("x" * 10_000_000 + "Firefox/1 Linux") == "Unknown device"
