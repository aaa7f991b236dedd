"""Closing an account, opening it again, and erasing it with all that belongs to it."""

from dataclasses import replace

from powauth.accounts import Account, Changes
from powauth.context import Context
from powauth.errors import Conflict, InvalidToken, StillReferenced
from powauth.events import Closed, Closing, Erased, Reopened
from powauth.operations.changes import change_credential, end_whatever_happens, lock_unchanged
from powauth.watching import operation


@operation
async def close_account(ctx: Context, account: Account) -> Account:
    """Close an account: its sessions, remembered devices and tokens end at once.

    It is erased in the same transaction, unless an extension keeps it for a while so that its owner can come back.
    Raises `Conflict` if rows of the application still refer to an account that is to be erased.
    """
    current = await lock_unchanged(ctx, account)
    detour = await ctx.emit(Closing(account=current))
    if detour is None:
        await ctx.emit(Closed(account=replace(current, closed_at=ctx.now)))
        await erase_account(ctx, current)
        return current
    changes = Changes(closed_at=ctx.now)
    changed = await change_credential(ctx, current, changes, "close", keeps_caller=False)
    await ctx.emit(Closed(account=changed.account))
    return changed.account


@operation
async def reopen_account(ctx: Context, account: Account) -> Account:
    """Open a closed account again; what ended stays ended. Raises `InvalidToken` when it is not closed."""
    if not account.is_closed:
        raise InvalidToken
    reopened = await ctx.accounts.change(account, Changes(closed_at=None))
    await ctx.emit(Reopened(account=reopened))
    return reopened


@operation
async def erase_account(ctx: Context, account: Account) -> None:
    """Erase a locked account and all that belongs to it. Raises `Conflict` if rows of the application refer to it."""
    ctx.owner_only()
    await ctx.emit(Erased(account=account))
    await end_whatever_happens(ctx, account.handle)
    await ctx.unit.erase(account.handle)
    try:
        await ctx.accounts.delete(account)
    except StillReferenced as error:
        raise Conflict from error
