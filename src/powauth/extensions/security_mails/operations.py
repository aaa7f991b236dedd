"""What an owner does about what somebody else did."""

from collections.abc import Mapping

from powauth.accounts import Account, Changes
from powauth.context import Context
from powauth.errors import Conflict
from powauth.events import EmailConfirmed
from powauth.extensions import reset_password
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.security_mails.settings import SecuritySettings
from powauth.operations import end_links, lock_account
from powauth.tokens import Token
from powauth.watching import operation


async def peek(ctx: Context, secret: str) -> Token:
    """Return which account a link secures, and leave it usable. Raises `InvalidToken`."""
    return await ctx.tokens.peek(ctx[SecuritySettings].token, secret)


@operation
async def secure(ctx: Context, secret: str) -> Account:
    """Lock the account down; nobody is signed in by that. Raises `InvalidToken`.

    Everything ends that could be used, and the password cannot be used any more, if a new one can be set by mail. The
    mail that unlocks it goes to its owner.
    """
    account = await ctx.lock((await peek(ctx, secret)).account.handle)
    await ctx.tokens.take(ctx[SecuritySettings].token, secret)
    if ctx.has(ResetPassword):
        account = await ctx.accounts.change(account, Changes(password_hash=None))
    return await lock_account(ctx, account.handle, by="owner")


async def peek_put_back(ctx: Context, secret: str) -> Token:
    """Return which change of address a link reverts, and leave it usable. Raises `InvalidToken`."""
    return await ctx.tokens.peek(ctx[SecuritySettings].put_back_token, secret)


@operation
async def put_back(ctx: Context, secret: str) -> Account:
    """Put the former address back, and mail there how a new password is set. Raises `InvalidToken`, `Conflict`."""
    found = await peek_put_back(ctx, secret)
    account = await ctx.lock(found.account.handle)
    holder = await ctx.accounts.by_email(found.data["former"])
    if holder is not None and holder.handle != account.handle:
        raise Conflict
    token = await ctx.tokens.take(ctx[SecuritySettings].put_back_token, secret)
    return await reset_password.restore(ctx, account, token)


async def keep_proved(event: EmailConfirmed, ctx: Context) -> None:
    """Let a proved mailbox stand against former ones that nobody proved: their ways back end."""
    kind = ctx[SecuritySettings].put_back_token

    def stands(_: str, data: Mapping[str, str]) -> bool:
        return data["proved"] == "yes"

    await end_links(ctx, event.account, kind, unless=stands)
