"""What an owner does about what somebody else did."""

from powauth.accounts import Account, Changes
from powauth.context import Context
from powauth.extensions import reset_password
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.security_mails.settings import SecuritySettings
from powauth.operations import lock_account, restore_email
from powauth.tokens import Token


async def peek(ctx: Context, secret: str) -> Token:
    """Return which account a link secures, and leave it usable. Raises `InvalidToken`."""
    return await ctx.tokens.peek(ctx[SecuritySettings].token, secret)


async def secure(ctx: Context, secret: str) -> Account:
    """Take back what was changed, or lock the account down; nobody is signed in by that. Raises `InvalidToken`.

    Either way everything ends that could be used, and the password cannot be used any more, if a new one can be set
    by mail. A changed address is put back, and the mail with which a new password is set goes there; every other
    account is locked, and the mail that unlocks it goes to its owner.
    """
    account = await ctx.lock((await peek(ctx, secret)).account.handle)
    token = await ctx.tokens.take(ctx[SecuritySettings].token, secret)
    can_reset = ctx.has(ResetPassword)
    if "former" in token.data:
        restored = await restore_email(ctx, account, token, keeps_password=not can_reset)
        if can_reset:
            await reset_password.send_link(ctx, restored)
        return restored
    if can_reset:
        account = await ctx.accounts.change(account, Changes(password_hash=None))
    return await lock_account(ctx, account.handle, by="owner")
