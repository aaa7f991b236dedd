"""Redirects: where a visitor may be sent on to. Every address in a request goes through `safe_target`."""

import re
import unicodedata
from collections.abc import Collection
from urllib.parse import quote

from powauth.csrf import origin_of, written_origin

MAX_TARGET = 2048  # characters; what a hidden field takes, and less than every browser and proxy does

_ABSOLUTE = re.compile(
    r"(https?)://([a-z0-9._-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?((?:[/?#].*)?)", re.ASCII | re.IGNORECASE
)
_UNRESERVED = "/?#[]@!$&'()*+,;=:%-._~"  # RFC 3986 §2.2 and §2.3, and what is encoded already

_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?=[/;]|\Z)", re.IGNORECASE)
_HIDDEN = re.compile(r"%(?:[01][0-9a-f]|7f|2f|5c)", re.IGNORECASE)  # encoded control characters, slash, backslash


def safe_target(value: object, *, base_url: str, origins: Collection[str]) -> str | None:
    r"""Return a path on this site, or an absolute address of it or of `origins`, fit for a Location header, or `None`.

    `origins` are as `origin_of` returns them. What readers of addresses disagree about is refused, not mended:
    backslashes, control characters, dot segments, user names, odd ports, numbers for hosts.

    >>> safe_target("/me?tab=süß#top", base_url="https://example.com/auth", origins=())
    '/me?tab=s%C3%BC%C3%9F#top'
    >>> safe_target("/\\evil.example", base_url="https://example.com/auth", origins=())
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TARGET:
        return None
    if "\\" in value or not value.isprintable() or value != value.strip():
        return None
    target = _on_this_site(value) if value.startswith("/") else _elsewhere(value, base_url, origins)
    return target if target and len(target) <= MAX_TARGET else None


def _on_this_site(value: str) -> str | None:
    """Return path, query and fragment, encoded, or `None` if somebody could read a host into them."""
    path = re.split(r"[?#]", value, maxsplit=1)[0]
    # Folded too: wide slashes and dots are harmless in a browser, and not in what folds before it redirects.
    if not _is_plain(path) or not _is_plain(unicodedata.normalize("NFKC", path)):
        return None
    return quote(value, safe=_UNRESERVED)


def _is_plain(path: str) -> bool:
    return not (path.startswith("//") or "\\" in path or _DOT_SEGMENT.search(path) or _HIDDEN.search(path))


def _elsewhere(value: str, base_url: str, origins: Collection[str]) -> str | None:
    found = _ABSOLUTE.fullmatch(value)
    if not found:
        return None
    origin, rest = written_origin(found[1], found[2], found[3]), found[4]
    if origin != origin_of(base_url) and not any(origin == allowed for allowed in origins):
        return None
    path = _on_this_site(rest if rest.startswith("/") else f"/{rest}")
    return f"{origin}{path}" if path else None
