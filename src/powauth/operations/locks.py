"""Locks: nobody gets in, whoever they are."""

from powauth.accounts import Account, Changes, Handle, LockedBy
from powauth.context import Context
from powauth.errors import Forbidden
from powauth.events import Locked, Unlocked
from powauth.operations.changes import change_credential
from powauth.watching import operation


@operation
async def lock_account(ctx: Context, handle: Handle, *, by: LockedBy = "administrator") -> Account:
    """Lock an account: its sessions, remembered devices and tokens end at once. Raises `NotSignedIn` if it is gone.

    An administrator's lock stays an administrator's, whoever locks after.
    """
    account = await ctx.lock(handle)
    if account.locked_by == "administrator":
        by = "administrator"
    changes = Changes(locked_at=ctx.now, locked_by=by)
    changed = await change_credential(ctx, account, changes, "lock", keeps_caller=False)
    await ctx.emit(Locked(account=changed.account))
    return changed.account


@operation
async def unlock_account(ctx: Context, handle: Handle, *, by: LockedBy = "administrator") -> Account:
    """Unlock an account; nothing that the lock ended comes back. Raises `NotSignedIn` if it is gone.

    Raises `Forbidden` when an administrator locked it and somebody else is to unlock it.
    """
    ctx.owner_only()
    account = await ctx.lock(handle)
    if account.locked_by == "administrator" and by != "administrator":
        raise Forbidden
    changed = await ctx.accounts.change(account, Changes(locked_at=None, locked_by=None))
    await ctx.emit(Unlocked(account=changed))
    return changed


@operation
async def guard_account(ctx: Context, handle: Handle) -> Account | None:
    """Let only browsers that the account knows sign in, until its owner lifts that: after very many failures.

    Whoever is signed in stays so, or strangers could sign everybody out. Returns `None` if it is locked already, or has
    no mailbox by which its owner could lift that: then growing delays are all there is.
    """
    account = await ctx.accounts.lock(handle)
    if account is None or account.is_locked or account.is_closed or account.email is None:
        return None
    guarded = await ctx.accounts.change(account, Changes(locked_at=ctx.now, locked_by="limit"))
    await ctx.emit(Locked(account=guarded))
    return guarded
