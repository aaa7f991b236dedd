"""Units of work: begin one, and it commits at its end or leaves nothing behind."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from powauth.context import NOBODY, Caller, Context
from powauth.errors import AuthError, Deadlocked, Stale, Unavailable
from powauth.events import Event
from powauth.plan import Plan
from powauth.tenants import Tenant

log = logging.getLogger("powauth")

T = TypeVar("T")

TRIES = 5
"""How often a unit of work that the engine undid is begun again."""


@asynccontextmanager
async def begin(
    plan: Plan, tenant: Tenant, caller: Caller = NOBODY, *, writes: bool = True, db: object | None = None
) -> AsyncGenerator[Context]:
    """Open a unit of work: Powauth's own, or inside the application's transaction `db`, which then decides."""
    if db is None:
        unit = plan.database.unit(plan.schema, tenant, writes=writes)
    else:
        unit = plan.database.join(plan.schema, tenant, db)
    ctx = Context(plan, tenant, unit, caller, is_joined=db is not None)
    try:
        yield ctx
        await ctx.commit()
    except BaseException:
        await unit.rollback()
        raise


async def persistently(work: Callable[[], Awaitable[T]]) -> T:
    """Do work that is one unit of work; begin again when the engine undid it, or when a row changed under it.

    Raises `Unavailable` when that does not help.
    """
    for _ in range(TRIES):
        try:
            return await work()
        except (Deadlocked, Stale):
            await asyncio.sleep(random.uniform(0.01, 0.1))  # noqa: S311  jitter, no secret
    raise Unavailable


_underway: set[asyncio.Task[None]] = set()


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do work that goes on although whoever waits for it is cancelled: a client that hangs up must not cut it off."""
    task = asyncio.create_task(work)
    _underway.add(task)  # the event loop alone would not keep it
    task.add_done_callback(_underway.discard)
    await asyncio.shield(task)


async def announce(plan: Plan, tenant: Tenant, caller: Caller, events: Sequence[Event]) -> None:
    """Announce what a refusal leaves behind, in a unit that commits although the request was refused."""
    heard = [event for event in events if plan.listens(type(event))]
    if not heard:
        return

    async def emit() -> None:
        async with begin(plan, tenant, caller) as ctx:
            for event in heard:
                await ctx.emit(event)

    try:
        await persistently(emit)
    except AuthError:  # the answer stands; what could not be written down is in the log
        log.exception("events were not announced: %s", ", ".join(type(event).__name__ for event in heard))


async def carefully(work: Awaitable[T]) -> T | None:
    """Do background work; what goes wrong is logged and tried again, and never ends the task."""
    try:
        return await work
    except AuthError:
        log.warning("background work has to wait", exc_info=True)
    except Exception:
        log.exception("background work failed")
    return None
