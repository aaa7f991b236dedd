"""What is announced about invitations."""

from dataclasses import dataclass

from powauth.accounts import Account
from powauth.events import Event
from powauth.extensions.invitation.forms import InvitationForm
from powauth.extensions.invitation.records import InvitationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Inviting(Event):
    """Somebody is about to be invited. A hook that raises an `AuthError` refuses."""

    is_fact = False

    inviter: Account | None
    """Who invites; `None` at the command line."""
    form: InvitationForm
    """The whole form, with the application's own fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited(Event):
    """Somebody was invited."""

    invitation: InvitationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRenewed(Event):
    """An invitation was sent again, or got another link; its time begins anew."""

    invitation: InvitationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccepted(Event):
    """An invitation was accepted: the place to grant what it promised, in the same transaction."""

    invitation: InvitationRecord
    account: Account
    is_new: bool
    """Whether the account was made by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRevoked(Event):
    """An invitation was taken back; its links are worthless."""

    invitation: InvitationRecord
