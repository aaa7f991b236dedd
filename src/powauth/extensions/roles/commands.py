"""`powauth roles`: the first administrator is made here."""

from typing import Annotated

from powauth.accounts import Account, AccountId, Handle
from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.extension import Command, CommandResult
from powauth.extensions.roles.operations import LastOfItsKind, grant, revoke
from powauth.extensions.roles.records import RoleRecord
from powauth.extensions.roles.settings import RolesSettings
from powauth.forms import Form
from powauth.operations import find_account
from powauth.records import Text


class GrantForm(Form):
    """Whose role, and which."""

    account: Annotated[str, Text(max=254)]
    role: Annotated[str, Text(max=63)]


class RevokeForm(Form):
    """Whose role, which, and whether nobody may be left with it."""

    account: Annotated[str, Text(max=254)]
    role: Annotated[str, Text(max=63)]
    may_be_last: bool = False


class ListForm(Form):
    """Whose roles; without an account everybody's."""

    account: Annotated[str, Text(max=254)] = ""


async def grant_(form: GrantForm, ctx: Context) -> CommandResult:
    """Give a role."""
    known = ctx[RolesSettings].roles
    if form.role not in known:
        raise InvalidForm({"role": [FieldError("roles.unknown", {"roles": ", ".join(known)})]})
    account = await _found(ctx, form.account)
    return {"account": account.label, "role": form.role, "granted": await grant(ctx, account, form.role)}


async def revoke_(form: RevokeForm, ctx: Context) -> CommandResult:
    """Take a role; one that the settings do not name any more as well."""
    account = await _found(ctx, form.account)
    try:
        was_there = await revoke(ctx, account, form.role, may_be_last=form.may_be_last)
    except LastOfItsKind as error:
        raise InvalidForm({"role": [FieldError("roles.last_here")]}) from error
    return {"account": account.label, "role": form.role, "revoked": was_there}


async def list_(form: ListForm, ctx: Context) -> CommandResult:
    """List who has which role, the highest first."""
    where = {"account": (await _found(ctx, form.account)).handle} if form.account else {}
    rows = await ctx.records(RoleRecord).find(where=where)
    order = {role: place for place, role in enumerate(ctx[RolesSettings].roles)}
    rows = sorted(rows, key=lambda row: (-order.get(row.role, -1), row.granted_at))
    return [
        {
            "account": await _label(ctx, row.account),
            "role": row.role,
            "granted_at": row.granted_at,
            "granted_by": await _label(ctx, row.granted_by) if row.granted_by else None,
        }
        for row in rows
    ]


async def _label(ctx: Context, handle: Handle) -> str:
    account = await ctx.accounts.by_handle(handle)
    return account.label if account else handle


async def _found(ctx: Context, named: str) -> Account:
    account = await find_account(ctx.accounts, named)
    if account is None:
        account = await ctx.accounts.by_handle(Handle(named)) or await ctx.accounts.get(AccountId(named))
    if account is None:
        raise InvalidForm({"account": [FieldError("roles.nobody")]})
    return account


GRANT = Command(name="grant", help="Give an account a role.", form=GrantForm, run=grant_)
REVOKE = Command(name="revoke", help="Take a role from an account.", form=RevokeForm, run=revoke_)
LIST = Command(name="list", help="List who has which role.", form=ListForm, run=list_)
