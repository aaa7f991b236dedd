"""Invitations at the command line: the operator's own, and an eye on everybody's."""

from powauth.context import Context
from powauth.errors import FieldError, InvalidForm
from powauth.extension import Command, CommandResult
from powauth.extensions.invitation import backing, operations
from powauth.extensions.invitation.forms import InvitationForm, RevokeForm
from powauth.extensions.invitation.records import InvitationRecord
from powauth.forms import NoForm


async def show(form: NoForm, ctx: Context) -> CommandResult:  # noqa: ARG001  the shape of a command
    """Return every invitation that is not over."""
    return [await _row(ctx, found) for found in await operations.standing(ctx, operations.NOT_OVER)]


async def create(form: InvitationForm, ctx: Context) -> CommandResult:
    """Invite somebody by mail. A link to hand over would be a secret on a screen, and in its history."""
    if form.email is None:
        raise InvalidForm({"email": [FieldError("required")]})
    return await _row(ctx, (await operations.invite(ctx, None, form)).invitation)


async def revoke(form: RevokeForm, ctx: Context) -> CommandResult:
    """Take an invitation back. Raises `NotFound`."""
    return await _row(ctx, await operations.revoke(ctx, await operations.find(ctx, None, form.id)))


async def _row(ctx: Context, invitation: InvitationRecord) -> dict[str, object]:
    inviter = await backing.inviter_of(ctx, invitation)
    return {
        "id": invitation.id,
        "email": invitation.email,
        "state": invitation.state(ctx.now),
        "invited_by": inviter.label if inviter else None,
        "expires_at": invitation.expires_at,
        **invitation.metadata,
    }


def commands(form: type[InvitationForm]) -> tuple[Command[NoForm], Command[InvitationForm], Command[RevokeForm]]:
    """Return the commands; `create` asks for what the application's form asks for."""
    return (
        Command(name="list", help="List the invitations that are not over.", form=NoForm, run=show),
        Command(name="create", help="Invite somebody by mail.", form=form, run=create),
        Command(name="revoke", help="Revoke an invitation.", form=RevokeForm, run=revoke),
    )
