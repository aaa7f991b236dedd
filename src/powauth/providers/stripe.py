"""Stripe Connect, by OAuth 2.0: who signs in is an account of a business."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import BadToken, ClientAuthentication, OAuth2, Reason, Tokens, Tools


@dataclass(frozen=True, kw_only=True)
class StripeConnect(OAuth2):
    """Stripe Connect. `StripeConnect(client_id="ca_…", client_secret="sk_…")`.

    Express accounts: `authorization_endpoint="https://connect.stripe.com/express/oauth/authorize"`.
    """

    name: str = "stripe"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    authorization_endpoint: str = "https://connect.stripe.com/oauth/authorize"
    token_endpoint: str = "https://connect.stripe.com/oauth/token"
    userinfo_endpoint: str = "https://api.stripe.com/v1/account"
    issuer: str = "https://connect.stripe.com"

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return the account, which has to be the one that the token was given for."""
        account = await super().userinfo(tools, tokens)
        if account.get("id") != tokens.raw.get("stripe_user_id"):
            raise BadToken(Reason.SUBJECT)
        return account

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return Stripe's words in those of OpenID Connect. Whether the address is proved, it does not say."""
        return {"sub": raw["id"], "email": raw.get("email")}
