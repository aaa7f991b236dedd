"""HTTP around invitations."""

from collections.abc import Mapping
from dataclasses import dataclass

from powauth.accounts import Account
from powauth.answers import describe
from powauth.context import Context
from powauth.errors import Forbidden
from powauth.extensions.invitation import acceptance, backing
from powauth.extensions.invitation.records import InvitationRecord
from powauth.extensions.invitation.settings import InvitationSettings
from powauth.extensions.sign_up import SignUpForm
from powauth.extensions.sign_up.handlers import detoured, new_account, proved
from powauth.forms import NoForm, asked
from powauth.http import Request
from powauth.pages import Detour, Done, Outcome, Page
from powauth.routing import Requirement, form_of


@dataclass(frozen=True, slots=True)
class MayCome(Requirement):
    """Somebody has to be signed in who may invite, or manage the invitations of everybody."""

    async def check(self, ctx: Context) -> None:
        """Raise `NotSignedIn` or `Forbidden` for others."""
        account, may = await ctx.account(), ctx[InvitationSettings]
        if not await may.lets_invite(ctx, account) and not await may.lets_manage(ctx, account):
            raise Forbidden


async def described(ctx: Context, invitation: InvitationRecord, viewer: Account) -> dict[str, object]:
    """Return an invitation as who made or manages it may see it: nothing that opens it."""
    inviter = viewer if invitation.inviter == viewer.handle else await backing.inviter_of(ctx, invitation)
    return {
        "id": invitation.id,
        "email": invitation.email,
        "metadata": dict(invitation.metadata),
        "state": invitation.state(ctx.now),
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "invited_by": inviter.label if inviter else None,
        "is_mine": inviter is viewer,
    }


def facts(ctx: Context, invitation: InvitationRecord) -> list[tuple[str, str]]:
    """Return the metadata in words, as far as there is anything in it."""
    said = ((name, value) for name, value in invitation.metadata.items() if value not in {None, "", False})
    return [(_label(ctx, name), "✓" if value is True else _value(ctx, name, value)) for name, value in said]


def _label(ctx: Context, name: str) -> str:
    codes = (f"invitation.field.{name}", f"field.{name}")
    return next((ctx.words(code) for code in codes if ctx.words.has(code)), name.replace("_", " ").capitalize())


def _value(ctx: Context, name: str, value: object) -> str:
    label = _label(ctx, f"{name}.{value}")  # of a choice
    return str(value) if label.lower() == f"{name}.{value}".replace("_", " ").lower() else label


def fields_of(ctx: Context, page: Page) -> list[dict[str, object]]:
    """Return the fields of a form that stands on another page's path, as a program is told of them."""
    form = form_of(ctx.plan.pages[page].page)
    forms = ((form,) if form else ()) + tuple(ctx.plan.fields.get(page, ()))
    return [describe(known) for each in forms for known in asked(each, ctx.plan.identifiers)]


async def greeting(ctx: Context, invitation: InvitationRecord) -> Mapping[str, object]:
    """Return what an invited person is told of the invitation."""
    inviter = await backing.inviter_of(ctx, invitation)
    return {
        "email": invitation.email,
        "invited_by": inviter.label if inviter else None,
        "expires_at": invitation.expires_at,
    }


async def sign_up(request: Request[SignUpForm], ctx: Context) -> Outcome:
    """Make an account that accepts; what follows is a sign-in like any other."""
    new = new_account(request, ctx)
    made = await acceptance.join(ctx, request.params["token"], new, request.form.password, extras=request.extras)
    if isinstance(made, Detour):
        return detoured(ctx, made)
    return proved(request.form, made.authentic, notice="address_waits" if made.waits else "accepted")


async def accept(request: Request[NoForm], ctx: Context) -> Outcome:
    """Let the signed-in account accept."""
    account = await ctx.account()
    await acceptance.accept(ctx, request.params["token"], account)
    return Done(to=ctx.plan.paths.get("after_sign_in", account), notice="accepted", data={"accepted": True})
