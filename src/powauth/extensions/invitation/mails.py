"""The mail that invites. Of who invites it says only the name: it reaches people who never asked for it."""

from powauth.accounts import Handle
from powauth.context import Context
from powauth.extensions.invitation import backing
from powauth.extensions.invitation.records import InvitationRecord
from powauth.mail import MailKind
from powauth.pages import Page
from powauth.tokens import TokenKind


async def is_owed(ctx: Context, handle: Handle) -> bool:
    """Say whether an invitation can still be accepted, as its mail is about to leave."""
    found = await ctx.records(InvitationRecord).get(handle)
    return found is not None and found.is_open(ctx.now) and await backing.stands(ctx, found)


def invited(page: Page, token: TokenKind) -> MailKind:
    """Return the mail to the address that is invited."""
    return MailKind("invited", page=page, token=token, still=is_owed)
