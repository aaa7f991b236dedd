"""Client: the one application that the demo's own provider knows, which is the demo."""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from powauth.oauth import Network, OpenIDConnect
from powauth.oauth.guard import is_this_machine

PREFIX = "/provider"
NAME = "demo"


@dataclass(frozen=True, kw_only=True)
class Client:
    """What the provider and the demo know of each other."""

    origin: str
    """Of the demo, and of the provider inside it."""
    redirect_uri: str
    """The only address that browsers are sent back to."""
    id: str = "powauth-demo"
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """Another one at each start: no other application can be configured with it."""

    @property
    def issuer(self) -> str:
        """Who vouches."""
        return self.origin + PREFIX

    def as_provider(self) -> OpenIDConnect:
        """Return the provider as the demo configures it; with any other one this is all there would be."""
        return OpenIDConnect(
            name=NAME,
            title="Demo provider",
            issuer=self.issuer,
            client_id=self.id,
            client_secret=self.secret,
            scopes=("profile", "email"),
            network=Network.LOOPBACK,  # it is on this machine, which no provider is allowed to be without a word
        )


def client_of(base_url: str) -> Client | None:
    """Return what a demo at this address tells its provider; `None` where it is not on this machine alone."""
    parts = urlsplit(base_url)
    if not is_this_machine(parts.hostname or ""):
        return None
    origin = f"{parts.scheme}://{parts.netloc}"
    return Client(origin=origin, redirect_uri=f"{base_url}/providers/{NAME}/callback")
