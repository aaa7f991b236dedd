"""What becomes of invitations: seen, sent again, revoked, forgotten; with or without who made them."""

from datetime import timedelta
from pathlib import Path

import pytest

from powauth.accounts import Handle
from powauth.context import Context, on
from powauth.extensions.invitation import InvitationRevoked
from powauth.extensions.invitation import operations as made
from powauth.operations import erase_account, lock_account
from powauth.testing import Site
from tests.extensions.invitation.rooms import (
    ADA,
    BOB,
    EVE,
    Room,
    accepted,
    handed_over,
    inside,
    invited,
    room,
)
from tests.house import PASSWORD, sign_in
from tests.withstand.attack import database

pytestmark = pytest.mark.anyio


async def only_id(place: Room) -> str:
    (found,) = await place.invitations()
    return found.id


async def erase(place: Room, email: str) -> None:
    account = await place.account(email)
    assert account
    async with place.home.auth.begin() as ctx:
        await erase_account(ctx, await ctx.lock(account.handle))


async def test_a_revoked_invitation_is_worthless(place: Room, ada: Site) -> None:
    link = await invited(ada)
    answer = await ada.post(f"/invitations/{await only_id(place)}/revoke")
    assert answer.location == "/auth/invitations"
    assert "The invitation is revoked" in (await ada.get("/invitations")).text
    assert (await accepted(place.site(), link)).status == 400
    assert (await ada.post(f"/invitations/{await only_id(place)}/revoke")).status == 404
    program = ada.program()
    program.jar = ada.jar
    await invited(ada)
    found = (await program.get("/invitations")).json["invitations"]
    assert (await program.post(found[0]["revoke_url"])).status == 204


async def test_nobody_touches_the_invitations_of_others(place: Room, ada: Site) -> None:
    """S16, S65."""
    link = await invited(ada)
    eve = await inside(place, EVE)
    for what in ("revoke", "send-again"):
        assert (await eve.post(f"/invitations/{await only_id(place)}/{what}")).status == 404
        assert (await place.site().post(f"/invitations/{await only_id(place)}/{what}")).status == 401
        assert (await eve.post(f"/invitations/{'0' * 32}/{what}")).status == 404
        assert (await eve.post(f"/invitations/x%27--/{what}")).status == 404
    assert BOB not in (await eve.get("/invitations")).text
    assert (await place.site().get(link)).status == 200


async def test_who_may_manage_sees_and_ends_everybodys(place: Room, ada: Site) -> None:
    link = await invited(ada)
    place.staff.managers.add(BOB)
    manager = await inside(place, BOB)
    page = await manager.get("/invitations")
    assert (page.status, ADA in page.text) == (200, True)
    assert (await manager.post("/invitations", email=EVE)).status == 403  # to manage is not to invite
    assert (await manager.post(f"/invitations/{await only_id(place)}/send-again")).status == 303
    assert (await manager.post(f"/invitations/{await only_id(place)}/revoke")).status == 303
    assert (await place.site().get(link)).status == 400


async def test_who_lost_the_permission_still_revokes_and_sends_nothing(place: Room, ada: Site) -> None:
    await invited(ada)
    place.staff.may_invite.clear()
    ada.outbox.clear()
    assert (await ada.post(f"/invitations/{await only_id(place)}/send-again")).status == 403
    assert not ada.outbox.mails
    assert (await ada.post(f"/invitations/{await only_id(place)}/revoke")).status == 303


async def test_sent_again_it_begins_anew_and_either_link_ends_both(place: Room, ada: Site) -> None:
    """S17."""
    first = await invited(ada)
    place.home.clock.move(timedelta(days=6))
    await sign_in(ada)
    ada.outbox.clear()
    await ada.post(f"/invitations/{await only_id(place)}/send-again")
    second = ada.outbox.link
    assert second != first
    place.home.clock.move(timedelta(days=2))
    assert (await place.site().get(first)).status == 400  # its own time is over
    assert (await accepted(place.site(), second)).status == 303
    assert (await accepted(place.site(), second)).status == 400


async def test_of_two_links_using_one_ends_the_other(place: Room, ada: Site) -> None:
    first = await invited(ada)
    await ada.post(f"/invitations/{await only_id(place)}/send-again")
    second = ada.outbox.link
    assert (await place.site().get(second)).status == 200
    assert (await accepted(place.site(), first)).status == 303
    assert (await place.site().get(second)).status == 400


async def test_an_invitation_that_was_too_old_can_be_sent_again(place: Room, ada: Site) -> None:
    await invited(ada)
    place.home.clock.move(timedelta(days=8))
    await sign_in(ada)
    assert "Too old" in (await ada.get("/invitations")).text
    await ada.post(f"/invitations/{await only_id(place)}/send-again")
    assert (await accepted(place.site(), ada.outbox.link)).status == 303


async def test_a_new_link_replaces_the_one_that_was_handed_over(place: Room, ada: Site) -> None:
    first = await handed_over(ada)
    page = await ada.post(f"/invitations/{await only_id(place)}/send-again")
    second = page.text.partition('value="https://example.com')[2].partition('"')[0]
    assert (page.status, second.startswith("/auth/invitations/")) == (200, True)
    assert (await place.site().get(first)).status == 400
    assert (await place.site().get(second)).status == 200
    program = ada.program()
    program.jar = ada.jar
    third = (await program.post(f"/invitations/{await only_id(place)}/send-again")).json["url"]
    assert (await place.site().get(second)).status == 400
    assert (await place.site().get(third)).status == 200


async def test_sending_again_is_limited_like_inviting(place: Room, ada: Site) -> None:
    await invited(ada)
    for _ in range(made.TO_ADDRESS.times - 1):
        assert (await ada.post(f"/invitations/{await only_id(place)}/send-again")).status == 303
    assert (await ada.post(f"/invitations/{await only_id(place)}/send-again")).status == 429


async def test_the_list_comes_in_pages(place: Room, ada: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "PAGE", 2)
    for number in range(5):
        place.home.clock.move(timedelta(seconds=1))
        await invited(ada, f"n{number}@example.com")
    program = ada.program()
    program.jar = ada.jar
    url, seen = "/invitations", []
    while url:
        page = (await program.get(url)).json
        seen += [each["email"] for each in page["invitations"]]
        url = page["more_url"]
    assert seen == [f"n{number}@example.com" for number in (4, 3, 2, 1, 0)]
    for odd in ("x", "0" * 32, "%00", "'"):
        assert (await program.get(f"/invitations?after={odd}")).status == 200


async def test_deleting_the_inviter_breaks_nothing(place: Room, ada: Site) -> None:
    link, other = await invited(ada, role="admin"), await handed_over(ada)
    await erase(place, ADA)
    assert {found.inviter for found in await place.invitations()} == {Handle("")}
    page = await place.site().get(link)
    assert (page.status, ADA in page.text) == (200, False)
    assert (await accepted(place.site(), link)).status == 303
    assert (await accepted(place.site(), other, "carl@example.com")).status == 303
    assert place.staff.accepted[0].invitation.metadata == {"role": "admin"}


async def test_an_inviter_who_closes_the_account_breaks_nothing(place: Room, ada: Site) -> None:
    link = await invited(ada)
    assert (await ada.post("/account/close", current_password=PASSWORD)).status == 303
    assert (await accepted(place.site(), link)).status == 303


async def test_erasing_an_account_keeps_nothing_alive_that_it_could_not_give_any_more(tmp_path: Path) -> None:
    """Whoever lost the permission does not get it back for their invitations by leaving; neither does who is locked."""
    revoked: list[str | None] = []

    async def hear(event: InvitationRevoked, ctx: Context) -> None:
        revoked.append(event.invitation.email)

    async with room(tmp_path, hooks=(on(InvitationRevoked, hear),)) as place:
        ada, eve = await inside(place), await inside(place, EVE)
        admin, reader = await invited(ada, BOB, role="admin"), await invited(ada, "carl@example.com")
        locked = await invited(eve, "dora@example.com")
        place.staff.admins.clear()
        account = await place.account(EVE)
        assert account
        async with place.home.auth.begin() as ctx:
            await lock_account(ctx, account.handle, by="administrator")
        await erase(place, ADA)
        await erase(place, EVE)
        statuses = [(await place.site().get(link)).status for link in (admin, reader, locked)]
        assert statuses == [400, 200, 400]
        assert revoked == [BOB, "dora@example.com"]


async def test_an_account_that_is_erased_takes_its_acceptance_with_it(place: Room, ada: Site) -> None:
    await accepted(place.site(), await invited(ada))
    await erase(place, BOB)
    assert not await place.invitations()
    assert BOB not in "\n".join(database(place.home))


async def test_what_is_over_is_forgotten_after_a_while(place: Room, ada: Site) -> None:
    await invited(ada)
    place.home.clock.move(timedelta(days=7) + made.KEPT_FOR)
    await place.home.auth.purge()
    assert await place.invitations()
    place.home.clock.move(timedelta(seconds=1))
    await place.home.auth.purge()
    assert not await place.invitations()
