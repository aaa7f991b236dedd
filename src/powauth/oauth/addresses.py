"""Addresses that a browser is sent to: ours with a parameter more, and theirs that lead back."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from powauth.oauth.guard import address_problem, is_this_machine
from powauth.oauth.ports import Network


def with_query(url: str, params: Mapping[str, str]) -> str:
    """Return an address with these parameters; what it has of the same names goes, the rest stays."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in params]
    return urlunsplit(parts._replace(query=urlencode([*kept, *params.items()])))


def return_problem(url: str) -> str | None:
    """Return why a provider cannot send a browser back to this address, or `None`."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "not an address"
    network = Network.LOOPBACK if is_this_machine(host) else Network.PRIVATE
    return address_problem(url, network)
