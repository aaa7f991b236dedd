"""What an application may set about invitations."""

import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from powauth.accounts import Account, Change
from powauth.context import Context
from powauth.extension import Extension
from powauth.extensions.invitation.forms import InvitationForm, metadata_of
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUpForm
from powauth.forms import field_names, form_fields
from powauth.tokens import TokenKind

Answer = bool | Awaitable[bool]
May = Callable[[Context, Account], Answer]
"""Says whether an account may do something."""
MayGrant = Callable[[Context, Account, Any], Answer]
"""Says whether an account may invite with this form; it is of the class that the application set."""

LONGEST = timedelta(days=90)


def nobody(ctx: Context, account: Account) -> bool:  # noqa: ARG001  the shape of `May`
    """Return `False`."""
    return False


async def is_yes(answer: Answer) -> bool:
    """Return what a hook of the application answered, at once or later; nothing but `True` is a yes."""
    return (await answer if inspect.isawaitable(answer) else answer) is True


class InvitationSettings(Extension):
    """Settings of `Invitation`."""

    may_invite: May = nobody
    """Says, given the context and the account, who may invite. Asked again when an invitation is accepted."""
    may_grant: MayGrant | None = None
    """Says, given also the form, who may invite with these values. Needed where the form has fields of its own."""
    may_manage: May = nobody
    """Says, given the context and the account, who may see, revoke and send again the invitations of everybody."""
    form: type[InvitationForm] = InvitationForm
    """What is asked for: a subclass of `InvitationForm` adds fields, which become the metadata."""
    sign_up_form: type[SignUpForm] | None = None
    """What an invited person is asked for; without it what `SignUp` asks for."""
    lifetime: timedelta = timedelta(days=7)
    """How long an invitation stands, and its link works."""
    most_open: int = 100
    """How many open invitations one account may have."""
    by_link: bool = True
    """Whether somebody without an address may be invited, by a link that is handed over."""

    name = "invitation"
    requires = (SignIn,)

    @property
    def token(self) -> TokenKind:
        """What a link holds. It belongs to the invitation, so no change of any account touches it."""
        survives: tuple[Change, ...] = ("password", "email", "lock", "factor", "close")
        return TokenKind("invitation", self.lifetime, survives=survives, about="invitation")

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        found: list[str] = []
        if not timedelta(0) < self.lifetime <= LONGEST:
            found.append("lifetime has to be longer than nothing and at most 90 days")
        if self.most_open < 1:
            found.append("most_open has to be at least 1")
        own = set(field_names(self.form)) - set(field_names(InvitationForm))
        if own and self.may_grant is None:
            found.append("form has fields of its own: say with may_grant who may give them")
        if any(known.is_secret for known in form_fields(self.form)):
            found.append("form asks for a password: what it asks for is stored as it is")
        return tuple(found)

    async def lets_invite(self, ctx: Context, account: Account) -> bool:
        """Say whether an account may invite at all."""
        return await is_yes(self.may_invite(ctx, account))

    async def lets_manage(self, ctx: Context, account: Account) -> bool:
        """Say whether an account may see and end the invitations of everybody."""
        return await is_yes(self.may_manage(ctx, account))

    async def lets_grant(self, ctx: Context, account: Account, form: InvitationForm) -> bool:
        """Say whether an account may invite with these values."""
        if not await self.lets_invite(ctx, account):
            return False
        if self.may_grant is None:
            return not metadata_of(form)
        return await is_yes(self.may_grant(ctx, account, form))
