"""Hosts: where a provider of one's own, or of a visitor's choice, stands."""

from urllib.parse import urlsplit


def origin(address: str) -> str:
    """Return the origin of a host in its one spelling. Raises `ValueError` for more than a host, and without https."""
    parts = urlsplit(address.strip())
    host, port = parts.hostname, parts.port
    beside = parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme != "https" or not host or beside or parts.password is not None:
        raise ValueError("not the address of a host: https:// and a name, nothing more")
    name = f"[{host}]" if ":" in host else host
    return f"https://{name}" if port in (None, 443) else f"https://{name}:{port}"
