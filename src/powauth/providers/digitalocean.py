"""DigitalOcean, by OAuth 2.0 and its API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from powauth.oauth import ClientAuthentication, OAuth2

ASK_WHICH = {"prompt": "select_account"}  # a person has several teams, and a token is of one of them


@dataclass(frozen=True, kw_only=True)
class DigitalOcean(OAuth2):
    """DigitalOcean. `DigitalOcean(client_id=…, client_secret=…)`; `read` is all it asks for."""

    name: str = "digitalocean"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("read",)
    authorize_params: Mapping[str, str] = field(default_factory=ASK_WHICH.copy, hash=False)
    authorization_endpoint: str = "https://cloud.digitalocean.com/v1/oauth/authorize"
    token_endpoint: str = "https://cloud.digitalocean.com/v1/oauth/token"
    userinfo_endpoint: str = "https://api.digitalocean.com/v2/account"
    issuer: str = "https://cloud.digitalocean.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return DigitalOcean's words in those of OpenID Connect."""
        account = raw["account"]
        return {
            "sub": account["uuid"],
            "name": account.get("name"),
            "email": account.get("email"),
            "email_verified": account.get("email_verified"),
        }
