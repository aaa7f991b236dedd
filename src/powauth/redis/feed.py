"""Feed: tells a near cache what changes on every primary, and when nobody knows."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError

from powauth.clock import steady
from powauth.errors import ConfigurationError
from powauth.near_cache import BEAT, PATIENCE, NearCache
from powauth.redis.caller import said
from powauth.redis.failures import Lost, NotSent, Refused
from powauth.redis.names import Names
from powauth.redis.pool import Pool, ask
from powauth.redis.routes import Route, Surveyed
from powauth.redis.tracking import Link, Linking, run_id
from powauth.redis.urls import Address

logger = logging.getLogger("powauth.redis")

PAUSE = 0.1
"""Seconds between two tries to be certain of everything again."""


class Unsure(NotSent):
    """Not all servers say the same, or something came between."""


class Feed:
    """Links to all primaries, and a beat at which each of them is asked.

    Only if all answer, and all are still what the route takes them for, does the cache go on. Whatever makes the route
    doubt, a server that is another one, or a link that breaks turns the cache off at once, before anything is answered.
    """

    def __init__(self, cache: NearCache, names: Names, linking: Linking, route: Surveyed) -> None:
        self._cache = cache
        self._names = names
        self._linking = linking
        self._route = route
        self._links: dict[Address, Link] = {}
        self._doubted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """Why everything is read through."""
        self._has_complained = False

    async def open(self) -> None:
        """Begin to tell. Raises `ConfigurationError` where a server will not; what may pass is tried again."""
        try:
            await self._begin()
        except UNCERTAIN as problem:
            if isinstance(problem, Refused) and problem.code not in PASSING:
                self._let_go()
                raise ConfigurationError(REFUSED.format(problem.code)) from None
            self._fail(problem)
        self._task = asyncio.create_task(self._run(), name="near cache")

    async def close(self) -> None:
        """Tell no more."""
        self._cache.read_through()
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])
        self._let_go()

    def flush(self) -> None:
        """Have everything read anew, also what is being read."""
        self._cache.flush()

    def doubt(self) -> None:
        """Have everything read through, until all are certain again."""
        self._cache.read_through()
        self._doubted.set()

    async def greet(self, address: Address, connection: AbstractConnection) -> None:
        """Look at a new connection to where keys are read: it may lead to another server than the link does."""
        (info,) = await ask(connection, [("INFO", "server")])
        link = self._links.get(address)
        if link and link.run_id != run_id(info):
            link.close()
            self.doubt()

    async def _run(self) -> None:
        while True:
            try:
                asked_at = await self._begin()
                while True:
                    await self._rest(asked_at + BEAT - steady())
                    asked_at = await self._beat()
            except UNCERTAIN as problem:
                self._fail(problem)
            except Exception:
                logger.exception("the near cache does not know what to make of this")
                self.doubt()
            await self._route.doubt(None)  # whoever does not answer may have been replaced
            await asyncio.sleep(PAUSE)

    async def _begin(self) -> float:
        """Link all primaries and hear from all; nothing may come between. Return when they were asked."""
        self._doubted.clear()
        pools = await self._route.primaries()
        addresses = {pool.address for pool in pools}
        for gone in [address for address, link in self._links.items() if address not in addresses or not link.is_open]:
            self._links.pop(gone).close()
        await _all(self._link(pool) for pool in pools if pool.address not in self._links)
        return await self._beat()

    async def _link(self, pool: Pool) -> None:
        self._links[pool.address] = await self._linking.link(pool.address, hear=self._hear, lost=self.doubt)
        await pool.renew()  # connections that are made from now on are compared with it

    async def _beat(self) -> float:
        asked_at, route = steady(), self._route
        async with asyncio.timeout(PATIENCE):
            answers = await _all([self._confirmed(link, route) for link in self._links.values()])
            sure = all(answers) and await route.is_confirmed()
        if not sure:
            raise Unsure("servers do not agree on who holds what")
        if self._doubted.is_set():
            raise Unsure("a call failed meanwhile")
        self._cache.vouch(asked_at)
        self.trouble = None
        if self._has_complained:
            self._has_complained = False
            logger.info("the near cache answers again")
        return asked_at

    async def _confirmed(self, link: Link, route: Surveyed) -> bool:
        try:
            (answer,) = await link.ask(route.question)
        except asyncio.CancelledError:  # too late: what it says later, if ever, is not waited for
            link.close()
            raise
        return route.confirms(answer, link.address)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._doubted.wait()
        except TimeoutError:
            return
        raise Unsure("a call failed, or a connection broke")

    def _hear(self, names: Sequence[bytes] | None) -> None:
        if names is None:
            self._cache.flush()
            return
        for name in names:
            if owned := self._names.owned(name):
                self._cache.invalidate(*owned)

    def _fail(self, problem: BaseException) -> None:
        self.doubt()
        why = said(problem)
        if self.trouble and not self._has_complained:  # a second time: it did not pass by itself
            self._has_complained = True
            logger.warning("the near cache reads everything through: %s", why)
        self.trouble = why

    def _let_go(self) -> None:
        while self._links:
            self._links.popitem()[1].close()


class Heard:
    """A route whose every doubt the feed hears, before anything is asked or answered on."""

    def __init__(self, route: Route, feed: Feed) -> None:
        self._route = route
        self._feed = feed

    async def pool(self, key: bytes) -> Pool:
        """Return the server that holds it. Raises `NotSent` if that is not known."""
        return await self._route.pool(key)

    def redirected(self, refusal: AskError, asked: Pool) -> Pool | None:
        """Return the server that a refusal names, if it can be followed."""
        self._feed.flush()  # another server than the one that was asked will answer: it is not kept
        return self._route.redirected(refusal, asked)

    def doubt(self, pool: Pool | None) -> Awaitable[None]:
        """Ask anew before the next call: this one did not answer, or is no primary."""
        self._feed.doubt()
        return self._route.doubt(pool)

    async def primaries(self) -> Sequence[Pool]:
        """Return every server that holds keys. Raises `NotSent`."""
        return await self._route.primaries()

    async def close(self) -> None:
        """Close all connections."""
        await self._route.close()


T = TypeVar("T")


async def _all(works: Iterable[Awaitable[T]]) -> Sequence[T]:
    """Return what all of these bring; wait for all, and raise what the first of them raised."""
    results = await asyncio.gather(*works, return_exceptions=True)
    done: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done


UNCERTAIN = (NotSent, Lost, Refused, TimeoutError)
PASSING = {"LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS"}
REFUSED = (
    "RedisStore(near_cache=True) cannot use its server: it refuses CLIENT TRACKING or what goes with it ({}). Allow its"
    " user what the guide to Redis shows for the near cache; where the service does not offer it, leave near_cache away"
)
