"""What a flow needs of the world: somebody who asks over HTTP, somebody who signs and verifies. Two small ports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Network(StrEnum):
    """Which addresses a provider may have. The author of the application says it, never a tenant."""

    PUBLIC = "public"
    """https, and only addresses of the open internet, whoever wrote the name."""
    PRIVATE = "private"
    """https, wherever the name leads: for a provider of one's own in one's own network."""
    LOOPBACK = "loopback"
    """As PUBLIC, and this very machine besides, also without TLS: for development and tests."""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """What is asked. Its address may be shown; headers and body hold secrets."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    network: Network = Network.PUBLIC


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """What was answered: header names in lower case, the body whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """The essence of the Content-Type, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Http(Protocol):
    """Somebody who asks over HTTP."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Ask once and return the answer, whatever its status.

        Redirects are not followed, cookies not kept, proxies and passwords not taken from the environment. Time and
        size are bounded, the address passed `powauth.oauth.guard.admit` and is the one connected to.
        Raises `Unreachable`, `TooSlow`, `TooBig` or `ForbiddenAddress`.
        """
        ...


Jwk = Mapping[str, object]


class Jose(Protocol):
    """Somebody who signs and verifies. Algorithm and keys come from the caller, never from a token."""

    def sign(
        self, claims: Mapping[str, object], *, algorithm: str, key: str | Jwk, header: Mapping[str, str] | None = None
    ) -> str:
        """Return a signed token in its compact form. A key as text is PEM, or for HS256 and its kin the secret."""
        ...

    def verify(self, token: str, *, algorithm: str, key: str | Jwk) -> bytes | None:
        """Return what was signed, or `None` if this key did not sign it with this algorithm."""
        ...

    def rsa_sha1(self, message: bytes, *, key: str) -> bytes:
        """Return the RSASSA-PKCS1-v1_5 signature with SHA-1 of OAuth 1.0a (RFC 5849 §3.4.3), the key as PEM."""
        ...


@dataclass(frozen=True)
class PrivateKey:
    """A key that this application signs with. `id` is what the provider knows it by."""

    pem: str | None = field(default=None, repr=False)
    """The key as PEM (PKCS #8)."""
    jwk: Jwk | None = field(default=None, repr=False, hash=False)
    """Or as JWK."""
    id: str | None = None
    algorithm: str = "RS256"

    @property
    def value(self) -> str | Jwk:
        """The key itself."""
        return self.pem if self.pem is not None else self.jwk or ""
