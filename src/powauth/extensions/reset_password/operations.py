"""What is done about a forgotten password."""

from powauth.accounts import Account, Changes
from powauth.context import Context
from powauth.events import PasswordChanged, PasswordChanging
from powauth.extensions.reset_password.settings import ResetSettings
from powauth.operations import (
    Changed,
    change_credential,
    confirm_email,
    forgive,
    new_hash,
    unlock_account,
)
from powauth.watching import operation


async def peek(ctx: Context, secret: str) -> Account:
    """Return whose password a link resets, and leave it usable. Raises `InvalidToken`."""
    return (await ctx.tokens.peek(ctx[ResetSettings].token, secret)).account


@operation
async def reset(ctx: Context, secret: str, password: str, *, field: str) -> Changed:
    """Set a password by a mailed link; every other link dies with it, and nobody is signed in by that.

    The password is judged and hashed before the link is used up: a poor one leaves it usable. Raises `InvalidForm`,
    `InvalidToken`.
    """
    kind = ctx[ResetSettings].token
    account = await peek(ctx, secret)
    words = tuple(word for word in (account.email, account.username) if word)
    password_hash = await new_hash(ctx, password, words, field=field)
    current = await ctx.lock(account.handle)
    await ctx.tokens.take(kind, secret)
    await ctx.emit(PasswordChanging(account=current))
    changed = await change_credential(ctx, current, Changes(password_hash=password_hash), "password")
    await _prove_mailbox(ctx, changed.account)
    await ctx.emit(PasswordChanged(account=changed.account))
    return changed


async def _prove_mailbox(ctx: Context, account: Account) -> None:
    """Draw from a proof of the mailbox what it is worth: failures are forgiven, a limit's lock is lifted."""
    if account.is_guarded:
        account = await unlock_account(ctx, account.handle, by="owner")
    if ctx[ResetSettings].confirms:
        await confirm_email(ctx, account)
    ctx.after_commit(lambda: forgive(ctx, account))
