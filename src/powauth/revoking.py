"""Revoking: what ends is written down in the transaction that ends it, where the store may lose an end."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from powauth.accounts import Handle
from powauth.context import Context, on
from powauth.errors import StoreUnavailable
from powauth.events import CredentialChanged, Erased, SessionEnded, SessionStolen
from powauth.revocations import ALL, RevocationRecord, Revocations

log = logging.getLogger("powauth")


async def is_revoked(ctx: Context, owner: Handle, ended: str) -> bool:
    """Say whether something else than a session ended, by its public id; for what is asked about in a transaction."""
    if not ctx.plan.revokes:
        return False
    return bool(await ctx.records(RevocationRecord).find(where={"owner": owner, "ended": ended}, limit=1))


def revoke(ctx: Context, owner: Handle, *, ended: str = "", epoch: int = 0, until: datetime | None = None) -> None:
    """Write down, as the last step before the commit, what this unit ends; nothing where the store loses nothing.

    `ended` is the public id of a session, or of something else that lasts `until` then; without one all sessions of
    the account end that are older than the epoch.
    """
    revocations = ctx.plan.revocations(ctx.tenant.id)
    if revocations is not None and ctx.once("revocations", owner, ended, str(epoch)):
        ctx.last_step(partial(_write, ctx, revocations, owner, ended=ended, epoch=epoch, until=until))


async def _write(
    ctx: Context, revocations: Revocations, owner: Handle, *, ended: str, epoch: int, until: datetime | None
) -> None:
    row = await ctx.records(RevocationRecord).add(revocations.row(owner, ended=ended, epoch=epoch, until=until))
    ctx.after_commit(partial(_note, revocations, row))


async def _note(revocations: Revocations, row: RevocationRecord) -> None:
    revocations.note(row)


@asynccontextmanager
async def store_may_be_away(ctx: Context) -> AsyncGenerator[None]:
    """Go on although the store does not answer, where what ends stands in the database, too.

    Raises `StoreUnavailable` where it does not.
    """
    try:
        yield
    except StoreUnavailable:
        if not ctx.plan.revokes:
            raise
        log.warning("what ends stands in the database alone: the store does not answer")


async def _session_ended(event: SessionEnded | SessionStolen, ctx: Context) -> None:
    revoke(ctx, event.handle, ended=event.session)


async def _credential_changed(event: CredentialChanged, ctx: Context) -> None:
    revoke(ctx, event.account.handle, epoch=event.account.epoch)


async def _erased(event: Erased, ctx: Context) -> None:
    revoke(ctx, event.account.handle, epoch=ALL)


HOOKS = (
    on(SessionEnded, _session_ended),
    on(SessionStolen, _session_ended),
    on(CredentialChanged, _credential_changed),
    on(Erased, _erased),
)
