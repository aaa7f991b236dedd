"""LINE, by OpenID Connect: its tokens for websites are signed with the channel's secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import ClientAuthentication, OpenIDConnect


@dataclass(frozen=True, kw_only=True)
class LINE(OpenIDConnect):
    """LINE. `LINE(client_id=…, client_secret=…)`: the channel's id and secret."""

    name: str = "line"
    issuer: str = "https://access.line.me"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("profile", "email")
    id_token_algorithm: str = "HS256"
    asks_userinfo: bool = False  # the address is in the ID token alone

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return the claims. Whether the address is proved, LINE does not say."""
        return {name: value for name, value in raw.items() if name != "email_verified"}
