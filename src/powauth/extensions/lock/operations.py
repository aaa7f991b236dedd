"""What locks an account, and its owner's way back in."""

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import TooManyAttempts
from powauth.events import AuthenticationFailed, Locked, PasswordChanged, SignedIn, Unlocked
from powauth.extensions.lock.settings import LockSettings
from powauth.operations import forgive, guard_account, unlock_account
from powauth.watching import operation

COUNTED = "lock"


async def count(event: AuthenticationFailed, ctx: Context) -> None:
    """Count a failure; after very many, only browsers that the account knows may go on (S42, S46)."""
    if event.handle is None:
        return
    try:
        await ctx.limits.attempt(COUNTED, ctx[LockSettings].failures, event.handle)
    except TooManyAttempts:
        await guard_account(ctx, event.handle)


async def forget(event: SignedIn | Unlocked | PasswordChanged, ctx: Context) -> None:
    """Forget the failures of an account whose owner is in, or that was opened, or that has another password."""
    ctx.after_commit(lambda: ctx.limits.succeeded(COUNTED, event.account.handle))


async def revoke(event: Locked, ctx: Context) -> None:
    """Make what was mailed before worthless: an administrator's lock is lifted by an administrator only."""
    if event.account.locked_by == "administrator":
        await ctx.tokens.revoke(event.account, ctx[LockSettings].token)


async def peek(ctx: Context, secret: str) -> Account:
    """Return which account a link unlocks, and leave it usable. Raises `InvalidToken`."""
    return (await ctx.tokens.peek(ctx[LockSettings].token, secret)).account


@operation
async def unlock(ctx: Context, secret: str) -> Account:
    """Unlock an account by a mailed link; nobody is signed in by that. Raises `InvalidToken`, `Forbidden`."""
    account = await ctx.lock((await peek(ctx, secret)).handle)
    await ctx.tokens.take(ctx[LockSettings].token, secret)
    unlocked = await unlock_account(ctx, account.handle, by="owner") if account.is_locked else account
    ctx.after_commit(lambda: forgive(ctx, unlocked))
    return unlocked
