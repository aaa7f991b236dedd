"""Ways: which provider brought a browser last, kept for as long as its session was ended by nobody."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, cast

from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.session import Session, time_of
from powauth.stores import Entry, Key

COOKIE = "provider"
LIFETIME = timedelta(days=30)
SETTLED = timedelta(minutes=1)
"""Who needs a session again so soon has lost one: led on, such a browser would go round and round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way that a browser came by."""

    provider: str
    handle: Handle
    """Whose account it was."""
    session: str
    """The public id of the session that began."""
    epoch: int
    proved: float
    """When its owner was last known to have shown the provider who they are, in seconds since 1970."""
    kept: float
    """When it was kept, likewise."""
    is_gone: bool = False
    """Whether the browser went that way again. It is kept until then, so that whoever ends it calls the browser back.
    """

    @property
    def ticket(self) -> "Ticket":
        """Which one it is."""
        return Ticket(self.handle, self.session)

    @property
    def proved_at(self) -> datetime:
        """When its owner was last known to have shown the provider who they are."""
        return time_of(self.proved)

    @property
    def ends_at(self) -> datetime:
        """When it is forgotten."""
        return time_of(self.kept) + LIFETIME


class Ticket(NamedTuple):
    """Which way a browser's cookie names. It is signed, and opens nothing: the provider has to vouch again."""

    handle: Handle
    session: str


class Ways:
    """The ways of one tenant. Each is gone once."""

    def __init__(self, ctx: Context) -> None:
        self._store = ctx.plan.watched
        self._kind = f"{ctx.plan.name}:{ctx.tenant.id}:provider_way"

    async def put(self, way: Way) -> None:
        """Keep a way."""
        await self._store.put(self._key(way.ticket), _plain(way), expires_at=way.ends_at)

    async def peek(self, ticket: Ticket) -> Way | None:
        """Return a way, and leave it."""
        entry = await self._store.get(self._key(ticket))
        return _read(entry) if entry else None

    async def go(self, ticket: Ticket) -> Way | None:
        """Return a way that nobody went again, and note that somebody does: of many requests exactly one."""
        key = self._key(ticket)
        entry = await self._store.get(key)
        way = _read(entry) if entry else None
        if entry is None or way is None or way.is_gone:
            return None
        gone = replace(way, is_gone=True)
        kept = await self._store.replace(key, _plain(gone), version=entry.version, expires_at=way.ends_at)
        return gone if kept else None

    async def forget(self, ticket: Ticket) -> None:
        """Forget a way."""
        await self._store.delete(self._key(ticket))

    async def of(self, handle: Handle) -> Sequence[Way]:
        """Return every way to an account."""
        return [_read(entry) for _, entry in await self._store.list(self._kind, handle)]

    async def forget_all(self, handle: Handle, *, keep: Collection[str] = ()) -> None:
        """Forget every way to an account, but those of these sessions."""
        await self._store.delete_all(self._kind, handle, keep=keep)

    def _key(self, ticket: Ticket) -> Key:
        return Key(self._kind, ticket.handle, ticket.session)


def _plain(way: Way) -> bytes:
    return json.dumps(asdict(way)).encode()


def _read(entry: Entry) -> Way:
    return Way(**json.loads(entry.value))


# ---- the browser's side ----


def ticket_of(ctx: Context) -> Ticket | None:
    """Return which way this browser came by last, if it was one to this tenant."""
    sealed = ctx.caller.cookies.get(COOKIE)
    found: Any = ctx.plan.signer.unseal("provider_way", sealed, now=ctx.now) if sealed else None
    if not isinstance(found, list):
        return None
    tenant, handle, session = cast("list[str]", found)
    return Ticket(Handle(handle), session) if tenant == ctx.tenant.id else None


def keep(ctx: Context, account: Account, session: Session, provider: str, proved_at: datetime) -> None:
    """Keep, once this unit is committed, by which provider this browser came to this session."""
    way = Way(
        provider=provider,
        handle=account.handle,
        session=session.public_id,
        epoch=account.epoch,
        proved=proved_at.timestamp(),
        kept=ctx.now.timestamp(),
    )
    ctx.after_commit(partial(Ways(ctx).put, way))
    value = [ctx.tenant.id, way.handle, way.session]
    sealed = ctx.plan.signer.seal("provider_way", value, expires_at=ctx.now + LIFETIME)
    ctx.write_cookie(COOKIE, sealed, max_age=LIFETIME)


def drop(ctx: Context) -> None:
    """Forget, once this unit is committed, how this browser came."""
    ticket = ticket_of(ctx)
    if ticket is not None:
        ctx.unwrite_cookie(COOKIE)
        ctx.after_commit(partial(Ways(ctx).forget, ticket))


async def go(ctx: Context) -> Way | None:
    """Return the way that this browser came by last, and let it go that way once more; `None` if it has none.

    One that it came by just now is left: whatever ended its session so soon would end the next one, too.
    """
    ticket = ticket_of(ctx)
    if ticket is None:
        return None
    known = await Ways(ctx).peek(ticket)
    if known is not None and ctx.now - time_of(known.kept) < SETTLED:
        return None
    ctx.unwrite_cookie(COOKIE)
    return await Ways(ctx).go(ticket) if known else None
