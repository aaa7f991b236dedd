"""Pages: what a person sees of the demo's own provider, and how they are sent back."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from powauth.demo.provider.client import PREFIX, Client
from powauth.demo.provider.memory import Granted, Memory, SignedInThere
from powauth.demo.provider.people import INVENTED, LONGEST, Person, chosen
from powauth.demo.provider.requests import NO_STORE, Asked, Refused, read_fields, read_request
from powauth.demo.theme import Theme

COOKIE = "demo_provider"
TITLE = "Demo provider"


@dataclass(frozen=True)
class Pages:
    """The provider's answers to a browser."""

    client: Client
    theme: Theme
    memory: Memory

    async def ask(self, request: Request) -> Response:
        """Ask who somebody wants to be, or send them back at once where that is wanted."""
        asked = read_request(request.url.query, self.client)
        here = self._here(request, asked)
        if "none" not in asked.prompts:
            return self._choose(request, asked, here)
        return self._granted(here, asked) if here else self._back(asked.state, error="login_required")

    async def decide(self, request: Request) -> Response:
        """Send somebody back as whoever they chose to be, or without a word where they declined."""
        if not self._is_from_here(request):
            return Response(status_code=403)
        asked = read_request(request.url.query, self.client)
        fields = await read_fields(request)
        if fields.get("who") == "nobody":
            return self._back(asked.state, error="access_denied")
        here = self._here(request, asked)
        if fields.get("who") == "here":
            return self._granted(here, asked) if here else self._choose(request, asked, None)
        person = chosen(fields)
        if person is None:
            error = f"Please write a name, of {LONGEST} letters at most."
            return self._choose(request, asked, here, error=error)
        return self._signed_in(person, asked)

    async def sign_out(self, request: Request) -> Response:
        """Forget who is signed in with this browser (OpenID Connect RP-Initiated Logout 1.0)."""
        self.memory.sessions.take(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(self._way_out(request), 303, NO_STORE)
        answer.delete_cookie(COOKIE, path=PREFIX, httponly=True, samesite="lax")
        return answer

    async def not_ours(self, _request: Request, _error: Exception) -> Response:
        """Say that this request is nobody's."""
        return self.theme.elsewhere("provider_refused", "This leads nowhere", TITLE, 400)

    async def refused(self, _request: Request, error: Exception) -> Response:
        """Send the browser back with what is wrong with the request."""
        if not isinstance(error, Refused):
            raise error
        return self._back(error.state, error=error.error)

    # ---- who is here ----

    def _here(self, request: Request, asked: Asked) -> SignedInThere | None:
        """Return who is signed in with this browser, freshly enough for what is asked."""
        here = self.memory.sessions.get(request.cookies.get(COOKIE, ""))
        return here if here and asked.takes(here.since, self.memory.clock.now()) else None

    def _is_from_here(self, request: Request) -> bool:
        site = request.headers.get("sec-fetch-site")
        return site == "same-origin" if site is not None else request.headers.get("origin") == self.client.origin

    def _signed_in(self, person: Person, asked: Asked) -> Response:
        here = SignedInThere(person, self.memory.clock.now())
        answer = self._granted(here, asked)
        answer.set_cookie(COOKIE, self.memory.sessions.put(here), path=PREFIX, httponly=True, samesite="lax")
        return answer

    # ---- answers ----

    def _choose(self, request: Request, asked: Asked, here: SignedInThere | None, *, error: str = "") -> Response:
        return self.theme.elsewhere(
            "provider",
            "Choose who you want to be",
            TITLE,
            400 if error else 200,
            action=f"{PREFIX}/authorize?{request.url.query}",
            here=here,
            anew="login" in asked.prompts,
            people=INVENTED,
            longest=LONGEST,
            error=error,
        )

    def _granted(self, who: SignedInThere, asked: Asked) -> Response:
        return self._back(asked.state, code=self.memory.codes.put(Granted(who, asked)))

    def _back(self, state: str, **said: str) -> Response:
        params = {**said, **({"state": state} if state else {}), "iss": self.client.issuer}  # `iss`: RFC 9207
        return RedirectResponse(f"{self.client.redirect_uri}?{urlencode(params)}", 303, NO_STORE)

    def _way_out(self, request: Request) -> str:
        """Return where a browser goes that has signed out: into the demo, whatever the address says."""
        target = request.query_params.get("post_logout_redirect_uri", "")
        if not target.startswith(f"{self.client.origin}/"):
            return f"{self.client.origin}/"
        state = request.query_params.get("state")
        return f"{target}{'&' if '?' in target else '?'}{urlencode({'state': state})}" if state else target
