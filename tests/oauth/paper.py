"""A provider on paper: it answers what a test tells it to, signs what a test wants, and remembers what it was asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from powauth.oauth import Begun, Callback, Documents, HttpRequest, HttpResponse, Identity, OpenIDConnect, Tools
from powauth.oauth.joserfc import Joserfc
from powauth.testing import FrozenClock

ISSUER = "https://id.example.com"
BACK = "https://app.example.com/callback"
CLIENT = "our-client"
SECRET = "a secret that is long enough to sign with"
Answer = HttpResponse | Exception | Callable[[HttpRequest], HttpResponse]


@cache
def rsa(name: str = "one") -> RSAKey:
    """Return a key of the provider's, always the same for a name."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@cache
def ec(name: str = "curve") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


def said(value: object, status: int = 200, kind: str = "application/json") -> HttpResponse:
    """Return an answer in JSON."""
    return HttpResponse(status=status, headers={"content-type": kind}, body=json.dumps(value).encode())


def form(value: Mapping[str, str], status: int = 200, kind: str = "application/x-www-form-urlencoded") -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": kind}, body=urlencode(value).encode())


def raw(body: bytes, status: int = 200, kind: str = "application/json") -> HttpResponse:
    return HttpResponse(status=status, headers={"content-type": kind}, body=body)


def metadata(**changes: Any) -> dict[str, Any]:
    doors = {
        "authorization": "authorize",
        "token": "token",
        "userinfo": "me",
        "revocation": "revoke",
        "end_session": "out",
    }
    known = {f"{name}_endpoint": f"{ISSUER}/{door}" for name, door in doors.items()}
    whole = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", **known, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def keys(*published: Key) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in published or (rsa(),)]}


@dataclass
class Paper:
    """An `Http` that asks nobody."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    asked: list[HttpRequest] = field(default_factory=list[HttpRequest])
    documents: Documents = field(default_factory=Documents)

    def __post_init__(self) -> None:
        self.answers |= {
            "/.well-known/openid-configuration": said(metadata()),
            "/keys": said(keys()),
            "/me": said({"sub": "ada", "email": "ada@example.com", "email_verified": True}),
        }

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        answer = self.answers.get(urlsplit(request.url).path, raw(b"no such door", 404, "text/plain"))
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    @property
    def tools(self) -> Tools:
        """What flows are run with; the documents are remembered from one to the next."""
        return Tools(http=self, jose=Joserfc(), clock=self.clock, documents=self.documents)

    def count(self, path: str) -> int:
        return sum(urlsplit(request.url).path == path for request in self.asked)

    def fields(self, path: str = "/token") -> dict[str, str]:
        """Return the form that was last sent to a door."""
        request = next(request for request in reversed(self.asked) if urlsplit(request.url).path == path)
        return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}

    def headers(self, path: str = "/token") -> Mapping[str, str]:
        return next(request for request in reversed(self.asked) if urlsplit(request.url).path == path).headers

    # ---- tokens ----

    def claims(self, begun: Begun | None = None, **changes: Any) -> dict[str, Any]:
        """Return good claims with some changed; `None` takes one away."""
        now = int(self.clock.now().timestamp())
        good = {"iss": ISSUER, "sub": "ada", "aud": CLIENT, "iat": now, "exp": now + 300}
        if begun is not None and begun.flow.nonce is not None:
            good["nonce"] = begun.flow.nonce
        return {name: value for name, value in {**good, **changes}.items() if value is not None}

    def hands_out(self, id_token: str | None, **changes: Any) -> None:
        """Answer the next code with these tokens."""
        good = {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": id_token}
        whole = {**good, **changes}
        self.answers["/token"] = said({name: value for name, value in whole.items() if value is not None})


def signed(claims: Mapping[str, Any], key: Key | None = None, *, alg: str = "RS256", **header: Any) -> str:
    """Return a token that the provider, or whose key it is, signed."""
    key = key or rsa()
    named = {"kid": key.kid} if key.kid and not isinstance(key, OctKey) else {}
    whole = {name: value for name, value in {"alg": alg, **named, **header}.items() if value is not None}
    return jwt.encode(whole, dict(claims), key, algorithms=[alg])


def openid(**changes: Any) -> OpenIDConnect:
    settings: dict[str, Any] = {"name": "paper", "issuer": ISSUER, "client_id": CLIENT, "client_secret": SECRET}
    settings["asks_userinfo"] = False
    return OpenIDConnect(**{**settings, **changes})


def coming_back(begun: Begun, **changes: str | None) -> Callback:
    """Return what a browser comes back with that nobody tampered with; `None` takes a parameter away."""
    whole = {"code": "code", "state": begun.flow.state, **changes}
    return Callback({name: value for name, value in whole.items() if value is not None}, begun.flow.response_mode)


async def sign_in(paper: Paper, provider: OpenIDConnect | None = None, /, **changes: Any) -> Identity:
    """Walk through a flow whose ID token has these claims changed."""
    provider = provider or openid()
    begun = await provider.begin(paper.tools, redirect_uri=BACK)
    paper.hands_out(signed(paper.claims(begun, **changes)))
    return await provider.complete(paper.tools, begun.flow, coming_back(begun))
