"""Keycloak, by OpenID Connect: a realm is an issuer."""

from dataclasses import dataclass

from powauth.oauth import OpenIDConnect


@dataclass(frozen=True, kw_only=True)
class Keycloak(OpenIDConnect):
    """Keycloak. `Keycloak(issuer="https://sso.example.com/realms/staff", client_id=…, client_secret=…)`."""

    name: str = "keycloak"
    scopes: tuple[str, ...] = ("email", "profile")

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        if "/realms/" not in self.issuer:
            return (*super().problems(), f"{self.name}: issuer: that of a realm ends with /realms/ and its name")
        return super().problems()
