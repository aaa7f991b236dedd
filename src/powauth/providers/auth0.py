"""Auth0, by OpenID Connect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from powauth.oauth import ClientAuthentication, OpenIDConnect


@dataclass(frozen=True, kw_only=True)
class Auth0(OpenIDConnect):
    """Auth0. `Auth0(issuer="https://acme.eu.auth0.com/", client_id=…, client_secret=…)`: the issuer ends with `/`."""

    name: str = "auth0"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("email", "profile")

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        if not self.issuer.endswith("/"):
            return (*super().problems(), f"{self.name}: issuer: Auth0 writes its own with / at the end")
        return super().problems()

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Auth0's words in those of OpenID Connect: it writes a time where the standard has a number."""
        changed = raw.get("updated_at")
        if not isinstance(changed, str):
            return raw
        return {**raw, "updated_at": int(datetime.fromisoformat(changed).timestamp())}
