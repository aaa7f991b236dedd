"""Okta, by OpenID Connect."""

from dataclasses import dataclass

from powauth.oauth import OpenIDConnect


@dataclass(frozen=True, kw_only=True)
class Okta(OpenIDConnect):
    """Okta. `Okta(issuer="https://acme.okta.com/oauth2/default", client_id=…, client_secret=…)`.

    The issuer is that of an authorization server, or `https://acme.okta.com` for the organisation's own.
    """

    name: str = "okta"
    scopes: tuple[str, ...] = ("email", "profile")
