"""Who stands behind an invitation: it is worth what its inviter may give now, not what they might give once."""

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import InvalidForm
from powauth.extensions.invitation.forms import InvitationForm
from powauth.extensions.invitation.records import InvitationRecord
from powauth.extensions.invitation.settings import InvitationSettings
from powauth.reading import read


async def inviter_of(ctx: Context, invitation: InvitationRecord) -> Account | None:
    """Return the account that invited; `None` once it is erased, and for the operator."""
    return await ctx.accounts.by_handle(invitation.inviter) if invitation.inviter else None


async def stands(ctx: Context, invitation: InvitationRecord) -> bool:
    """Say whether an invitation's inviter lets it be accepted: the operator, one who is gone, or one who still may."""
    if not invitation.inviter:
        return True
    inviter = await inviter_of(ctx, invitation)
    return inviter is not None and await is_backed(ctx, invitation, inviter)


async def is_backed(ctx: Context, invitation: InvitationRecord, inviter: Account) -> bool:
    """Say whether an account is not locked, and may still invite with these values.

    What strangers cause by guessing does not count as locked.
    """
    if inviter.is_locked and not inviter.is_guarded:
        return False
    form = _form(ctx, invitation)
    return form is not None and await ctx[InvitationSettings].lets_grant(ctx, inviter, form)


def _form(ctx: Context, invitation: InvitationRecord) -> InvitationForm | None:
    """Return the form that an invitation was made with; `None` if the application would not take it any more."""
    try:
        return read(ctx[InvitationSettings].form, {**invitation.metadata, "email": invitation.email})
    except InvalidForm:
        return None
