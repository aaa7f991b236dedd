"""Who may invite, whom, and what of: S11, S14, S17, S67."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest

from powauth.context import Context, on
from powauth.errors import Forbidden
from powauth.extensions.invitation import BY_INVITER, TO_ADDRESS, Invitation, InvitationForm, Inviting, invite
from powauth.extensions.sign_in import SignIn
from powauth.forms import Password
from powauth.operations import lock_account
from powauth.outbox import OutboxRecord
from powauth.testing import Site
from powauth.tokens import TokenRecord
from tests.extensions.invitation.rooms import (
    ADA,
    BOB,
    EVE,
    RoleForm,
    Room,
    accepted,
    handed_over,
    inside,
    invited,
    room,
)
from tests.house import all_extensions, house, sign_up
from tests.withstand.attack import database

pytestmark = pytest.mark.anyio


async def test_nobody_may_invite_until_the_application_says_who(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(*all_extensions(), Invitation())) as home:
        site = home.site()
        await sign_up(site)
        assert (await site.get("/invitations")).status == 403
        assert (await site.post("/invitations", email=BOB)).status == 403
        assert (await home.site().program().post("/invitations", email=BOB)).code == "not_signed_in"


async def test_who_may_not_invite_learns_nothing_and_sends_nothing(place: Room) -> None:
    bob = await inside(place, BOB)
    assert (await bob.get("/invitations")).status == 403
    assert (await bob.post("/invitations", email=EVE)).status == 403
    assert not bob.outbox.mails
    assert not await place.invitations()


async def test_an_invitation_is_mailed_and_listed(place: Room, ada: Site) -> None:
    link = await invited(ada, role="editor")
    assert link.startswith("https://example.com/auth/invitations/")
    assert "ada@example.com" in ada.mail.text
    page = await ada.get("/invitations")
    assert BOB in page.text
    assert "Editor" in page.text
    assert link.rpartition("/")[2] not in page.text
    assert not await place.account(BOB)  # no account is made before it is accepted


async def test_the_link_of_a_mailed_invitation_is_shown_to_nobody_who_sent_it(place: Room, ada: Site) -> None:
    """S67: the link proves the mailbox, so only the mailbox gets it."""
    program = ada.program()
    program.jar = ada.jar
    answer = await program.post("/invitations", email=BOB)
    assert (answer.status, answer.json["url"]) == (201, None)
    secret = ada.outbox.link.rpartition("/")[2]
    assert secret not in answer.text
    listed = await program.get("/invitations")
    assert secret not in listed.text
    assert [each["email"] for each in listed.json["invitations"]] == [BOB]


async def test_without_an_address_the_link_is_shown_once_and_stored_nowhere(place: Room, ada: Site) -> None:
    """S14."""
    shown = await ada.post("/invitations", email="", role="reader")
    assert shown.status == 201
    link = shown.text.partition('value="https://example.com/auth/invitations/')[2].partition('"')[0]
    assert len(link) == 77
    assert link not in (await ada.get("/invitations")).text
    assert link[-40:] not in "\n".join(database(place.home)).lower()
    assert not ada.outbox.mails
    assert (await place.site().get(f"/invitations/{link}")).status == 200


async def test_nothing_that_opens_an_invitation_waits_in_the_outbox(place: Room, ada: Site) -> None:
    """S14: the sender mints the link as it sends."""
    async with place.home.auth.begin() as ctx:
        await invite(ctx, await ctx.accounts.by_email(ADA), RoleForm(email=BOB))
    async with place.home.auth.begin(writes=False) as ctx:
        (row,) = await ctx.records(OutboxRecord).find(where={"to": BOB})
        assert not await ctx.records(TokenRecord).find()
    assert row.parts == '{"name": "ada@example.com"}'
    await ada.deliver()
    assert (await place.site().get(ada.outbox.link)).status == 200


async def test_an_address_with_an_account_is_invited_like_a_free_one(place: Room, ada: Site) -> None:
    """S11: the answer, the rows and the mail are the same."""
    await inside(place, EVE)
    program = ada.program()
    program.jar = ada.jar
    free = await program.post("/invitations", email=BOB, role="editor")
    taken = await program.post("/invitations", email=EVE, role="editor")
    assert free.status == taken.status == 201
    assert set(free.json["invitation"]) == set(taken.json["invitation"])
    assert [header for header, _ in free.headers] == [header for header, _ in taken.headers]
    first, second = ada.outbox.mails[-2:]
    assert (first.kind, first.subject, set(first.parts)) == (second.kind, second.subject, set(second.parts))


async def test_nobody_grants_what_they_do_not_have(place: Room) -> None:
    eve = await inside(place, EVE)
    assert (await eve.post("/invitations", email=BOB, role="admin")).status == 403
    assert (await eve.post("/invitations", email=BOB, role="owner")).status == 422  # no choice of the form
    assert not await place.invitations()
    assert not eve.outbox.mails
    await invited(eve, role="editor")


async def test_only_declared_fields_become_metadata(place: Room, ada: Site) -> None:
    """S65: nothing is assigned that was not declared."""
    sent = {"email": BOB, "role": "editor", "metadata": {"role": "admin"}, "inviter": "x" * 32, "organisation": "1"}
    program = ada.program()
    program.jar = ada.jar
    answer = await program.post("/invitations", **sent, accepted_at="2020-01-01", expires_at="2999-01-01")
    assert answer.json["invitation"]["metadata"] == {"role": "editor"}
    (found,) = await place.invitations()
    assert found.metadata == {"role": "editor"}
    assert (found.accepted_at, found.expires_at) == (None, found.created_at + timedelta(days=7))


async def test_a_form_with_fields_of_its_own_needs_somebody_who_says_who_may_give_them() -> None:
    assert "may_grant" in " ".join(Invitation(form=RoleForm).problems())
    assert not Invitation(form=RoleForm, may_grant=lambda ctx, account, form: False).problems()


async def test_settings_that_would_be_unsafe_are_refused_at_start() -> None:
    class Secret(InvitationForm):
        pin: Annotated[str, Password()] = ""

    granted = Invitation(form=Secret, may_grant=lambda ctx, account, form: True)
    assert "password" in " ".join(granted.problems())
    assert Invitation(lifetime=timedelta(0)).problems()
    assert Invitation(lifetime=timedelta(days=91)).problems()
    assert Invitation(most_open=0).problems()


async def test_a_yes_is_true_and_nothing_else(tmp_path: Path) -> None:
    """A hook that forgets to compare, and returns a row or a string, opens nothing."""
    async with room(tmp_path, may_invite=lambda ctx, account: "no") as place:
        site = await inside(place)
        assert (await site.post("/invitations", email=BOB)).status == 403


async def test_one_address_is_invited_once_by_one_person(place: Room, ada: Site) -> None:
    await invited(ada)
    again = await ada.post("/invitations", email="BOB@example.com")
    assert (again.status, "already" in again.text) == (422, True)
    assert len(await place.invitations()) == 1
    eve = await inside(place, EVE)
    await invited(eve)


async def test_a_double_click_invites_once(place: Room, ada: Site) -> None:
    answers = await asyncio.gather(*(ada.post("/invitations", email=BOB) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [303, 422, 422, 422]
    assert len(await place.invitations()) == 1


async def test_open_invitations_are_limited(tmp_path: Path) -> None:
    async with room(tmp_path, most_open=2) as place:
        ada = await inside(place)
        links = [await handed_over(ada), await handed_over(ada)]
        third = await ada.post("/invitations", email="")
        assert (third.status, "as many" in third.text) == (422, True)
        await accepted(place.site(), links[0])  # a new account without a proved address
        assert (await ada.post("/invitations", email="")).status == 422  # it waits
        place.home.clock.move(timedelta(days=8))
        await inside_again(ada)
        assert (await ada.post("/invitations", email="")).status == 201


async def inside_again(site: Site) -> None:
    site.jar = {}
    assert (await site.post("/sign-in", email=ADA, password="four quiet green owls")).location == "/"


async def test_inviting_is_limited_by_who_invites(place: Room, ada: Site) -> None:
    for number in range(BY_INVITER.times):
        await handed_over(ada)
        assert number < BY_INVITER.times
    refused = await ada.post("/invitations", email="")
    assert (refused.status, refused.header("retry-after") is not None) == (429, True)
    await handed_over(await inside(place, EVE))


async def test_inviting_is_limited_by_the_address_whoever_invites(place: Room, ada: Site) -> None:
    for number in range(TO_ADDRESS.times):
        site = ada if number % 2 else await inside(place, f"w{number}@example.com")
        place.staff.may_invite.add(f"w{number}@example.com")
        await site.post("/invitations", email=BOB)
        await revoke_all(place)
    answer = await ada.post("/invitations", email="Bob@Example.com")
    assert answer.status == 429
    assert len(await place.invitations()) == TO_ADDRESS.times


async def revoke_all(place: Room) -> None:
    for found in await place.invitations():
        if not found.is_over:
            site = place.site()
            async with place.home.auth.begin() as ctx:
                await ctx.records(type(found)).update(found, revoked_at=ctx.now)
            await site.deliver()


async def test_a_stranger_without_the_permission_uses_no_limit_up(place: Room, ada: Site) -> None:
    bob = await inside(place, BOB)
    for _ in range(TO_ADDRESS.times + 1):
        assert (await bob.post("/invitations", email=EVE)).status == 403
    await invited(ada, EVE)


async def test_a_hook_may_refuse_what_is_about_to_be_sent(tmp_path: Path) -> None:
    async def only_ours(event: Inviting, ctx: Context) -> None:
        assert isinstance(event.form, RoleForm)
        if not (event.form.email or "").endswith("@example.com"):
            raise Forbidden

    async with room(tmp_path, hooks=(on(Inviting, only_ours),)) as place:
        ada = await inside(place)
        assert (await ada.post("/invitations", email="x@elsewhere.example")).status == 403
        await invited(ada)


async def test_an_application_may_want_addresses_only(tmp_path: Path) -> None:
    async with room(tmp_path, by_link=False) as place:
        ada = await inside(place)
        answer = await ada.post("/invitations", email="")
        assert (answer.status, "Please fill this in" in answer.text) == (422, True)


async def test_a_locked_inviter_is_out(place: Room, ada: Site) -> None:
    account = await place.account(ADA)
    assert account
    async with place.home.auth.begin() as ctx:
        await lock_account(ctx, account.handle, by="administrator")
    assert (await ada.post("/invitations", email=BOB)).status == 401
    assert not await place.invitations()


async def test_signing_up_is_no_part_that_is_needed(tmp_path: Path) -> None:
    extensions = (SignIn(), Invitation(may_invite=lambda ctx, account: True))
    async with house(tmp_path, extensions=extensions) as home:
        assert (await home.site().get("/sign-up")).status == 404
