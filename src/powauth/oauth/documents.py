"""Documents: what providers publish (discovery, keys), fetched once in a while and not for every sign-in."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from powauth.clock import Clock
from powauth.oauth.errors import Malformed, ProviderError
from powauth.oauth.ports import Http, HttpRequest, Network
from powauth.oauth.reading import read_object

MOST_KEPT = 1_000  # documents; a provider has two, and tenants may bring their own
AGAIN_AFTER = timedelta(minutes=1)  # an unknown key id may come from anybody; so may a hundred of them


@dataclass(frozen=True)
class Fetched:
    """A document, and since when it is known to say so."""

    content: Mapping[str, Any]
    at: datetime
    anew_at: datetime | None = None
    """When it was last fetched because somebody missed something in it."""


@dataclass
class _Queue:
    """Who waits for one document, and how the last request for it failed."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    failure: ProviderError | None = None


Place = tuple[str, Network]


class Documents:
    """The published documents of providers, in this process. Shared by no two `Tools` unless somebody shares it."""

    def __init__(self, *, lifetime: timedelta = timedelta(hours=1)) -> None:
        self._lifetime = lifetime
        self._kept: OrderedDict[Place, Fetched] = OrderedDict()
        self._queues: dict[Place, _Queue] = {}

    def __repr__(self) -> str:
        return f"Documents({len(self._kept)} kept)"

    async def get(self, url: str, network: Network, *, http: Http, clock: Clock, anew: bool = False) -> Fetched:
        """Return a document, fetched if it is not here or too old. `anew` fetches it unless that was done this minute.

        Many who ask at once cause one request and share what comes of it, a failure too. What was fetched under one
        `Network` is not served under another.
        """
        place = (url, network)
        queue = self._queues.setdefault(place, _Queue())
        queue.waiting += 1
        known = queue.failure
        try:
            async with queue.lock:
                if queue.failure is not None and queue.failure is not known:
                    raise queue.failure  # of a request that was under way: not each one waits for a time-out of its own
                try:
                    return await self._get(place, http, clock.now(), anew=anew)
                except ProviderError as failure:
                    queue.failure = failure
                    raise
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._queues.pop(place, None)

    async def _get(self, place: Place, http: Http, now: datetime, *, anew: bool) -> Fetched:
        kept = self._kept.get(place)
        if kept is None or self._is_due(kept, now, anew=anew):
            since = now if anew else kept.anew_at if kept else None
            kept = Fetched(await _fetch(*place, http), now, since)
            self._keep(place, kept)
        self._kept.move_to_end(place)
        return kept

    def _is_due(self, kept: Fetched, now: datetime, *, anew: bool) -> bool:
        if anew and (kept.anew_at is None or now - kept.anew_at >= AGAIN_AFTER):
            return True
        return now - kept.at >= self._lifetime

    def _keep(self, place: Place, kept: Fetched) -> None:
        self._kept[place] = kept
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


async def _fetch(url: str, network: Network, http: Http) -> dict[str, Any]:
    answer = await http.send(
        HttpRequest(method="GET", url=url, headers={"accept": "application/json"}, network=network)
    )
    if answer.status != 200:
        raise Malformed(f"document with status {answer.status}")
    return read_object(answer.body, "document")
