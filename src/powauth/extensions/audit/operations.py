"""Writing rows, finding them, and letting go of old ones."""

import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, ip_address, ip_network

from powauth.accounts import Handle
from powauth.clients import limit_key
from powauth.context import Context
from powauth.errors import TooManyAttempts
from powauth.events import Event
from powauth.extensions.audit.details import printable, written
from powauth.extensions.audit.naming import event_name
from powauth.extensions.audit.records import AuditRecord, first_id, row_id
from powauth.extensions.audit.settings import AuditSettings, Clients

BATCH = 1000
"""Rows that are deleted or read at a time: others get a turn in between."""

log = logging.getLogger("powauth.extensions.audit")


async def write(event: Event, ctx: Context) -> None:
    """Write a row for an event that happened, in the transaction of what it tells: both last, or neither."""
    settings = ctx[AuditSettings]
    if not event.is_fact or isinstance(event, settings.leaves_out):
        return
    row = told(event, ctx, settings.clients)
    if await _is_flood(row, ctx, settings):
        return
    await ctx.records(AuditRecord).add(row)
    if settings.logs:
        ctx.after_commit(lambda: _log(row))


def told(event: Event, ctx: Context, clients: Clients) -> AuditRecord:
    """Return what may be told of an event: who, what, when, from where, on whose behalf."""
    found = written(event, lambda text: _digest(ctx, text))
    caller = ctx.caller
    session = caller.session
    actor = (session.actor or session.handle) if session else Handle("")
    return AuditRecord(
        id=row_id(ctx.now),
        at=ctx.now,
        event=event_name(type(event), ctx.plan.extensions)[:100],
        account=found.account,
        actor=actor,
        behalf=session.handle if session and session.actor else Handle(""),
        operator=printable(caller.operator, 64),
        session=printable(found.session or (session.public_id if session else ""), 64),
        client=_client(caller.client, clients),
        device=printable(caller.device, 80),
        details=found.details,
    )


def _digest(ctx: Context, text: str) -> str:
    # With a key: who has the table alone cannot try addresses. 64 bits: enough to tell two apart.
    return ctx.plan.signer.sign("audit.address", f"{ctx.tenant.id}\0{text}".encode("utf-8", "replace"))[:8].hex()


def _client(client: str, clients: Clients) -> str:
    if clients == "none":
        return ""
    if clients == "whole":
        return printable(client, 64)
    try:
        address = ip_address(client)
    except ValueError:  # no network address: nothing is known of what it tells
        return ""
    return str(ip_network((int(address), 24 if isinstance(address, IPv4Address) else 48), strict=False).network_address)


async def _is_flood(row: AuditRecord, ctx: Context, settings: AuditSettings) -> bool:
    """Say whether a stranger has had many rows: what concerns nobody costs one request, and would fill the disk."""
    if row.account or row.actor or not ctx.caller.client or ctx.unit.has_written:
        return False
    try:
        await ctx.limits.claim("audit", settings.strangers, limit_key(ctx.caller.client))
    except TooManyAttempts:
        return True
    return False


async def _log(row: AuditRecord) -> None:
    log.info("%s", json.dumps(plain(row), ensure_ascii=False))


def plain(row: AuditRecord) -> dict[str, object]:
    """Return a row as JSON holds it."""
    return {
        "id": row.id,
        "at": row.at.isoformat(timespec="microseconds"),
        "event": row.event,
        "account": row.account,
        "actor": row.actor,
        "behalf": row.behalf,
        "operator": row.operator,
        "session": row.session,
        "client": row.client,
        "device": row.device,
        "details": dict(row.details),
    }


async def forget_old(ctx: Context) -> int:
    """Delete a batch of the rows whose time is over; say how many."""
    keep = ctx[AuditSettings].keep
    if keep is None:
        return 0
    before = {"id": first_id(ctx.now - keep)}
    return await ctx.records(AuditRecord).delete_all(where={}, below=before, limit=BATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which rows are asked for."""

    where: Mapping[str, object]
    since: datetime | None = None
    until: datetime | None = None

    @property
    def below(self) -> Mapping[str, object]:
        """What rows that came before `until` lie below."""
        return {} if self.until is None else {"id": first_id(self.until)}


async def newest(ctx: Context, search: Search, limit: int, *, before: str = "") -> Sequence[AuditRecord]:
    """Return rows, the newest first; those before the row of that id."""
    records, cursor = ctx.records(AuditRecord), _cursor(before) if before else None
    found = await records.find(where=search.where, below=search.below, order=("-id",), limit=limit, after=cursor)
    return [row for row in found if search.since is None or row.at >= search.since]


async def oldest(ctx: Context, search: Search, after: str = "") -> AsyncIterator[AuditRecord]:
    """Give rows in the order of time, however many, after the row of that id. Holds no connection between batches."""
    start = max(after, first_id(search.since) if search.since else "")
    while True:
        rows = await _page(ctx, search, start)
        await ctx.release()
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        start = rows[-1].id


async def _page(ctx: Context, search: Search, start: str) -> Sequence[AuditRecord]:
    cursor = _cursor(start) if start else None
    records = ctx.records(AuditRecord)
    return await records.find(where=search.where, below=search.below, order=("id",), limit=BATCH, after=cursor)


def _cursor(id: str) -> AuditRecord:
    """Return a row that stands for a place in the order, whether or not there is one."""
    nobody = Handle("")
    return AuditRecord(
        id=id,
        at=datetime.min,  # noqa: DTZ901  not looked at: the order is that of ids
        event="",
        account=nobody,
        actor=nobody,
        behalf=nobody,
        operator="",
        session="",
        client="",
        device="",
        details={},
    )
