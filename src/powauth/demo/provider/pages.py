"""Pages: HTTP of the demo's own provider. People see one page; the rest is between the demo and its provider."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from powauth import Clock
from powauth.demo.provider import tokens
from powauth.demo.provider.client import PREFIX, Client
from powauth.demo.provider.memory import Granted, Memory, SignedInThere
from powauth.demo.provider.people import INVENTED, LONGEST, invented, typed
from powauth.demo.provider.requests import Asked, NotOurs, Refused, read_request
from powauth.demo.provider.tokens import CannotExchange, Signer
from powauth.demo.theme import Theme
from powauth.oauth import Malformed
from powauth.oauth.guard import is_this_machine
from powauth.oauth.reading import read_form

COOKIE = "demo_provider"
MOST = 16 * 1024
"""Bytes of a form."""
NO_STORE = {"Cache-Control": "no-store"}


def provider_app(client: Client, theme: Theme, clock: Clock) -> ASGIApp:
    """Return the provider, to be mounted under `PREFIX`."""
    provider = DemoProvider(client, theme, Memory(clock), Signer())
    routes = [
        Route("/.well-known/openid-configuration", provider.metadata),
        Route("/keys", provider.keys),
        Route("/authorize", provider.ask, methods=["GET"]),
        Route("/authorize", provider.decide, methods=["POST"]),
        Route("/token", provider.token, methods=["POST"]),
        Route("/userinfo", provider.userinfo),
        Route("/sign-out", provider.sign_out),
    ]
    return ThisMachineOnly(Starlette(routes=routes), urlsplit(client.origin).netloc)


class ThisMachineOnly:
    """Answers only who is on this machine and calls it by its name.

    Another name that leads here (DNS rebinding) finds nothing, and neither does a neighbour, should somebody serve the
    demo to a network.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that there is nothing."""
        caller = (scope.get("client") or ("", 0))[0]
        hosts = [value for name, value in scope.get("headers", ()) if name == b"host"]
        is_here = is_this_machine(caller) and hosts == [self._host]
        await (self._app if is_here else Response(status_code=404))(scope, receive, send)


@dataclass(frozen=True)
class DemoProvider:
    """The provider's answers."""

    client: Client
    theme: Theme
    memory: Memory
    signer: Signer

    # ---- what it publishes ----

    async def metadata(self, _request: Request) -> Response:
        """Say where its doors are (OpenID Connect Discovery §3)."""
        issuer = self.client.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/keys",
                "end_session_endpoint": f"{issuer}/sign-out",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email"],
                "claims_supported": ["sub", "name", "email", "email_verified", "auth_time"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def keys(self, _request: Request) -> Response:
        """Say what its signatures are verified with."""
        return JSONResponse(self.signer.published())

    # ---- what a person sees ----

    async def ask(self, request: Request) -> Response:
        """Ask who somebody wants to be, or send them back at once where that is wanted."""
        try:
            asked = read_request(request.url.query, self.client)
        except NotOurs:
            return self._not_ours()
        except Refused as refused:
            return self._back(refused.state, error=refused.error)
        here = self._here(request, asked)
        if "none" not in asked.prompts:
            return self._choose(request, here)
        return self._granted(here, asked) if here else self._back(asked.state, error="login_required")

    async def decide(self, request: Request) -> Response:
        """Send somebody back as whoever they chose to be, or without a word where they declined."""
        if not self._is_from_here(request):
            return Response(status_code=403)
        try:
            asked = read_request(request.url.query, self.client)
            fields = await _form(request)
        except (NotOurs, Malformed):
            return self._not_ours()
        except Refused as refused:
            return self._back(refused.state, error=refused.error)
        who = fields.get("who", "")
        if who == "nobody":
            return self._back(asked.state, error="access_denied")
        here = self._here(request, asked)
        if who == "here":
            return self._granted(here, asked) if here else self._choose(request, None)
        person = invented(who)
        if who == "typed":
            is_verified = fields.get("verified") == "on"
            person = typed(fields.get("name", ""), fields.get("email", ""), is_verified=is_verified)
        if person is None:
            return self._choose(request, here, error="Please write a name, of 80 letters at most.")
        signed_in = SignedInThere(person, self.memory.clock.now())
        answer = self._granted(signed_in, asked)
        session = self.memory.sessions.put(signed_in)
        answer.set_cookie(COOKIE, session, path=PREFIX, httponly=True, samesite="lax")
        return answer

    async def sign_out(self, request: Request) -> Response:
        """Forget who is signed in with this browser (OpenID Connect RP-Initiated Logout 1.0)."""
        self.memory.sessions.take(request.cookies.get(COOKIE, ""))
        target = request.query_params.get("post_logout_redirect_uri", "")
        if not target.startswith(f"{self.client.origin}/"):
            target = f"{self.client.origin}/"
        elif state := request.query_params.get("state"):
            target += ("&" if "?" in target else "?") + urlencode({"state": state})
        answer = RedirectResponse(target, 303, NO_STORE)
        answer.delete_cookie(COOKIE, path=PREFIX, httponly=True, samesite="lax")
        return answer

    def _here(self, request: Request, asked: Asked) -> SignedInThere | None:
        """Return who is signed in here with this browser, freshly enough for what is asked."""
        here = self.memory.sessions.get(request.cookies.get(COOKIE, ""))
        return here if here and asked.takes(here.since, self.memory.clock.now()) else None

    def _is_from_here(self, request: Request) -> bool:
        site = request.headers.get("sec-fetch-site")
        return site == "same-origin" if site is not None else request.headers.get("origin") == self.client.origin

    def _choose(self, request: Request, here: SignedInThere | None, *, error: str = "") -> Response:
        return self.theme.elsewhere(
            "provider",
            "Choose who you want to be",
            "Demo provider",
            400 if error else 200,
            action=f"{PREFIX}/authorize?{request.url.query}",
            here=here,
            people=INVENTED,
            longest=LONGEST,
            error=error,
        )

    def _not_ours(self) -> Response:
        return self.theme.elsewhere("provider_refused", "This leads nowhere", "Demo provider", 400)

    def _granted(self, who: SignedInThere, asked: Asked) -> Response:
        return self._back(asked.state, code=self.memory.codes.put(Granted(who, asked)))

    def _back(self, state: str, **said: str) -> Response:
        params = {**said, **({"state": state} if state else {}), "iss": self.client.issuer}  # `iss`: RFC 9207
        return RedirectResponse(f"{self.client.redirect_uri}?{urlencode(params)}", 303, NO_STORE)

    # ---- between the demo and its provider ----

    async def token(self, request: Request) -> Response:
        """Give tokens for a code."""
        try:
            tokens.check_client(self.client, request.headers.get("authorization", ""))
            granted = tokens.exchange(self.memory, self.client, await _form(request))
        except CannotExchange as refused:
            status = 401 if str(refused) == "invalid_client" else 400
            return JSONResponse({"error": str(refused)}, status, NO_STORE)
        except Malformed:
            return JSONResponse({"error": "invalid_request"}, 400, NO_STORE)
        access_token = self.memory.tokens.put(granted)
        answer: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(self.memory.tokens.lifetime.total_seconds()),
            "scope": " ".join(granted.asked.scopes),
            "id_token": self.signer.sign(tokens.id_claims(self.client, self.memory, granted, access_token)),
        }
        return JSONResponse(answer, headers=NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        """Say who somebody is, as far as that was granted."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        granted = self.memory.tokens.get(token) if kind.lower() == "bearer" else None
        if granted is None:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return JSONResponse(granted.who.person.claims(granted.asked.scopes), headers=NO_STORE)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            raise Malformed("form")
    return read_form(body, "form")
