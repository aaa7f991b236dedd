"""HTTP around acting as somebody."""

from powauth.answers import account_data, session_data
from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.extensions.impersonation.forms import ActForm
from powauth.extensions.impersonation.operations import begin, end
from powauth.forms import NoForm
from powauth.http import Request
from powauth.operations import find_account
from powauth.pages import Done, Outcome


async def start(request: Request[ActForm], ctx: Context) -> Outcome:
    """Begin to act as the account that was named."""
    form = request.form
    account = await find_account(ctx.accounts, form.email or form.username, ctx.plan.identifiers)
    if account is None:
        raise InvalidForm({ctx.plan.identifiers[0]: [FieldError("impersonation.nobody")]})
    entered = await begin(ctx, account, reason=form.reason)
    data = {"account": account_data(entered.account), "session": session_data(entered.session)}
    to = ctx.target(form.next) or ctx.plan.paths.get("after_sign_in", entered.account)
    return Done(to=to, data=data, session=entered.session)


async def stop(request: Request[NoForm], ctx: Context) -> Outcome:  # noqa: ARG001  the shape of a handler
    """Go back to the administrator's own session, or be signed out where that is over."""
    own = await end(ctx)
    if own is None:
        return Done(to=ctx.plan.paths.get("after_sign_out"), notice="ended", signs_out=True)
    account = await ctx.accounts.by_handle(own.handle)
    data = {"account": account_data(account), "session": session_data(own)} if account else {}
    return Done(to=ctx.plan.paths.get("after_sign_in", account), notice="ended", data=data, session=own)
