"""LinkedIn, by OpenID Connect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import ClientAuthentication, OpenIDConnect
from powauth.oauth.reading import as_object


@dataclass(frozen=True, kw_only=True)
class LinkedIn(OpenIDConnect):
    """LinkedIn. `LinkedIn(client_id=…, client_secret=…)`."""

    name: str = "linkedin"
    issuer: str = "https://www.linkedin.com/oauth"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("profile", "email")
    nonce: bool = False  # no claim of LinkedIn's gives it back; PKCE binds the code

    def token_answer(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the tokens with their kind, which LinkedIn may leave out, and scopes between which stand commas."""
        scope = answer.get("scope")
        scopes = {"scope": scope.replace(",", " ")} if isinstance(scope, str) else {}
        return {"token_type": "Bearer", **answer, **scopes}

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return LinkedIn's words in those of OpenID Connect: a language and a country in one."""
        locale = as_object(raw.get("locale"))
        if locale is None:
            return raw
        return {**raw, "locale": "-".join(filter(None, (locale.get("language"), locale.get("country"))))}
