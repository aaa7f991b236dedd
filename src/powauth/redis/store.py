"""RedisStore: a store on Redis or Valkey, for several machines."""

import asyncio
import os
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Self

from redis.asyncio.connection import AbstractConnection

from powauth.clock import Clock, SystemClock
from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.near_cache import NearCache
from powauth.redis.caller import Caller, Watcher
from powauth.redis.examine import READS_THROUGH, examine, try_out
from powauth.redis.feed import Feed, Heard
from powauth.redis.names import Names
from powauth.redis.pool import Answer, Command, Pool, connector
from powauth.redis.purging import Purging
from powauth.redis.records import lifetime, pack, unpack, version_bytes
from powauth.redis.routes import Cluster, Route, Sentinel, Single, Surveyed
from powauth.redis.scripts import ADD, DELETE_ALL, INCREMENT, PUT, REPLACE, TAKE, Script
from powauth.redis.tracking import Linking
from powauth.redis.urls import Address, Target, read
from powauth.stores import Entry, Key, Weakness, to_microseconds


class RedisStore:
    """A store on Redis 6.0 or later, or Valkey: `RedisStore.from_url` says which.

    All that one owner has of one kind is one hash, so each verb is atomic and costs what that owner has. A call that
    has no answer after `timeout`, waiting for a connection included, raises `StoreUnavailable`; so does a server that
    is full, loading, read-only or no primary. Replicas are never read.

    With `replicas`, what ends something returns only when so many replicas have it, too, and otherwise raises
    `StoreUnavailable`: the end may then be undone by a fail-over, and is to be asked for again.

    With `near_cache`, sessions that were read are kept in the process while the servers say what changes: most requests
    need no network, and what another process ends is refused within 50 ms, 2 s when connections are not healthy.
    """

    def __init__(
        self,
        target: Target,
        *,
        clock: Clock | None = None,
        prefix: str = "powauth",
        connections: int = 50,
        timeout: timedelta = timedelta(seconds=2),
        replicas: int = 0,
        near_cache: bool = False,
    ) -> None:
        self._target = target
        self._clock = clock or SystemClock()
        self._names = Names(prefix)
        self._connections = connections
        self._patience = timeout.total_seconds()
        self._replicas = replicas
        self._opening = asyncio.Lock()
        self._openings = 0
        self._opened_in = 0
        self._route: Route | None = None
        self._caller: Caller | None = None
        self._purging: Purging | None = None
        self._watchers: list[Watcher] = []
        self._near_cache = near_cache
        self.near_cache: NearCache | None = None
        """What this process keeps, while the store is open and if it was asked for."""
        self._feed: Feed | None = None

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        clock: Clock | None = None,
        prefix: str = "powauth",
        connections: int = 50,
        timeout: timedelta = timedelta(seconds=2),
        replicas: int = 0,
        near_cache: bool = False,
        sentinel_username: str | None = None,
        sentinel_password: str | None = None,
    ) -> Self:
        """Return the store at a URL: `redis://`, `redis+sentinel://` or `redis+cluster://`, with TLS `rediss…`."""
        target = read(url).with_sentinel_login(sentinel_username, sentinel_password)
        return cls(
            target,
            clock=clock,
            prefix=prefix,
            connections=connections,
            timeout=timeout,
            replicas=replicas,
            near_cache=near_cache,
        )

    async def open(self) -> None:
        """Connect, and try out what is needed. Raises `ConfigurationError` for what will not pass by itself.

        Raises `StoreUnavailable` for what may: whoever goes on all the same may call, and is answered when that passed.
        """
        async with self._opening:
            if not self._openings:
                await self._let_go()
                self._opened_in = os.getpid()
                route = self._new_route()
                self._route = self._with_near_cache(route) if self._near_cache else route
                self._caller = Caller(self._route, self._watchers, patience=self._patience)
                self._purging = Purging(self._caller, self._names)
                try:
                    await try_out(self._caller, self._names, self._target)
                    if self._feed:
                        await self._feed.open()
                except StoreUnavailable:
                    raise
                except BaseException:
                    await self._let_go()
                    raise
            self._openings += 1

    async def close(self) -> None:
        """Let go of connections, at the last of as many calls as `open` had."""
        async with self._opening:
            self._openings = max(0, self._openings - 1)
            if not self._openings:
                await self._let_go()

    @property
    def may_lose_writes(self) -> bool:
        """Always: a replica that takes over was behind, a server that is restarted kept all but the last second."""
        return True

    def watch(self, watcher: Watcher) -> None:
        """Have this called with `False` when the server stops to answer, and with `True` when it does again.

        Also with `True` where a call was repeated or a connection was lost: it may be another server that answers.
        """
        self._watchers.append(watcher)

    async def weaknesses(self) -> Sequence[Weakness]:
        """Return what of server and settings is unsafe; `powauth check` prints it."""
        found = await examine(self._open_caller, self._target, replicas=self._replicas)
        return [*found, READS_THROUGH] if self._feed and self._feed.trouble else found

    async def get(self, key: Key) -> Entry | None:
        """Return the value, unless it is absent or expired."""
        return await (self.near_cache.get(key, self._read) if self.near_cache else self._read(key))

    async def _read(self, key: Key) -> Entry | None:
        name = self._names.hash(key.kind, key.owner)
        return self._alive(await self._open_caller.read(name, ("HGET", name, key.id.encode())))

    async def put(self, key: Key, value: bytes, *, expires_at: datetime) -> None:
        """Store the value, whatever stands there."""
        await self._run(PUT, key, *self._state(value, expires_at))

    async def add(self, key: Key, value: bytes, *, expires_at: datetime) -> bool:
        """Store the value if none stands there; say whether it was stored."""
        return bool(await self._run(ADD, key, *self._state(value, expires_at)))

    async def replace(self, key: Key, value: bytes, *, version: int, expires_at: datetime) -> bool:
        """Store the value if that version still stands there; say whether it was stored."""
        return bool(await self._run(REPLACE, key, *self._state(value, expires_at), version_bytes(version)))

    async def take(self, key: Key) -> Entry | None:
        """Return the value and remove it, atomically: of many callers exactly one receives it."""
        return self._alive(await self._end(TAKE, key.kind, key.owner, key.id.encode()))

    async def delete(self, key: Key) -> bool:
        """Remove the value; say whether one stood there."""
        return await self.take(key) is not None

    async def increment(self, key: Key, *, expires_at: datetime) -> int:
        """Add one to a counter and return it; a new counter starts at one, and only then is its expiry set."""
        return int(await self._run(INCREMENT, key, *self._state(b"1", expires_at)))

    async def list(self, kind: str, owner: str) -> Sequence[tuple[str, Entry]]:
        """Return the ids and values that one owner has, in no order."""
        name = self._names.hash(kind, owner)
        fields = await self._open_caller.read(name, ("HGETALL", name))
        found = [(id.decode(), self._alive(record)) for id, record in zip(fields[::2], fields[1::2], strict=True)]
        return [(id, entry) for id, entry in found if entry]

    async def delete_all(self, kind: str, owner: str, *, keep: Collection[str] = ()) -> int:
        """Remove all values of one owner, except those; say how many."""
        return int(await self._end(DELETE_ALL, kind, owner, *(id.encode() for id in keep)))

    async def purge(self, *, limit: int = 1000) -> int:
        """Remove up to that many values that expired a minute ago or earlier; say how many. It only frees space.

        Looks at some hundred owners and goes on from there at the next call; the server itself lets go of whole hashes.
        """
        self._open_caller  # noqa: B018  says if it is not open
        return await self._purging.purge(self._now() - MINUTE, limit=limit) if self._purging else 0

    @property
    def _open_caller(self) -> Caller:
        if self._caller is None:
            raise ConfigurationError("RedisStore is not open: run it within auth.lifespan(), or call open()")
        if self._opened_in != os.getpid():  # two processes would read each other's answers
            raise ConfigurationError("RedisStore was opened before a fork: open it in each process, after the fork")
        return self._caller

    def _now(self) -> int:
        return to_microseconds(self._clock.now())

    def _alive(self, record: Answer) -> Entry | None:
        if record is None:
            return None
        if not isinstance(record, bytes):
            raise StoreUnavailable
        entry = unpack(record)
        return entry if entry.expires_at > self._clock.now() else None

    def _state(self, value: bytes, expires_at: datetime) -> tuple[bytes, int]:
        return pack(value, expires_at), lifetime(expires_at, self._clock.now())

    async def _run(self, script: Script, key: Key, *values: bytes | int) -> Answer:
        name = self._names.hash(key.kind, key.owner)
        with self._changing(key.kind, key.owner):
            return await self._open_caller.run(script, name, self._now(), key.id.encode(), *values)

    async def _end(self, script: Script, kind: str, owner: str, *values: bytes) -> Answer:
        """Run what ends something, and have it acknowledged by as many replicas as were asked for."""
        with self._changing(kind, owner):
            return await self._end_surely(script, kind, owner, *values)

    async def _end_surely(self, script: Script, kind: str, owner: str, *values: bytes) -> Answer:
        name = self._names.hash(kind, owner)
        if not self._replicas:
            return await self._open_caller.run(script, name, self._now(), *values)
        # A second try may find nothing to end, and must wait for the first one all the same: so something is written.
        mark: Command = ("SET", self._names.mark(kind, owner), b"", "PX", MARK_LIVES)
        wait: Command = ("WAIT", self._replicas, int(self._patience * 500))
        answers = await self._open_caller.run_and(script, name, self._now(), *values, then=(mark, wait))
        if answers[1] != b"OK" or not isinstance(answers[2], int) or answers[2] < self._replicas:
            self._open_caller.complain("an end, as too few replicas acknowledged it")
            raise StoreUnavailable
        return answers[0]

    def _changing(self, kind: str, owner: str) -> AbstractContextManager[None]:
        return self.near_cache.changing(kind, owner) if self.near_cache else nullcontext()

    def _with_near_cache(self, route: Surveyed) -> Route:
        self.near_cache = NearCache(self._clock)
        linking = Linking(self._target.login, prefix=self._names.beginning, patience=self._patience / 2)
        self._feed = Feed(self.near_cache, self._names, linking, route)
        return Heard(route, self._feed)

    async def _greet(self, address: Address, connection: AbstractConnection) -> None:
        if self._feed:
            await self._feed.greet(address, connection)

    def _new_route(self) -> Surveyed:
        connect = connector(self._target.login, database=self._target.database, patience=self._patience / 2)
        to_sentinel = connector(self._target.sentinel_login, database=0, patience=self._patience / 4)
        is_cluster = self._target.kind == "cluster"
        greet = self._greet if self._near_cache else None

        def make(address: Address) -> Pool:
            return Pool(address, connect, size=self._connections, needs_primary=not is_cluster, greet=greet)

        match self._target.kind:
            case "single":
                return Single(self._target.addresses[0], make)
            case "sentinel":
                return Sentinel(
                    self._target.addresses, self._target.service, make, to_sentinel, patience=self._patience / 4
                )
            case "cluster":
                return Cluster(self._target.addresses, make, patience=self._patience / 4)

    async def _let_go(self) -> None:
        route, self._route, self._caller, self._purging = self._route, None, None, None
        feed, self._feed, self.near_cache = self._feed, None, None
        if feed:
            await feed.close()
        if route:
            await route.close()


MINUTE = 60_000_000  # microseconds
MARK_LIVES = 60_000  # milliseconds
