"""Purging: dead fields of hashes that live on, some hundred hashes at a time."""

from collections import deque

from redis.exceptions import ResponseError

from powauth.errors import StoreUnavailable
from powauth.redis.caller import Caller
from powauth.redis.failures import Refused
from powauth.redis.names import Names
from powauth.redis.records import dead
from powauth.redis.scripts import REMOVE_DEAD
from powauth.redis.urls import Address

STEP = 200
"""How many keys a server is asked for at once: about 0.1 ms of its time."""
FIELDS = 200
"""How many fields of a hash are looked at between two removals."""


class Purging:
    """Walks over all servers, a little at each call, and begins anew when it has seen all.

    What a call costs does not depend on how much there is: a server is asked for some keys more, from where it stood.
    """

    def __init__(self, caller: Caller, names: Names) -> None:
        self._caller = caller
        self._names = names
        self._keys: deque[tuple[bytes, int]] = deque()  # with where in the hash it goes on
        self._cursors: dict[Address, int] = {}
        self._is_walking = False

    async def purge(self, before: int, *, limit: int) -> int:
        """Remove up to that many fields that ended by then; say how many."""
        if self._is_walking:  # one walk is enough
            return 0
        self._is_walking = True
        try:
            return await self._walk(before, limit)
        finally:
            self._is_walking = False

    async def _walk(self, before: int, limit: int) -> int:
        removed = 0
        if not self._keys:
            await self._find_keys()
        while self._keys and removed < limit:
            key, cursor = self._keys.popleft()
            cursor, gone = await self._purge_hash(key, cursor, before, limit - removed)
            removed += gone
            if cursor or removed >= limit:  # there may be more of it
                self._keys.appendleft((key, cursor))
        return removed

    async def _purge_hash(self, key: bytes, cursor: int, before: int, limit: int) -> tuple[int, int]:
        answer = await self._caller.read(key, ("HSCAN", key, cursor, "COUNT", FIELDS))
        ids = dead(answer[1], before)
        gone = await self._caller.run(REMOVE_DEAD, key, before, *ids[:limit]) if ids else 0
        return (cursor if len(ids) > limit else int(answer[0])), int(gone)

    async def _find_keys(self) -> None:
        pools = await self._caller.servers()
        here = {pool.address for pool in pools}
        if not self._cursors.keys() & here:
            self._cursors = dict.fromkeys(here, 0)
        for pool in pools:
            if pool.address not in self._cursors:
                continue
            command = ("SCAN", self._cursors[pool.address], "MATCH", self._names.pattern, "COUNT", STEP)
            answer = await self._caller.ask(pool, command)
            if isinstance(answer, ResponseError):
                raise StoreUnavailable from Refused(answer)
            cursor, keys = answer
            self._keys += [(key, 0) for key in keys]
            self._cursors[pool.address] = int(cursor)
            if not int(cursor):
                del self._cursors[pool.address]
