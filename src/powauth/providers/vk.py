"""VK, by OAuth 2.1 of VK ID: the device that comes back with the code goes along when it is exchanged."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from powauth.oauth import Callback, ClientAuthentication, Flow, HttpRequest, Identity, OAuth2, Tokens, Tools
from powauth.oauth.answers import read_resource
from powauth.oauth.code_flow import FORM


@dataclass(frozen=True, kw_only=True)
class VK(OAuth2):
    """VK. `VK(client_id=…)`: PKCE is the proof, there is no secret."""

    name: str = "vk"
    client_authentication: ClientAuthentication = ClientAuthentication.NONE
    scopes: tuple[str, ...] = ("email",)
    authorization_endpoint: str = "https://id.vk.com/authorize"
    token_endpoint: str = "https://id.vk.com/oauth2/auth"
    userinfo_endpoint: str = "https://id.vk.com/oauth2/user_info"
    issuer: str = "https://id.vk.com"

    async def complete(self, tools: Tools, flow: Flow, callback: Callback) -> Identity:
        """Return who came back."""
        device = {"device_id": callback.get("device_id") or ""}
        value = replace(self, token_params={**self.token_params, **device})
        return await OAuth2.complete(value, tools, flow, callback)

    async def userinfo(self, tools: Tools, tokens: Tokens) -> Mapping[str, Any]:
        """Return the person: VK takes the token in a form, and as this application's alone."""
        body = urlencode({"client_id": self.client_id, "access_token": tokens.access_token}).encode()
        request = HttpRequest(method="POST", url=self.userinfo_endpoint, headers=FORM, body=body, network=self.network)
        return read_resource(await tools.send(request), "userinfo")

    def normalise(self, raw: Mapping[str, Any]) -> Mapping[str, object]:
        """Return VK's words in those of OpenID Connect. `verified` speaks of the account, not of the address."""
        person = raw["user"]
        names = (person.get("first_name"), person.get("last_name"))
        return {
            "sub": person["user_id"],
            "name": " ".join(filter(None, names)) or None,
            "given_name": names[0],
            "family_name": names[1],
            "picture": person.get("avatar"),
            "email": person.get("email") or None,
        }
