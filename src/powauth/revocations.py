"""Revocations: what ended, as the database has it, for stores that may lose a write. Every process holds the newest.

A copy of a store that comes back may have sessions that were ended. None of them lasts longer than it would have if
nobody had asked for it again, so what ended lately is enough: it fits in memory, and costs an ordinary request nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

from powauth.accounts import Handle
from powauth.clock import Clock
from powauth.database import Database, DatabaseUnit, Schema
from powauth.errors import AuthError, DatabaseUnavailable
from powauth.records import Index, Key, Owner, Record, Text, new_id
from powauth.session import Session
from powauth.stores import EPOCH
from powauth.tenants import Tenant

SLACK = timedelta(minutes=10)
"""What clocks of several machines may differ, with room."""
OVERLAP = timedelta(seconds=30)
"""How far before its last look a process looks again: a row's time is a moment before its commit."""
WHOLE_EVERY = timedelta(minutes=5)
"""How often all rows are read: for those whose transaction took longer than that."""
BATCH = 100  # rows are made in one go, and others wait meanwhile: 5 ms on a machine that has other work, too
PATIENCE = 2.0
"""Seconds for one batch."""
PAUSE = 1.0
"""Seconds after a look that failed in which nobody waits for another one."""
ALL = 2**31 - 1
"""Above every epoch: all sessions of an account that is gone."""


class RevocationRecord(Record, table="revocations", append_only=True):
    """Something that ended: one session or remembered device, or all of an account that are older than an epoch."""

    id: Annotated[str, Key(), Text(32)]
    owner: Annotated[Handle, Owner(on_erase="keep"), Text(32)]
    """The account's handle, which nobody ever has again."""
    ended: Annotated[str, Text(32)] = ""
    """The public id; empty where an epoch says it."""
    epoch: int = 0
    """Sessions of earlier ones ended."""
    at: Annotated[datetime, Index(then=("id",))]
    until: Annotated[datetime, Index()]
    """When no copy of it can live any more."""


class _Known(NamedTuple):
    at: datetime
    owner: str
    ended: str
    epoch: int


@dataclass(slots=True)
class Revoked:
    """What is known to have ended."""

    ids: set[str] = field(default_factory=set[str])
    epochs: dict[str, int] = field(default_factory=dict[str, int])
    order: deque[_Known] = field(default_factory=deque[_Known])

    def has(self, session: Session) -> bool:
        """Say whether a session ended."""
        if session.public_id in self.ids:
            return True
        epoch = self.epochs.get(session.handle)
        return epoch is not None and max(session.epochs) < epoch

    def add(self, record: RevocationRecord) -> None:
        """Know of one more; of one that is known already, nothing changes."""
        if record.ended:
            is_new = record.ended not in self.ids
            self.ids.add(record.ended)
        else:
            is_new = record.epoch > self.epochs.get(record.owner, -1)
            self.epochs[record.owner] = max(record.epoch, self.epochs.get(record.owner, -1))
        if is_new:
            self.order.append(_Known(record.at, record.owner, record.ended, record.epoch))

    def forget(self, before: datetime) -> None:
        """Forget what ended before that."""
        while self.order and self.order[0].at < before:
            known = self.order.popleft()
            self.ids.discard(known.ended)
            if not known.ended and self.epochs.get(known.owner) == known.epoch:
                del self.epochs[known.owner]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where the rows of one tenant stand."""

    database: Database[object] = field(repr=False)
    schema: Schema = field(repr=False)
    tenant: Callable[[], Tenant]

    async def since(self, when: datetime) -> AsyncIterator[RevocationRecord]:
        """Give every row of that time or later. Raises `DatabaseUnavailable`."""
        unit = self.database.unit(self.schema, self.tenant(), writes=False)
        try:
            last = RevocationRecord(id="", owner=Handle(""), at=when, until=when)
            while rows := await _batch(unit, last):
                for row in rows:
                    yield row
                last = rows[-1]
                if len(rows) < BATCH:
                    return
        finally:
            await unit.rollback()


async def _batch(unit: DatabaseUnit, last: RevocationRecord) -> list[RevocationRecord]:
    try:
        async with asyncio.timeout(PATIENCE):
            return list(await unit.records(RevocationRecord).find(order=("at",), after=last, limit=BATCH))
    except TimeoutError as error:
        raise DatabaseUnavailable from error


class Revocations:
    """What ended of one tenant's sessions lately. Known to every process `known_within` of its commit, or refused."""

    def __init__(self, table: Table, clock: Clock, *, idle: timedelta, known_within: timedelta) -> None:
        self._table = table
        self._clock = clock
        self._keeps = idle + known_within + SLACK
        self._known_within = known_within
        self._revoked = Revoked()
        self._until = EPOCH
        self._ticks_until = 0.0
        self._looked_at = EPOCH
        self._whole_at = EPOCH
        self._doubts = 0
        self._failed_at = -PAUSE
        self._looking: asyncio.Task[None] | None = None
        self._is_asked = True

    def has(self, session: Session) -> bool:
        """Say whether a session ended, as far as is known."""
        self._is_asked = True
        return self._revoked.has(session)

    @property
    def count(self) -> int:
        """How many ends are remembered."""
        return len(self._revoked.order)

    def is_due(self, now: datetime) -> bool:
        """Say whether the table has to be asked before anything may be answered."""
        return now >= self._until or _ticks() >= self._ticks_until

    async def look(self) -> None:
        """Ask the table, where that is due, before anything is answered. Raises `DatabaseUnavailable`."""
        while self.is_due(self._clock.now()):
            if _ticks() < self._failed_at + PAUSE:
                raise DatabaseUnavailable
            await self.look_anew()

    async def look_anew(self) -> None:
        """Ask the table although nothing is due yet, so that nobody has to wait when it is."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_heard)
        await asyncio.shield(self._looking)  # whoever hangs up leaves the others waiting for it

    async def keep_up(self) -> None:
        """Ask the table although nothing is due; where it does not answer, whoever is refused for that is told."""
        with suppress(AuthError):
            await self.look_anew()

    def is_asked(self) -> bool:
        """Say whether somebody asked for a session since this was called last."""
        was_asked, self._is_asked = self._is_asked, False
        return was_asked

    def doubt(self) -> None:
        """Ask the table before the next answer: the store may be another copy now."""
        self._doubts += 1
        self._until = EPOCH

    def note(self, record: RevocationRecord) -> None:
        """Know of a row that was just committed."""
        self._revoked.add(record)

    def row(self, owner: Handle, *, ended: str = "", epoch: int = 0, until: datetime | None = None) -> RevocationRecord:
        """Return the row that says so. It is needed as long as a copy of what ended may last."""
        now = self._clock.now()
        lasts = now + self._keeps
        return RevocationRecord(
            id=new_id(), owner=owner, ended=ended, epoch=epoch, at=now, until=max(lasts, until or lasts)
        )

    async def _look(self) -> None:
        now, ticks, doubts = self._clock.now(), _ticks(), self._doubts
        is_whole = now >= self._whole_at + WHOLE_EVERY
        since = now - self._keeps if is_whole else self._looked_at - OVERLAP
        try:
            async for record in self._table.since(since):
                self._revoked.add(record)
        except AuthError:
            self._failed_at = _ticks()
            raise
        self._revoked.forget(now - self._keeps)
        self._looked_at = now
        self._whole_at = now if is_whole else self._whole_at
        if doubts == self._doubts:
            self._until, self._ticks_until = now + self._known_within, ticks + self._known_within.total_seconds()


def _heard(looking: asyncio.Task[None]) -> None:
    """Take note of what went wrong although everybody who waited for it hung up."""
    if not looking.cancelled():
        looking.exception()


def _ticks() -> float:
    """Return the seconds of the event loop: a clock that was set back does not make anything newer."""
    return asyncio.get_running_loop().time()
