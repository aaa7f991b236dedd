"""Health: whether store, database, outbox and the queue of hashes do their work."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from powauth.outbox import OutboxRecord
from powauth.plan import Plan
from powauth.stores import Key
from powauth.tenants import Tenant
from powauth.units import begin

PATIENCE = timedelta(seconds=2)
"""How long a part may take to answer; those who ask wait no longer for all of them."""
LATE = timedelta(minutes=15)
"""How late a mail may be. One that fails is tried again after half a minute, and ever later."""
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part, whether it does its work, and in how many milliseconds it said so."""

    name: str
    is_well: bool
    took: int
    waiting: int | None = None
    """How many wait there: mails that are due, at most 1,000 of them, or passwords to be hashed."""


@dataclass(frozen=True, slots=True)
class State:
    """How an `Auth` is, part by part."""

    parts: tuple[Part, ...]

    @property
    def is_well(self) -> bool:
        """Whether every part does its work."""
        return all(part.is_well for part in self.parts)


Answer = tuple[bool, int | None]
"""Whether a part does its work, and how many wait there."""


async def examine(plan: Plan, tenant: Tenant) -> State:
    """Ask every part, all at once, and say how it is. Never raises, and takes little more than two seconds."""
    asked: tuple[tuple[str, Callable[[Plan, Tenant], Awaitable[Answer]]], ...] = (
        ("store", _ask_store),
        ("database", _ask_database),
        ("outbox", _ask_outbox),
        ("hashing", _ask_hashing),
    )
    return State(tuple(await asyncio.gather(*(_part(name, ask(plan, tenant)) for name, ask in asked))))


async def _part(name: str, answer: Awaitable[Answer]) -> Part:
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            is_well, waiting = await answer
    except Exception:  # noqa: BLE001  whatever it is that a driver raises, the part does not work
        is_well, waiting = False, None
    return Part(name=name, is_well=is_well, took=int((time.monotonic() - began) * 1000), waiting=waiting)


async def _ask_store(plan: Plan, tenant: Tenant) -> Answer:
    await plan.store.get(Key(f"{plan.name}:health", tenant.id, "nothing"))
    return True, None


async def _ask_database(plan: Plan, tenant: Tenant) -> Answer:
    async with begin(plan, tenant, writes=False) as ctx:
        await ctx.records(OutboxRecord).find(limit=1)
    return True, None


async def _ask_outbox(plan: Plan, tenant: Tenant) -> Answer:
    """Look at the mails that are due: the sender takes one within seconds, unless there is none."""
    async with begin(plan, tenant, writes=False) as ctx:
        due = {"due_at": ctx.now}
        found = await ctx.records(OutboxRecord).find(below=due, order=("due_at",), limit=MOST_COUNTED)
        is_late = bool(found) and found[0].due_at <= ctx.now - LATE
    return not is_late, len(found)


async def _ask_hashing(plan: Plan, tenant: Tenant) -> Answer:  # noqa: ARG001  every part is asked alike
    return plan.hasher.has_room, plan.hasher.waiting
