"""What this application knows of its own: teams, and who has which role in one."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from powauth import Account, Choice, Context, Form, Text
from powauth.extensions.invitation import InvitationAccepted, InvitationForm
from powauth.extensions.sign_up import SignUpForm
from powauth.sqlalchemy import AccountColumns


class Base(DeclarativeBase):
    pass


class User(AccountColumns, Base):
    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str | None] = mapped_column(String(80))
    team: Mapped[str | None] = mapped_column(String(80))
    role: Mapped[str | None] = mapped_column(String(20))


class Role(StrEnum):
    """What somebody may do in their team."""

    MEMBER = "member"
    OWNER = "owner"


class InviteForm(InvitationForm):
    """Whom to invite, into which team, as what."""

    team: Annotated[str, Text(max=80)]
    role: Annotated[str, Choice(*Role)] = Role.MEMBER


class JoinForm(SignUpForm):
    """What an invited person is asked for. Neither team nor role: those come with the invitation."""

    name: Annotated[str, Text(max=80)]


class Profile(Form):
    """What people may change about themselves."""

    name: Annotated[str, Text(max=80)] = ""


async def may_invite(ctx: Context, account: Account) -> bool:
    """Say whether somebody may invite at all: who is in a team."""
    user: User = await ctx.accounts.user(account)
    return user.team is not None


async def may_grant(ctx: Context, account: Account, form: InviteForm) -> bool:
    """Say whether somebody may give what the form says: their own team, and a role that is not above their own."""
    user: User = await ctx.accounts.user(account)
    return form.team == user.team and (form.role == Role.MEMBER or user.role == Role.OWNER)


async def join(event: InvitationAccepted, ctx: Context) -> None:
    """Put whoever accepted into the team, in the same transaction."""
    user: User = await ctx.accounts.user(event.account)
    user.team = str(event.invitation.metadata["team"])
    user.role = str(event.invitation.metadata["role"])
