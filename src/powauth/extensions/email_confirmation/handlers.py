"""HTTP around proving addresses."""

from powauth.context import Context
from powauth.extensions import sign_in
from powauth.extensions.email_confirmation import operations
from powauth.forms import NoForm
from powauth.http import Request
from powauth.pages import Done, Outcome, Shown


async def waiting(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Say that a mail is on its way; to who is signed in, which address their account waits for."""
    account = await ctx.account_if_any()
    pending = await operations.pending(ctx, account.handle) if account else None
    return Shown(data={"pending_email": pending.email if pending else None, "is_signed_in": account is not None})


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the button, if the link is valid: looking at it uses nothing up."""
    found = await operations.peek(ctx, request.params["token"])
    return Shown(words={"email": found.email, "name": found.account.label})


async def confirm(request: Request[NoForm], ctx: Context) -> Outcome:
    """Confirm the address."""
    changed = await operations.confirm(ctx, request.params["token"])
    to = sign_in.NEW if ctx.caller.session is None else ctx.plan.paths.get("after_sign_in", changed.account)
    return Done(to=to, notice="confirmed", session=changed.session)


async def cancel(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Give the pending address up."""
    account = await ctx.lock((await ctx.account()).handle)
    await operations.cancel(ctx, account)
    return Done(to=ctx.plan.paths.get("after_sign_in", account), notice="cancelled")


async def show_undo(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show both buttons, if the link is valid: to take the change back, or to let it stand for good."""
    token = await operations.peek_undo(ctx, request.params["token"])
    return Shown(words={"former": token.data["former"], "email": token.data["email"]})


async def undo(request: Request[NoForm], ctx: Context) -> Outcome:
    """Take the change back; a new password is set by way of the restored mailbox."""
    account = await operations.undo(ctx, request.params["token"])
    return Done(to=sign_in.NEW, notice="undone", signs_out=ctx.is_signed_in_as(account))


async def waive(request: Request[NoForm], ctx: Context) -> Outcome:
    """Let the change stand for good."""
    await operations.waive(ctx, request.params["token"])
    return Done(to=sign_in.NEW, notice="waived")
