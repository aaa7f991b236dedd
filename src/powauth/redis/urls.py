"""Where a Redis is: a URL, read strictly, since a word that is passed over may be the one that was to protect."""

from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from powauth.errors import ConfigurationError
from powauth.services import is_this_machine

Kind = Literal["single", "sentinel", "cluster"]


class Address(NamedTuple):
    """Where a server listens; a socket in the file system has port 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def is_local(self) -> bool:
        """Say whether nothing leaves this machine on the way there."""
        return not self.port or is_this_machine(self.host)


@dataclass(frozen=True, slots=True)
class Login:
    """As whom a connection is made, and over what."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL says."""

    kind: Kind
    addresses: tuple[Address, ...]
    login: Login
    database: int = 0
    service: str = ""
    sentinel_login: Login = Login()

    def with_sentinel_login(self, username: str | None, password: str | None) -> "Target":
        """Return the same, and as whom Sentinels are asked: the primary's password is not for them."""
        return replace(self, sentinel_login=replace(self.login, username=username, password=password))


def read(url: str) -> Target:
    """Return what a URL says. Raises `ConfigurationError`, which never repeats it: it may hold a password.

    >>> read("redis+sentinel://one,two:26380/main/2").addresses
    (Address(host='one', port=26379), Address(host='two', port=26380))
    """
    try:
        parts = urlsplit(url)
        return _read(parts)
    except ValueError:
        raise ConfigurationError(f"RedisStore cannot read its URL: write it like {EXAMPLES}") from None


def _read(parts: SplitResult) -> Target:
    kind, tls = SCHEMES.get(parts.scheme, ("single", False))
    if parts.scheme not in SCHEMES.keys() | SOCKETS:
        raise ConfigurationError(f"RedisStore does not know {parts.scheme!r} in its URL: write it like {EXAMPLES}")
    userinfo, _, hosts = parts.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    login = Login(unquote(username) or None, unquote(password) or None, tls, **_options(parts.query, tls=tls))
    if parts.fragment or (login.username and login.password is None):
        raise ValueError
    if parts.scheme in SOCKETS:
        if hosts or not parts.path.startswith("/"):
            raise ValueError
        return Target("single", (Address(unquote(parts.path), 0),), login)
    default = 26379 if kind == "sentinel" else 6379
    addresses = tuple(_address(host, default) for host in hosts.split(","))
    path = [unquote(part) for part in parts.path.split("/")[1:] if part]
    service = path.pop(0) if kind == "sentinel" and path else ""
    _refuse(kind, addresses, service, path)
    return Target(kind, addresses, login, int(path[0]) if path else 0, service)


def _refuse(kind: Kind, addresses: tuple[Address, ...], service: str, path: list[str]) -> None:
    if kind == "single" and len(addresses) > 1:
        raise ConfigurationError("one server has one address: for several write redis+cluster:// or redis+sentinel://")
    if kind == "sentinel" and not service:
        raise ConfigurationError("Sentinel watches by name: write redis+sentinel://host,host,host/name-of-the-primary")
    if kind == "cluster" and path:
        raise ConfigurationError("a cluster has no numbered databases: leave the path of its URL away")
    if len(path) > 1 or any(not (part.isascii() and part.isdecimal()) for part in path):
        raise ValueError


def _address(text: str, default: int) -> Address:
    parts = urlsplit(f"//{text}")  # knows IPv6 in brackets, and ports
    if not parts.hostname or parts.path or parts.query or "@" in text:
        raise ValueError
    return Address(parts.hostname, parts.port or default)


def _options(query: str, *, tls: bool) -> dict[str, str]:
    found = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    if unknown := [name for name, _ in found if name not in OPTIONS]:
        raise ConfigurationError(f"RedisStore does not know {unknown[0]!r} in its URL: it knows {', '.join(OPTIONS)}")
    if found and not tls:
        raise ConfigurationError(f"{found[0][0]!r} in a URL without TLS: write rediss, with two s")
    return dict(found)


KINDS: dict[str, Kind] = {"": "single", "+sentinel": "sentinel", "+cluster": "cluster"}
SOCKETS = {"unix", "redis+unix", "valkey+unix"}
OPTIONS = ("ca", "certificate", "key")
SCHEMES: dict[str, tuple[Kind, bool]] = {
    f"{name}{tls}{ending}": (kind, bool(tls))
    for name in ("redis", "valkey")
    for tls in ("", "s")
    for ending, kind in KINDS.items()
}
EXAMPLES = (
    "rediss://user:password@host:6379/0, rediss+sentinel://user:password@host,host,host/name or"
    " rediss+cluster://user:password@host,host,host"
)
