"""Cross-site requests: who may ask for a change, by Sec-Fetch-Site and Origin. The Host header is never asked."""

import re
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from powauth.bodies import JSON, essence
from powauth.errors import ConfigurationError, CrossSite
from powauth.http import RawRequest

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def check(raw: RawRequest, *, base_origin: str, origins: Collection[str], has_bearer: bool) -> None:
    """Raise `CrossSite` unless the request is safe, or comes from this site or one of `origins`.

    Origins are as `origin_of` returns them. `has_bearer`: it carries `Authorization: Bearer`, and no cookie counts.
    A browser tells where a request comes from; a program that tells nothing must show that no HTML form sent it.
    """
    if not raw.is_unsafe:
        return
    site, origin = _only(raw, "sec-fetch-site"), _only(raw, "origin")
    if origin == "null":  # a sandboxed frame, a data: address; or a page of ours with Referrer-Policy: no-referrer
        passes = site == "same-origin"
    elif site in {"same-origin", "none"}:
        passes = True
    elif site is not None:
        passes = _is_listed(origin, origins) or _is_twin(origin, base_origin)
    elif origin is not None:
        passes = _is_ours(origin, base_origin, origins)
    else:  # other sites send JSON only after asking first (Fetch, "CORS-preflight"), and that we grant to `origins`
        passes = has_bearer or essence(raw) == JSON
    if not passes:
        raise CrossSite


def check_socket(raw: RawRequest, *, base_origin: str, origins: Collection[str]) -> None:
    """Raise `CrossSite` unless a WebSocket handshake names this site or one of `origins`: ask it of all with a cookie.

    Browsers open sockets to every site, cookies included, without asking first (RFC 6455 §10.2).
    """
    origin = _only(raw, "origin")
    if origin is None or not _is_ours(origin, base_origin, origins):
        raise CrossSite


def _only(raw: RawRequest, name: str) -> str | None:
    values = raw.header_values(name)
    if len(values) > 1:  # proxies and servers disagree about which one counts
        raise CrossSite
    return values[0] if values else None


def _is_ours(origin: str, base_origin: str, origins: Collection[str]) -> bool:
    return origin == base_origin or _is_listed(origin, origins) or _is_twin(origin, base_origin)


def _is_listed(origin: str | None, origins: Collection[str]) -> bool:
    # Compared one by one: `in` would look for a part of the text if somebody gave a single str.
    return origin != "null" and any(origin == allowed for allowed in origins)


def _is_twin(origin: str | None, base_origin: str) -> bool:
    return origin in _loopback_twins(base_origin)


@lru_cache(maxsize=1024)
def _loopback_twins(base_origin: str) -> frozenset[str]:
    """Return the origins under which a browser on this machine may have opened the same server, port included."""
    scheme, _, rest = base_origin.partition("://")
    for name in _LOOPBACK:
        if rest == name or rest.startswith(f"{name}:"):
            return frozenset(f"{scheme}://{twin}{rest.removeprefix(name)}" for twin in _LOOPBACK)
    return frozenset()


_ADDRESS = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[^\s/?#@:\\%\[\]]+)(?::([1-9][0-9]{0,4}))?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE,  # ASCII: without it a long s would stand for an s
)
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)  # URL standard, "ends in a number checker"


@lru_cache(maxsize=1024)
def origin_of(url: str) -> str:
    """Return the origin of a configured address as a browser writes it. Raises `ConfigurationError`.

    >>> origin_of("HTTPS://Bücher.example:443/auth")
    'https://xn--bcher-kva.example'
    """
    found = _ADDRESS.fullmatch(url)
    with suppress(ValueError):
        if found and int(found[3] or 0) <= 65535:
            return written_origin(found[1], _host(found[2]), found[3])
    raise ConfigurationError(f"{url!r} is no address of a site: write it like https://example.com")


def written_origin(scheme: str, host: str, port: str | None) -> str:
    """Return an origin in lower case, without the port that its scheme implies."""
    scheme = scheme.lower()
    return f"{scheme}://{host.lower()}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def _host(written: str) -> str:
    if written.startswith("["):
        return f"[{IPv6Address(written[1:-1]).compressed}]"
    name = written.lower() if written.isascii() else _idna(written)
    if _ENDS_IN_NUMBER.fullmatch(name):  # browsers read 0x7f.1 as an address; only one spelling is ours
        return str(IPv4Address(name))
    if not _NAME.fullmatch(name):
        raise ValueError(name)
    return name


def _idna(written: str) -> str:
    """Return the ASCII form of a host. Raises `ValueError` where IDNA 2003, which we have, and a browser may differ."""
    name = written.encode("idna").decode("ascii").lower()
    if name.encode("ascii").decode("idna") != unicodedata.normalize("NFC", written.lower()):  # ß, ς, wide letters
        raise ValueError(written)
    return name
