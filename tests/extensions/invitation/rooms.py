"""A house where some may invite: by the name in their address, with a role and nothing above their own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from powauth import Extension
from powauth.accounts import Account
from powauth.context import Context, on
from powauth.extensions.invitation import Invitation, InvitationAccepted, InvitationForm, InvitationRecord
from powauth.forms import Choice
from powauth.testing import Answer, Site
from tests.house import PASSWORD, House, all_extensions, house, settle, sign_up, whole_house

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
OTHER = "nine slow orange hares"


class RoleForm(InvitationForm):
    """A role comes with the invitation."""

    role: Annotated[str, Choice("reader", "editor", "admin")] = "reader"


@dataclass
class Staff:
    """Who may do what: the application's own knowledge."""

    may_invite: set[str] = field(default_factory=lambda: {ADA, EVE})
    managers: set[str] = field(default_factory=set)
    admins: set[str] = field(default_factory=lambda: {ADA})
    accepted: list[InvitationAccepted] = field(default_factory=list)

    async def invites(self, ctx: Context, account: Account) -> bool:
        return account.email in self.may_invite

    def manages(self, ctx: Context, account: Account) -> bool:
        return account.email in self.managers

    async def grants(self, ctx: Context, account: Account, form: RoleForm) -> bool:
        return form.role != "admin" or account.email in self.admins

    async def hear(self, event: InvitationAccepted, ctx: Context) -> None:
        self.accepted.append(event)

    def extension(self, **settings: Any) -> Invitation:
        ours: dict[str, Any] = {
            "may_invite": self.invites,
            "may_manage": self.manages,
            "may_grant": self.grants,
            "form": RoleForm,
        }
        return Invitation(**{**ours, **settings})


@dataclass(frozen=True)
class Room:
    """The house, and its staff."""

    home: House
    staff: Staff

    def site(self, **settings: Any) -> Site:
        return self.home.site(**settings)

    async def invitations(self) -> Sequence[InvitationRecord]:
        async with self.home.auth.begin(writes=False) as ctx:
            return await ctx.records(InvitationRecord).find(order=("created_at",))

    async def account(self, email: str) -> Account | None:
        async with self.home.auth.begin(writes=False) as ctx:
            return await ctx.accounts.by_email(email)


@asynccontextmanager
async def room(
    folder: Path, *, whole: bool = True, more: Sequence[Extension] = (), hooks: Sequence[Any] = (), **settings: Any
) -> AsyncGenerator[Room]:
    """Open a house where Ada and Eve may invite; with confirmed addresses if it is the whole one."""
    staff = Staff()
    own = {key: settings.pop(key) for key in list(settings) if key in Invitation.__dataclass_fields__}
    plain = [known for known in (whole_house() if whole else all_extensions()) if not isinstance(known, Invitation)]
    listed = (*plain, staff.extension(**own), *more)
    settings.setdefault("extensions", listed)
    async with house(folder, hooks=(on(InvitationAccepted, staff.hear), *hooks), **settings) as home:
        yield Room(home, staff)


async def inside(room: Room, email: str = ADA) -> Site:
    """Return a browser that is signed in to a new account."""
    site = room.site()
    if room.home.auth.plan.held:
        await settle(site, email)
    else:
        await sign_up(site, email)
    site.outbox.clear()
    return site


async def invited(site: Site, email: str = BOB, **fields: object) -> str:
    """Invite somebody by mail and return the link."""
    answer = await site.post("/invitations", email=email, **fields)
    assert (answer.status, answer.location) == (303, "/auth/invitations"), answer.text
    assert site.mail.to == email
    return site.outbox.link


async def handed_over(site: Site, **fields: object) -> str:
    """Invite by link alone and return the link."""
    program = site.program()
    program.jar = site.jar
    answer = await program.post("/invitations", **fields)
    assert answer.status == 201, answer.text
    return str(answer.json["url"])


async def accepted(site: Site, link: str, email: str = BOB, password: str = PASSWORD, **fields: object) -> Answer:
    """Accept with a new account."""
    return await site.post(link, email=email, password=password, **fields)
