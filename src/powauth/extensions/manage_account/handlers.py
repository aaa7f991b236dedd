"""HTTP around managing an account."""

from collections.abc import Mapping
from datetime import timedelta

from powauth.accounts import Account
from powauth.answers import account_data
from powauth.context import Context
from powauth.errors import ActionRequired, Forbidden, NotFound
from powauth.extensions.manage_account.forms import CloseForm, EmailForm, PasswordForm, UsernameForm
from powauth.extensions.prove import PROVE
from powauth.forms import Form, field_names
from powauth.http import Request
from powauth.operations import (
    Changed,
    change_email,
    change_password,
    change_profile,
    change_username,
    close_account,
    verify_current,
)
from powauth.pages import Detour, Done, Outcome

FRESH = timedelta(minutes=5)
"""How old a proof may be that stands in for the password of an account without one."""


async def values(ctx: Context, form: type[Form]) -> Mapping[str, object]:
    """Return what the profile form holds: the application's own columns."""
    user: object = await ctx.accounts.user(await ctx.account())
    return {name: getattr(user, name, None) for name in field_names(form)}


async def confirm_owner(ctx: Context, account: Account, password: str) -> None:
    """Make sure that it is the owner who changes a credential. Raises `InvalidForm`, `ActionRequired`."""
    if account.password_hash is not None:
        await verify_current(ctx, account, password, field="current_password")
        return
    proved_at = ctx.session.proved_at()
    if proved_at is None or ctx.now - proved_at > FRESH:
        if not ctx.has_page(PROVE):  # nowhere to prove it again but at the next sign-in
            raise Forbidden
        raise ActionRequired("prove.prove", ctx.path(PROVE))


async def set_profile(request: Request[Form], ctx: Context) -> Outcome:
    """Change columns of the application's own: those that were sent."""
    account = await ctx.account()
    names = [name for name in field_names(type(request.form)) if name in request.sent or not request.is_json_body]
    changed = await change_profile(ctx, account, {name: getattr(request.form, name) for name in names})
    return Done(notice="profile_changed", data={"account": account_data(changed)})


async def set_email(request: Request[EmailForm], ctx: Context) -> Outcome:
    """Change the address; every other device is signed out."""
    account = await ctx.account()
    await confirm_owner(ctx, account, request.form.current_password)
    changed = await change_email(ctx, account, request.form.email)
    if isinstance(changed, Detour):
        return Done(notice="email_pending", data={"account": account_data(account)})
    return _changed(changed, "email_changed")


async def set_username(request: Request[UsernameForm], ctx: Context) -> Outcome:
    """Change the user name."""
    if not request.form.username:
        raise NotFound
    account = await ctx.account()
    await confirm_owner(ctx, account, request.form.current_password)
    account = await change_username(ctx, account, request.form.username)
    return Done(notice="username_changed", data={"account": account_data(account)})


async def set_password(request: Request[PasswordForm], ctx: Context) -> Outcome:
    """Change the password; every other device is signed out."""
    account = await ctx.account()
    await confirm_owner(ctx, account, request.form.current_password)
    return _changed(await change_password(ctx, account, request.form.new_password), "password_changed")


async def close(request: Request[CloseForm], ctx: Context) -> Outcome:
    """Close the account."""
    account = await ctx.account()
    await confirm_owner(ctx, account, request.form.current_password)
    await close_account(ctx, account)
    return Done(to=ctx.plan.paths.get("after_close"), notice="closed", signs_out=True)


def _changed(changed: Changed, notice: str) -> Done:
    return Done(notice=notice, data={"account": account_data(changed.account)}, session=changed.session)
