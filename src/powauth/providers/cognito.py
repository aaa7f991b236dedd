"""User pools of Amazon Cognito, by OpenID Connect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import BadToken, OpenIDConnect, Reason

_ISSUER = re.compile(r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[A-Za-z0-9-]+_[A-Za-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Cognito(OpenIDConnect):
    """Cognito. `Cognito(issuer="https://cognito-idp.REGION.amazonaws.com/POOL", client_id=…, client_secret=…)`."""

    name: str = "cognito"
    scopes: tuple[str, ...] = ("email", "profile")

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        if not _ISSUER.fullmatch(self.issuer):
            wanted = "https://cognito-idp.REGION.amazonaws.com/POOL, and not the domain of the sign-in pages"
            return (*super().problems(), f"{self.name}: issuer: that of a user pool is {wanted}")
        return super().problems()

    def check_claims(self, claims: Mapping[str, Any]) -> None:
        """Refuse Cognito's access tokens, which the same keys sign."""
        if claims.get("token_use") != "id":
            raise BadToken(Reason.TYPE, "token_use")
