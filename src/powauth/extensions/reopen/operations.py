"""What is done to a closed account: kept, opened again, erased in the end."""

import logging
from datetime import timedelta
from functools import partial

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import Conflict, InvalidToken
from powauth.events import Reopened
from powauth.extensions.reopen.records import ClosureRecord
from powauth.extensions.reopen.settings import ReopenSettings
from powauth.operations import erase_account, reopen_account
from powauth.units import begin
from powauth.watching import operation

AGAIN_AFTER = timedelta(days=1)
"""When erasing is tried again that rows of the application stood in the way of, or that was cut off."""

log = logging.getLogger("powauth")


async def keep(ctx: Context, account: Account) -> None:
    """Keep an account that is being closed; a former closing of it is over."""
    closures = ctx.records(ClosureRecord)
    await closures.delete_all(where={"owner": account.handle})
    await closures.add(ClosureRecord(owner=account.handle, erase_at=ctx.now + ctx[ReopenSettings].within))


async def closure(ctx: Context, account: Account) -> ClosureRecord | None:
    """Return until when a closed account can be opened again."""
    found = await ctx.records(ClosureRecord).get(account.handle)
    return found if account.is_closed and found is not None and found.erase_at > ctx.now else None


async def forget(event: Reopened, ctx: Context) -> None:
    """Forget that an account was closed."""
    await ctx.records(ClosureRecord).delete_all(where={"owner": event.account.handle})


async def peek(ctx: Context, secret: str) -> Account:
    """Return which account a link opens again, and leave it usable. Raises `InvalidToken`."""
    return (await ctx.tokens.peek(ctx[ReopenSettings].token, secret)).account


@operation
async def reopen(ctx: Context, secret: str) -> Account:
    """Open a closed account again; nobody is signed in by that. Raises `InvalidToken`."""
    account = await ctx.lock((await peek(ctx, secret)).handle)
    await ctx.tokens.take(ctx[ReopenSettings].token, secret)
    if await closure(ctx, account) is None:
        raise InvalidToken
    return await reopen_account(ctx, account)


async def erase_due(ctx: Context) -> int:
    """Erase one account whose time is over, after this unit is committed; say how many were due.

    It is put off first: what stands in the way of it, or cuts it off, is tried again a day later.
    """
    due = await ctx.records(ClosureRecord).find(below={"erase_at": ctx.now}, order=("erase_at",), limit=1)
    for found in due:
        claimed = await ctx.records(ClosureRecord).update(found, erase_at=ctx.now + AGAIN_AFTER)
        ctx.after_commit(partial(_erase, ctx, claimed))
    return len(due)


async def _erase(ctx: Context, claimed: ClosureRecord) -> None:
    """Erase an account that nobody opened again meanwhile, in a unit of its own."""
    try:
        async with begin(ctx.plan, ctx.tenant) as unit:
            account = await unit.accounts.lock(claimed.owner)
            current = await unit.records(ClosureRecord).get(claimed.owner)
            if account is not None and account.is_closed and current == claimed:
                await erase_account(unit, account)
    except Conflict:
        log.warning("account %s was not erased: rows of the application refer to it", claimed.owner)
