"""Twitch, by OpenID Connect: it says nothing that it is not asked for by name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from powauth.oauth import ClientAuthentication, OpenIDConnect
from powauth.oauth.reading import as_list

WANTED = json.dumps({"id_token": dict.fromkeys(("email", "email_verified", "picture", "preferred_username"))})


@dataclass(frozen=True, kw_only=True)
class Twitch(OpenIDConnect):
    """Twitch. `Twitch(client_id=…, client_secret=…)`."""

    name: str = "twitch"
    issuer: str = "https://id.twitch.tv/oauth2"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("user:read:email",)
    authorize_params: Mapping[str, str] = field(default_factory=lambda: {"claims": WANTED}, hash=False)
    asks_userinfo: bool = False  # the ID token says it all

    def token_answer(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the tokens with the scopes as the standard has them: Twitch makes a list of them."""
        scope = as_list(answer.get("scope"))
        return {**answer, "scope": " ".join(scope)} if scope is not None else answer
