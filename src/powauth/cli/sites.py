"""Whether two origins are one site to a browser: then cookies with SameSite=Lax go along."""

from ipaddress import ip_address
from urllib.parse import urlsplit

GENERIC = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})
"""What countries put before their own domain: co.uk is nobody's site."""


def is_same_site(left: str, right: str) -> bool:
    """Say whether two origins are schemefully the same site (RFC 6265bis §5.2). In doubt they are not.

    Browsers ask the public suffix list, which is not here: a parent of two labels counts as a site, except such as
    co.uk. Hosting under a shared domain, such as github.io, is taken for one site.

    >>> is_same_site("https://example.com", "https://app.example.com")
    True
    >>> is_same_site("https://a.co.uk", "https://b.co.uk")
    False
    """
    one, other = urlsplit(left), urlsplit(right)
    if one.scheme != other.scheme:
        return False
    return site_of(one.hostname or "") == site_of(other.hostname or "")


def site_of(host: str) -> str:
    """Return the registrable domain of a host, or the host where it has none."""
    labels = host.split(".")
    if _is_address(host) or len(labels) < 2:
        return host
    is_national = len(labels[-1]) == 2 and labels[-2] in GENERIC
    return ".".join(labels[-3:] if is_national else labels[-2:])


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
