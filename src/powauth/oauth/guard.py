"""The guard that every address passes before anybody is asked: no request of ours reaches what only we can reach (S52).

The name is resolved here, once, and what it resolved to is what is connected to: between check and use nothing can be
changed. An address of many spellings is refused in all but one.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from powauth.oauth.errors import ForbiddenAddress, Unreachable
from powauth.oauth.ports import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # the URL standard reads such names as IPv4
_PRINTABLE = re.compile(r"[!-~]+")

_LEADING_ELSEWHERE = tuple(  # to an IPv4 address that stands inside the IPv6 one: any, also that of a cloud's metadata
    ipaddress.ip_network(network)
    for network in (
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # RFC 8215
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
_METADATA = tuple(  # where clouds tell a machine its secrets, besides 169.254.169.254 and other link-local addresses
    ipaddress.ip_network(network)
    for network in ("168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128")
)
_NOT_PUBLIC = tuple(  # what `is_global` of some Pythons calls global
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "100::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


@dataclass(frozen=True)
class Admitted:
    """An address that may be asked, and what it resolved to."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query."""
    addresses: Sequence[str]
    """Where to connect, best first; nowhere else."""

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the machine's resolver orders them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def admit(url: str, network: Network, *, resolve: Resolve = resolve) -> Admitted:
    """Return where a request to this address goes. Raises `ForbiddenAddress`, or `Unreachable` for an unknown name."""
    if problem := address_problem(url, network):
        raise ForbiddenAddress(problem)
    parts = urlsplit(url)
    host = str(parts.hostname)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    addresses = await _addresses(host, port, resolve)
    may = _judge(host, network)
    if not addresses or not all(may(ipaddress.ip_address(address)) for address in addresses):
        raise ForbiddenAddress(f"{host} leads to an address that may not be asked")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Admitted(parts.scheme, host, port, target, addresses)


async def _addresses(host: str, port: int, resolve: Resolve) -> Sequence[str]:
    if literal := _literal(host):
        return [str(literal)]
    try:
        found = await resolve(host, port)
        return [str(ipaddress.ip_address(address)) for address in found if "%" not in address]
    except (OSError, UnicodeError, ValueError):
        raise Unreachable(f"{host}: no such name") from None


def _judge(host: str, network: Network) -> Callable[[Address], bool]:
    if network is Network.PRIVATE:
        return is_private_at_most
    if network is Network.LOOPBACK and is_this_machine(host):
        return is_loopback
    return is_public


def is_public(address: Address) -> bool:
    """Say whether an address is one of the open internet, and leads to none that is not."""
    if leads_elsewhere(address) or _is_in(address, (*_METADATA, *_NOT_PUBLIC)):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_private_at_most(address: Address) -> bool:
    """Say whether an address may be a machine's in one's own network: not where clouds tell a machine its secrets."""
    is_odd = address.is_link_local or address.is_unspecified or address.is_multicast
    return not (is_odd or leads_elsewhere(address) or _is_in(address, _METADATA))


def is_loopback(address: Address) -> bool:
    """Say whether an address is this machine's own."""
    return address.is_loopback and not leads_elsewhere(address)


def leads_elsewhere(address: Address) -> bool:
    """Say whether an address has another one inside, which then is asked."""
    return _is_in(address, _LEADING_ELSEWHERE) and address != ipaddress.IPv6Address("::1")


def _is_in(address: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def is_this_machine(host: str) -> bool:
    """Say whether a host is written as this machine."""
    literal = _literal(host)
    return is_loopback(literal) if literal else host == "localhost"


def address_problem(url: str, network: Network) -> str | None:
    """Return why an address cannot be used, in words that do not repeat its query, or `None`. Resolves nothing."""
    parts = _split(url)
    if parts is None:
        return "not an address"
    host = str(parts.hostname)
    if parts.username is not None or parts.password is not None:
        return "an address with a password in it"
    if parts.fragment or url.endswith("#"):
        return f"{host}: an address with a fragment"
    is_ours = network is Network.LOOPBACK and is_this_machine(host)
    if parts.scheme != "https" and not is_ours:
        return f"{host}: only https"
    if is_ours:
        return None
    if (literal := _literal(host)) is not None:
        may = is_private_at_most if network is Network.PRIVATE else is_public
        return None if may(literal) else f"{host}: not an address of the open internet"
    return None if network is Network.PRIVATE or "." in host else f"{host}: not a name of the open internet"


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address that all readers read alike."""
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    authority = parts.netloc.rpartition("@")[2]
    if parts.scheme not in {"https", "http"} or not host or port == 0 or authority.endswith(":"):
        return None
    return parts if _literal(host) or _is_name(host) else None


def _is_name(host: str) -> bool:
    return len(host) <= 253 and bool(_NAME.fullmatch(host)) and not _ENDS_IN_A_NUMBER.fullmatch(host)


def _literal(host: str) -> Address | None:
    """Return the address that a host is, in its usual spelling: no octal, no hexadecimal, no zone."""
    if "%" in host:
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
