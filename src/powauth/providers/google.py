"""Google, by OpenID Connect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import Ask, BadToken, ClientAuthentication, Flow, OpenIDConnect, Reason

ANY_DOMAIN = "*"


@dataclass(frozen=True, kw_only=True)
class Google(OpenIDConnect):
    """Google. `Google(client_id=…, client_secret=…)`."""

    name: str = "google"
    issuer: str = "https://accounts.google.com"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("email", "profile")
    asks_userinfo: bool = False  # the ID token says it all
    hosted_domain: str | None = None
    """The domain of an organisation whose people alone are let in, as `example.com`; `*` for any organisation."""

    def parameters(self, flow: Flow, ask: Ask) -> dict[str, str]:
        """Return the parameters of the protocol, and which accounts Google shall offer."""
        domain = {"hd": self.hosted_domain} if self.hosted_domain else {}
        return {**super().parameters(flow, ask), **domain}

    def check_claims(self, claims: Mapping[str, Any]) -> None:
        """Refuse whoever is not of the organisation: what was asked for passed a browser, the claim is signed."""
        if self.hosted_domain is None:
            return
        domain = claims.get("hd")
        is_any = self.hosted_domain == ANY_DOMAIN and isinstance(domain, str) and bool(domain)
        if not is_any and domain != self.hosted_domain:
            raise BadToken(Reason.HOSTED_DOMAIN)
