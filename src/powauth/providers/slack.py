"""Slack, by OpenID Connect ("Sign in with Slack")."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powauth.oauth import Ask, BadToken, ClientAuthentication, Flow, OpenIDConnect, Reason

TEAM = "https://slack.com/team_id"


@dataclass(frozen=True, kw_only=True)
class Slack(OpenIDConnect):
    """Slack. `Slack(client_id=…, client_secret=…)`."""

    name: str = "slack"
    issuer: str = "https://slack.com"
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    scopes: tuple[str, ...] = ("email", "profile")
    asks_userinfo: bool = False  # the ID token says it all
    team: str | None = None
    """The id of a workspace whose people alone are let in, as `T0123`."""

    def parameters(self, flow: Flow, ask: Ask) -> dict[str, str]:
        """Return the parameters of the protocol, and which workspace Slack shall offer."""
        return {**super().parameters(flow, ask), **({"team": self.team} if self.team else {})}

    def check_claims(self, claims: Mapping[str, Any]) -> None:
        """Refuse whoever is not of the workspace: what was asked for passed a browser, the claim is signed."""
        if self.team is not None and claims.get(TEAM) != self.team:
            raise BadToken(Reason.TENANT)
