"""HTTP around resetting a password."""

from powauth.context import Context
from powauth.extensions import sign_in
from powauth.extensions.reset_password import operations
from powauth.extensions.reset_password.forms import ResetForm
from powauth.forms import NoForm
from powauth.http import Request
from powauth.pages import Done, Outcome, Shown


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the form, if the link is valid: looking at it uses nothing up."""
    account = await operations.peek(ctx, request.params["token"])
    return Shown(words={"name": account.label}, username=account.email or account.label)


async def submit(request: Request[ResetForm], ctx: Context) -> Outcome:
    """Set the password."""
    changed = await operations.reset(ctx, request.params["token"], request.form.password, field="password")
    to = ctx.plan.paths.get("after_sign_in") if changed.session else sign_in.NEW
    return Done(to=to, notice="changed", session=changed.session)
