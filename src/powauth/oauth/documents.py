"""Documents: what providers publish (discovery, keys), fetched once in a while and not for every sign-in."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from powauth.clock import Clock
from powauth.oauth.errors import Malformed
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


class Documents:
    """The published documents of providers, in this process. Shared by no two `Tools` unless somebody shares it."""

    def __init__(self, *, lifetime: timedelta = timedelta(hours=1)) -> None:
        self._lifetime = lifetime
        self._kept: OrderedDict[tuple[str, Network], Fetched] = OrderedDict()
        self._locks: dict[tuple[str, Network], asyncio.Lock] = {}

    def __repr__(self) -> str:
        return f"Documents({len(self._kept)} kept)"

    async def get(self, url: str, network: Network, *, http: Http, clock: Clock, anew: bool = False) -> Fetched:
        """Return a document, fetched if it is not here or too old. `anew` fetches unless that was within the minute.

        Many who ask at once cause one request. What was fetched under one `Network` is not served under another.
        """
        place = (url, network)
        lock = self._locks.setdefault(place, asyncio.Lock())
        try:
            async with lock:
                kept, now = self._kept.get(place), clock.now()
                if kept is None or self._is_due(kept, now, anew=anew):
                    since = now if anew else kept.anew_at if kept else None
                    kept = Fetched(await _fetch(url, network, http), now, since)
                    self._keep(place, kept)
                self._kept.move_to_end(place)
                return kept
        finally:
            if not lock.locked():
                self._locks.pop(place, None)

    def _is_due(self, kept: Fetched, now: datetime, *, anew: bool) -> bool:
        if anew and (kept.anew_at is None or now - kept.anew_at >= AGAIN_AFTER):
            return True
        return now - kept.at >= self._lifetime

    def _keep(self, place: tuple[str, Network], kept: Fetched) -> None:
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
