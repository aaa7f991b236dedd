"""Clients: the network address that a request came from, and what device it seems to be."""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from powauth.http import RawRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAX_NAME = 64  # characters of a peer that is no address; what a session's record keeps
UNKNOWN = "Unknown device"
_MAX_AGENT = 512  # characters; real ones have half

_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?", re.ASCII)


def client_address(raw: RawRequest, trusted_proxies: Sequence[Network]) -> str:
    """Return the client's address, canonical: the peer's, or behind trusted proxies the last that is none of them.

    Only X-Forwarded-For is read, and only when a trusted proxy hands it over; from the right, since everybody may
    write to its left. If what a proxy wrote is no address, it is the peer's. Forwarded (RFC 7239) is not read.
    """
    peer = _address(raw.client)
    if peer is None:  # a Unix socket, a test
        return raw.client[:_MAX_NAME]
    client = peer
    for hop in reversed(",".join(raw.header_values("x-forwarded-for")).split(",")):
        if not _is_trusted(client, trusted_proxies):
            break
        before = _address(_without_port(hop.strip(" \t")))
        if before is None:
            return str(peer)
        client = before
    return str(client)


def _is_trusted(address: Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies)


def _without_port(hop: str) -> str:
    found = _WITH_PORT.fullmatch(hop)  # as some proxies write it: 192.0.2.1:4711, [2001:db8::1]:4711
    return (found[1] or found[2]) if found else hop


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # the number only: a scope (`%eth0`) is our side's


def limit_key(address: str) -> str:
    """Return what limits count by: an IPv4 address, or the /64 of an IPv6 one, of which one customer has all."""
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, 64), strict=False))
    return str(found) if found else address[:_MAX_NAME]


# What stands in an agent's name, and what it means; the first that is found counts, as most claim to be others too.
_PROGRAMS = (
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("HTTPie/", "HTTPie"),
    ("PostmanRuntime/", "Postman"),
    ("python-", "Python"),
    ("Python/", "Python"),
    ("okhttp/", "okhttp"),
    ("Go-http-client/", "Go"),
)
_BROWSERS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """Return a guess that a person recognises: `Firefox on Linux`, `curl`, `Unknown device`. Only words of ours."""
    agent = user_agent[:_MAX_AGENT]
    program = _first(_PROGRAMS, agent)
    if program:
        return program
    browser, system = _first(_BROWSERS, agent), _first(_SYSTEMS, agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or UNKNOWN


def spoken_device(device: str, words: Callable[..., str]) -> str:
    """Return what `device_name` guessed in the words of a language, to be shown to people."""
    browser, _, system = device.partition(" on ")
    if browser in dict(_BROWSERS).values() and system in dict(_SYSTEMS).values():
        return words("device.named", browser=browser, system=system)
    return words("device.unknown") if device in {"", UNKNOWN} else device


def _first(known: Sequence[tuple[str, str]], agent: str) -> str | None:
    return next((name for mark, name in known if mark in agent), None)
