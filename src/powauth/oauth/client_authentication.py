"""How an application proves to a provider that it is the client it says: five ways, one of them none."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote_plus

from powauth.oauth.keys import KINDS, SHARED
from powauth.oauth.pkce import random_value
from powauth.oauth.ports import Jose, PrivateKey

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2
ASSERTION_LIFETIME = timedelta(seconds=60)


class ClientAuthentication(StrEnum):
    """The ways, by their registered names (OpenID Connect Core §9)."""

    NONE = "none"
    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"
    PRIVATE_KEY_JWT = "private_key_jwt"


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who asks, and how it proves that."""

    id: str
    by: ClientAuthentication
    secret: str | None = field(default=None, repr=False)
    key: PrivateKey | None = field(default=None, repr=False)

    def problems(self) -> tuple[str, ...]:
        """Return what is missing, a sentence each."""
        found: list[str] = []
        if not self.id:
            found.append("client_id is missing: the provider gave it to you when you registered the application")
        needs_secret = self.by in {self.by.BASIC, self.by.POST, self.by.SECRET_JWT}
        if needs_secret and not self.secret:
            found.append(f"client_secret is missing: {self.by.value} needs it")
        if self.by is self.by.SECRET_JWT and self.secret and len(self.secret.encode()) < SHARED["HS256"]:
            found.append("client_secret is shorter than 32 bytes: too short to sign with")
        if self.by is self.by.PRIVATE_KEY_JWT:
            if self.key is None or not self.key.value:
                found.append("private_key is missing: private_key_jwt needs it")
            elif self.key.algorithm not in KINDS:
                found.append(f"private_key: {self.key.algorithm} is no algorithm of a private key")
        return tuple(found)


def prove(client: Client, *, audience: str, jose: Jose, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the fields that authenticate a request to a provider."""
    match client.by:
        case ClientAuthentication.BASIC:
            return {"authorization": _basic(client.id, client.secret or "")}, {}
        case ClientAuthentication.POST:
            return {}, {"client_id": client.id, "client_secret": client.secret or ""}
        case ClientAuthentication.NONE:
            return {}, {"client_id": client.id}
        case ClientAuthentication.SECRET_JWT | ClientAuthentication.PRIVATE_KEY_JWT:
            assertion = _signed(client, _assertion(client.id, audience, now), jose)
            return {}, {"client_id": client.id, "client_assertion_type": ASSERTION, "client_assertion": assertion}


def _signed(client: Client, claims: Mapping[str, object], jose: Jose) -> str:
    if client.by is ClientAuthentication.SECRET_JWT:
        return jose.sign(claims, algorithm="HS256", key=client.secret or "")
    key = client.key or PrivateKey()
    return jose.sign(claims, algorithm=key.algorithm, key=key.value, header={"kid": key.id} if key.id else {})


def _basic(id: str, secret: str) -> str:
    """Return the header, both halves form-encoded first (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def _assertion(id: str, audience: str, now: datetime) -> Mapping[str, object]:
    issued = int(now.timestamp())
    ends = issued + int(ASSERTION_LIFETIME.total_seconds())
    return {"iss": id, "sub": id, "aud": audience, "iat": issued, "exp": ends, "jti": random_value()}
