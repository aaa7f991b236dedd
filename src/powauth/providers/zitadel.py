"""Zitadel, by OpenID Connect, without a secret."""

from dataclasses import dataclass

from powauth.oauth import ClientAuthentication, OpenIDConnect


@dataclass(frozen=True, kw_only=True)
class Zitadel(OpenIDConnect):
    """Zitadel. `Zitadel(issuer="https://acme.zitadel.cloud", client_id=…, trusted_audiences=("PROJECT",))`.

    Its ID tokens are also for the project of the application, whose id therefore stands in `trusted_audiences`.
    """

    name: str = "zitadel"
    client_authentication: ClientAuthentication = ClientAuthentication.NONE
    scopes: tuple[str, ...] = ("email", "profile")
