"""Tools: what flows are run with. One value for an application, handed to every call; nothing is global."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from powauth.clock import Clock, SystemClock
from powauth.oauth.documents import Documents, Fetched
from powauth.oauth.ports import Http, HttpRequest, HttpResponse, Jose, Network


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What flows are run with. `powauth.oauth.standard.tools()` makes one of httpx2 and joserfc."""

    http: Http
    """Who asks."""
    jose: Jose
    """Who signs and verifies."""
    clock: Clock = field(default_factory=SystemClock)
    """Who tells the time."""
    documents: Documents = field(default_factory=Documents)
    """What providers publish, remembered for an hour."""
    leeway: timedelta = timedelta(seconds=60)
    """How far the provider's clock and ours may differ."""

    def now(self) -> datetime:
        """Return the time."""
        return self.clock.now()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Ask a provider once."""
        return await self.http.send(request)

    async def document(self, url: str, network: Network, *, anew: bool = False) -> Fetched:
        """Return what a provider publishes, mostly from memory."""
        return await self.documents.get(url, network, http=self.http, clock=self.clock, anew=anew)
