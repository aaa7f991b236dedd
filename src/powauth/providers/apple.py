"""Apple, by OpenID Connect: with a form that comes back, a secret that is signed, and a name that is told once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from powauth.oauth import Callback, ClientAuthentication, Malformed, OpenIDConnect, PrivateKey, Tools
from powauth.oauth.client_authentication import Client
from powauth.oauth.flow import ResponseMode
from powauth.oauth.reading import as_object, read_object

SECRET_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Apple(OpenIDConnect):
    """Apple. `Apple(client_id=…, team_id=…, private_key=PrivateKey(pem, id="K1"))`: its algorithm is always ES256."""

    name: str = "apple"
    issuer: str = "https://appleid.apple.com"
    team_id: str
    """The team that the key belongs to."""
    client_authentication: ClientAuthentication = ClientAuthentication.POST
    private_key: PrivateKey | None = field(default=None, repr=False)
    """The key from Apple's pages for developers: PEM and id."""
    scopes: tuple[str, ...] = ("name", "email")
    response_mode: ResponseMode = "form_post"  # Apple gives name and address no other way
    asks_userinfo: bool = False  # there is none

    base_scopes: ClassVar[tuple[str, ...]] = ()  # Apple knows two scopes, and signs without being asked

    def secret(self, tools: Tools) -> str | None:
        """Return a secret for one request: a token that the team's key signs."""
        key = self.private_key or PrivateKey()
        now = int(tools.now().timestamp())
        ends = now + int(SECRET_LIFETIME.total_seconds())
        claims = {"iss": self.team_id, "sub": self.client_id, "aud": self.issuer, "iat": now, "exp": ends}
        return tools.jose.sign(claims, algorithm="ES256", key=key.value, header={"kid": key.id or ""})

    def client(self, tools: Tools | None) -> Client:
        """Return who the application is to Apple; before there are tools, with a stand-in for the secret."""
        if tools is not None:
            return super().client(tools)
        return Client(id=self.client_id, by=self.client_authentication, secret="signed when it is needed")

    def problems(self) -> tuple[str, ...]:
        """Return what is missing or unsafe, a sentence each."""
        found = [*super().problems()]
        if not self.team_id:
            found.append("apple: team_id is missing: it stands in the corner of Apple's pages for developers")
        if self.private_key is None or not self.private_key.value or not self.private_key.id:
            found.append("apple: private_key is missing: PrivateKey(pem, id=…), from Apple's pages for developers")
        return tuple(found)

    def from_browser(self, callback: Callback) -> Mapping[str, object]:
        """Return the name, which Apple tells once, through the browser and unsigned. An address there is not read."""
        text = callback.get("user")
        if text is None:
            return {}
        try:
            name = as_object(read_object(text.encode(), "user").get("name")) or {}
        except (Malformed, UnicodeError):
            return {}
        given, family = (_short(name.get(part)) for part in ("firstName", "lastName"))
        whole = " ".join(part for part in (given, family) if part)
        said = {"given_name": given, "family_name": family, "name": whole or None}
        return {claim: value for claim, value in said.items() if value}


def _short(value: object) -> str | None:
    return value[:200] if isinstance(value, str) else None
