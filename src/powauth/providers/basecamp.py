"""Basecamp and what else 37signals makes, by OAuth 2.0."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from powauth.oauth import ClientAuthentication, OAuth2

WEB_SERVER = {"type": "web_server"}  # what this door understood before it knew the standard's parameters


@dataclass(frozen=True, kw_only=True)
class Basecamp(OAuth2):
    """Basecamp. `Basecamp(client_id=…, client_secret=…)`; the accounts are in `claims.extra["basecamp_accounts"]`."""

    name: str = "basecamp"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    authorize_params: Mapping[str, str] = field(default_factory=WEB_SERVER.copy, hash=False)
    token_params: Mapping[str, str] = field(default_factory=WEB_SERVER.copy, hash=False)
    authorization_endpoint: str = "https://launchpad.37signals.com/authorization/new"
    token_endpoint: str = "https://launchpad.37signals.com/authorization/token"
    userinfo_endpoint: str = "https://launchpad.37signals.com/authorization.json"
    issuer: str = "https://launchpad.37signals.com"

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Basecamp's words in those of OpenID Connect. Whether the address is proved, it does not say."""
        person = raw["identity"]
        names = (person.get("first_name"), person.get("last_name"))
        return {
            "sub": person["id"],
            "name": " ".join(filter(None, names)) or None,
            "given_name": names[0],
            "family_name": names[1],
            "email": person.get("email_address"),
            "basecamp_accounts": raw.get("accounts"),
        }
