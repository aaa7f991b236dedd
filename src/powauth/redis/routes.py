"""Routes: which server holds a key, for a single server, behind Sentinel and in a cluster."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol

from redis.crc import key_slot
from redis.exceptions import AskError, RedisError, ResponseError

from powauth.redis.failures import Lost, NotSent
from powauth.redis.pool import Answer, Command, Connect, Pool, ask
from powauth.redis.urls import Address

MakePool = Callable[[Address], Pool]
SLOTS = 16384
SOON = 0.5
"""Seconds in which a Sentinel answers if it is to count for a survey: the others are not to wait for one that hangs."""
Ranges = set[tuple[int, int, Address]]
"""First slot, last slot, and whose they are."""


class Route(Protocol):
    """Knows which server holds a key."""

    async def pool(self, key: bytes) -> Pool:
        """Return the server that holds it. Raises `NotSent` if that is not known."""
        ...

    def redirected(self, refusal: AskError, asked: Pool) -> Pool | None:
        """Return the server that a refusal names, if it can be followed."""
        ...

    def doubt(self, pool: Pool | None) -> Awaitable[None]:
        """Ask anew before the next call: this one did not answer, or is no primary."""
        ...

    async def primaries(self) -> Sequence[Pool]:
        """Return every server that holds keys. Raises `NotSent`."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Surveyed(Route, Protocol):
    """A route that can find out whether its servers still are what it takes them for, without changing anything."""

    @property
    def question(self) -> Command:
        """What each primary is asked."""
        ...

    def confirms(self, answer: Answer, asked: Address) -> bool:
        """Say whether the answer of a primary is what this route thinks."""
        ...

    async def is_confirmed(self) -> bool:
        """Say whether others who know of the primaries think the same."""
        ...


class OnePrimary:
    """What is asked where one primary holds everything."""

    question: Command = ("ROLE",)

    def confirms(self, answer: Answer, asked: Address) -> bool:  # noqa: ARG002  there is no other
        """Say whether it is a primary."""
        return bool(answer) and answer[0] == b"master"

    async def is_confirmed(self) -> bool:
        """Say that nobody else knows."""
        return True


class Single(OnePrimary):
    """One server, at one address, whatever stands behind that."""

    def __init__(self, address: Address, make: MakePool) -> None:
        self._pool = make(address)

    async def pool(self, key: bytes) -> Pool:  # noqa: ARG002  it holds all
        """Return the server."""
        return self._pool

    def redirected(self, refusal: AskError, asked: Pool) -> None:
        """Return none: there is no other."""

    async def doubt(self, pool: Pool | None) -> None:
        """Connect anew."""
        if pool:
            await pool.forget()

    async def primaries(self) -> Sequence[Pool]:
        """Return the server."""
        return [self._pool]

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


class Sentinel(OnePrimary):
    """One primary that Sentinels watch, and name another when it fails."""

    def __init__(
        self, sentinels: Sequence[Address], service: str, make: MakePool, connect: Connect, *, patience: float
    ) -> None:
        self._sentinels = sentinels
        self._service = service
        self._make = make
        self._connect = connect
        self._patience = patience
        self._asking = asyncio.Lock()
        self._pool: Pool | None = None
        self._is_sure = False

    async def pool(self, key: bytes) -> Pool:  # noqa: ARG002  it holds all
        """Return the primary that the Sentinels name."""
        if self._pool is None or not self._is_sure:
            async with self._asking:
                if self._pool is None or not self._is_sure:
                    await self._find()
        if self._pool is None:
            raise NotSent("no Sentinel names a primary")
        return self._pool

    def redirected(self, refusal: AskError, asked: Pool) -> None:
        """Return none: there is no other."""

    async def doubt(self, pool: Pool | None) -> None:
        """Ask the Sentinels before the next call."""
        self._is_sure = False
        if pool:
            await pool.forget()

    async def primaries(self) -> Sequence[Pool]:
        """Return the primary."""
        return [await self.pool(b"")]

    async def close(self) -> None:
        """Close all connections."""
        if self._pool:
            await self._pool.close()

    async def is_confirmed(self) -> bool:
        """Say whether the Sentinels name the same primary still."""
        named = await self._named(patience=min(self._patience, SOON))
        return self._pool is not None and self._pool.address == named

    async def _named(self, *, patience: float) -> Address:
        asked = (self._ask(one, patience) for one in self._sentinels)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        named = [answer for answer in answers if not isinstance(answer, BaseException)]
        if not named:
            raise NotSent("no Sentinel answers") from next((e for e in answers if isinstance(e, Exception)), None)
        return max(named)[1]  # the newest decision: a Sentinel that was cut off still names the primary of before

    async def _find(self) -> None:
        address = await self._named(patience=self._patience)
        if self._pool is None or self._pool.address != address:
            former, self._pool = self._pool, self._make(address)
            if former:
                await former.close()
        self._is_sure = True

    async def _ask(self, sentinel: Address, patience: float) -> tuple[int, Address]:
        command: Command = ("SENTINEL", "MASTER", self._service)
        answer = await ask_once(self._connect(sentinel), command, patience=patience)
        said = dict(zip(answer[::2], answer[1::2], strict=True))
        return int(said[b"config-epoch"]), Address(said[b"ip"].decode(), int(said[b"port"]))


class Cluster:
    """Primaries that share the keys among them by slots."""

    question: Command = ("CLUSTER", "SLOTS")

    def __init__(self, seeds: Sequence[Address], make: MakePool, *, patience: float) -> None:
        self._seeds = seeds
        self._make = make
        self._patience = patience
        self._asking = asyncio.Lock()
        self._pools: dict[Address, Pool] = {}
        self._slots: list[Pool | None] = [None] * SLOTS
        self._ranges: Ranges = set()
        self._is_sure = False

    async def pool(self, key: bytes) -> Pool:
        """Return the primary of the slot of this key."""
        await self._be_sure()
        pool = self._slots[key_slot(key)]
        if pool is None:
            self._is_sure = False
            raise NotSent("nobody holds this slot")
        return pool

    def redirected(self, refusal: AskError, asked: Pool) -> Pool:
        """Return the server that a refusal names."""
        host = str(refusal.host)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  it has no type
        return self._at(Address(host or asked.address.host, refusal.port))

    async def doubt(self, pool: Pool | None) -> None:
        """Ask who holds what before the next call."""
        self._is_sure = False
        if pool:
            await pool.forget()

    async def primaries(self) -> Sequence[Pool]:
        """Return every server that holds slots."""
        await self._be_sure()
        return [*{pool.address: pool for pool in self._slots if pool}.values()]

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.close()

    async def _be_sure(self) -> None:
        if not self._is_sure:
            async with self._asking:
                if not self._is_sure:
                    await self._find()

    async def _find(self) -> None:
        reason: Exception | None = None
        for address in self._candidates():
            try:
                async with asyncio.timeout(self._patience):
                    (answer,) = await self._at(address).exchange([("CLUSTER", "SLOTS")])
                if isinstance(answer, ResponseError):
                    raise NotSent(f"{address}") from answer  # noqa: TRY301  on to the next one
                await self._take(answer, asked=address)
            except (NotSent, Lost, TimeoutError) as error:
                reason = error
            else:
                return
        raise NotSent("no server of the cluster answers") from reason

    def _candidates(self) -> Iterator[Address]:
        """Yield whom to ask: those that hold keys, in any order, then those that were named first."""
        known = [pool.address for pool in {id(pool): pool for pool in self._slots if pool}.values()]
        random.shuffle(known)
        yield from known
        yield from (seed for seed in self._seeds if seed not in known)

    def confirms(self, answer: Answer, asked: Address) -> bool:
        """Say whether a primary thinks that the same hold the same slots."""
        return bool(answer) and self._read(answer, asked) == self._ranges

    async def is_confirmed(self) -> bool:
        """Say that nobody knows but the primaries."""
        return True

    def _read(self, answer: Answer, asked: Address) -> Ranges:
        """Return who holds what, as a server says it."""
        ranges: Ranges = set()
        for first, last, primary, *_replicas in answer:
            host = (primary[0] or b"").decode()
            ranges.add((first, last, Address(host if host not in {"", "?"} else asked.host, int(primary[1]))))
        return ranges

    async def _take(self, answer: Answer, *, asked: Address) -> None:
        slots: list[Pool | None] = [None] * SLOTS
        ranges = self._read(answer, asked)
        for first, last, address in ranges:
            slots[first : last + 1] = [self._at(address)] * (last + 1 - first)
        if not any(slots):
            raise NotSent(f"{asked} knows no slots")
        self._slots, self._ranges, self._is_sure = slots, ranges, True
        for address in self._pools.keys() - {pool.address for pool in slots if pool} - {asked}:
            await self._pools.pop(address).close()

    def _at(self, address: Address) -> Pool:
        return (
            self._pools.setdefault(address, self._make(address)) if address not in self._pools else self._pools[address]
        )


async def ask_once(connection: Any, command: Command, *, patience: float) -> Answer:  # noqa: ANN401  a connection, of any kind
    """Return what is answered to one question on a connection of its own."""
    try:
        async with asyncio.timeout(patience):
            await connection.connect()
            (answer,) = await ask(connection, [command])
    except (RedisError, OSError) as error:
        raise NotSent("it does not answer") from error
    finally:
        await connection.disconnect(nowait=True)
    if isinstance(answer, Exception):
        raise NotSent("it refuses") from answer
    return answer
