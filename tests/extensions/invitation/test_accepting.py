"""How an invitation is accepted, and by whom it is not: S16, S17, S20, S24, S32, S67."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest

from powauth.context import Context, on
from powauth.events import SigningIn
from powauth.extension import Manifest
from powauth.extensions import sign_up
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.invitation import Invitation, InvitationForm, invite
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp, SignUpForm
from powauth.operations import lock_account, unlock_account
from powauth.records import Text
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from powauth.tokens import TokenRecord
from tests.extensions.invitation.rooms import (
    ADA,
    BOB,
    EVE,
    OTHER,
    RoleForm,
    Room,
    accepted,
    handed_over,
    inside,
    invited,
    room,
)
from tests.house import PASSWORD, all_extensions, anybody, house, sign_in, whole_house
from tests.withstand.attack import database

pytestmark = pytest.mark.anyio


async def is_inside(site: Site) -> bool:
    return (await site.get("/account")).status == 200


async def test_whoever_accepts_has_an_account_with_a_proved_address_and_is_signed_in(place: Room, ada: Site) -> None:
    """S67."""
    link = await invited(ada, role="editor")
    bob = place.site()
    page = await bob.get(link)
    assert 'value="bob@example.com"' in page.text
    answer = await accepted(bob, link)
    assert (answer.status, answer.location, await is_inside(bob)) == (303, "/", True)
    account = await place.account(BOB)
    assert account
    assert account.is_confirmed
    (event,) = place.staff.accepted
    assert (event.account.handle, event.is_new, event.invitation.metadata) == (account.handle, True, {"role": "editor"})
    (found,) = await place.invitations()
    assert (found.accepted_by, found.state(place.home.clock.now())) == (account.handle, "accepted")
    assert BOB not in (await ada.get("/invitations")).text


async def test_a_program_accepts_with_the_same_rules(place: Room, ada: Site) -> None:
    link = await invited(ada)
    program = place.site().program()
    shown = (await program.get(link)).json
    assert (shown["state"], shown["email"], shown["invited_by"]) == ("sign_up", BOB, ADA)
    assert {"email", "password"} <= {known["name"] for known in shown["fields"]}
    assert "metadata" not in shown
    refused = await program.post(link, email=BOB, password="short")
    assert (refused.status, set(refused.json["errors"])) == (422, {"password"})
    answer = await program.post(link, email=BOB, password=PASSWORD, transport="bearer")
    assert (answer.status, answer.json["account"]["email"], "token" in answer.json) == (201, BOB, True)
    assert (await program.post(link, email=BOB, password=PASSWORD)).code == "invalid_token"


async def test_looking_at_an_invitation_changes_nothing(place: Room, ada: Site) -> None:
    """S20: a scanner of mails opens it, and a person still can use it."""
    link = await invited(ada)
    before = database(place.home)
    for method in ("GET", "HEAD", "GET"):
        answer = await place.site().send(method, link)
        assert (answer.status, answer.header("referrer-policy")) == (200, "same-origin")
        assert "no-store" in (answer.header("cache-control") or "")
    assert database(place.home) == before
    assert (await place.site().get(f"{link}/accept")).status == 405
    assert (await accepted(place.site(), link)).status == 303


async def test_an_invitation_is_accepted_once(place: Room, ada: Site) -> None:
    """S17."""
    link = await invited(ada)
    await accepted(place.site(), link)
    for answer in (await accepted(place.site(), link), await place.site().get(link)):
        assert answer.status == 400
    bob = place.site()
    await sign_in(bob, BOB)
    assert (await bob.post(f"{link}/accept")).status == 400
    assert len(place.staff.accepted) == 1


async def test_many_acceptances_at_once_are_one(place: Room, ada: Site) -> None:
    """S17: by link alone, where each makes another account."""
    link = await handed_over(ada)
    sites = [place.site(client=f"192.0.2.{number}") for number in range(8)]
    answers = await asyncio.gather(
        *(accepted(site, link, f"n{number}@example.com") for number, site in enumerate(sites))
    )
    assert sorted(answer.status for answer in answers) == [303] + [400] * 7
    made = [await place.account(f"n{number}@example.com") for number in range(8)]
    assert len([account for account in made if account]) == 1


async def test_a_poor_password_keeps_the_link_usable(place: Room, ada: Site) -> None:
    link = await invited(ada)
    answer = await accepted(place.site(), link, password="short")
    assert (answer.status, 'value="bob@example.com"' in answer.text) == (422, True)
    assert (await accepted(place.site(), link)).status == 303


async def test_an_invited_person_cannot_get_around_acceptance_by_resetting_a_password(place: Room, ada: Site) -> None:
    await invited(ada)
    ada.outbox.clear()
    await place.site().post("/reset-password", email=BOB)
    assert not ada.outbox.mails
    assert not await place.account(BOB)


async def test_whoever_signs_up_in_the_ordinary_way_has_the_invitation_still_to_accept(place: Room, ada: Site) -> None:
    link = await invited(ada, role="editor")
    bob = await inside(place, BOB)
    assert not place.staff.accepted
    assert "Accept" in (await bob.get(link)).text
    assert (await bob.post(f"{link}/accept")).location == "/"
    assert [event.is_new for event in place.staff.accepted] == [False]


# ---- another address ----


async def test_another_address_is_had_once_it_is_confirmed(place: Room, ada: Site) -> None:
    link = await invited(ada)
    bob = place.site()
    answer = await accepted(bob, link, "robert@example.com")
    assert (answer.location, await is_inside(bob)) == ("/", True)
    account = await place.account(BOB)
    assert account
    assert (account.is_confirmed, await place.account("robert@example.com")) == (True, None)
    assert bob.mail.to == "robert@example.com"
    await bob.post(bob.outbox.link)
    changed = await place.account("robert@example.com")
    assert changed
    assert (changed.handle, changed.is_confirmed) == (account.handle, True)
    assert place.staff.accepted[0].account.handle == account.handle


async def test_choosing_an_address_that_somebody_has_looks_like_choosing_a_free_one(place: Room, ada: Site) -> None:
    """S11."""
    await inside(place, EVE)
    free = await accepted(place.site(), await invited(ada, BOB), "free@example.com")
    ada.outbox.clear()
    taken = await accepted(place.site(), await invited(ada, "carl@example.com"), EVE)
    assert (free.status, free.location) == (taken.status, taken.location) == (303, "/")
    assert ada.outbox.kinds()[-1] == "email_confirmation.attempted"
    eve, carl = await place.account(EVE), await place.account("carl@example.com")
    assert eve
    assert carl
    assert [event.account.email for event in place.staff.accepted] == [BOB, "carl@example.com"]


async def test_the_same_address_spelled_otherwise_is_the_same(place: Room, ada: Site) -> None:
    link = await invited(ada)
    await accepted(place.site(), link, "BOB@Example.com")
    account = await place.account(BOB)
    assert account
    assert (account.email, account.is_confirmed) == (BOB, True)
    assert not [mail for mail in ada.outbox if mail.kind.startswith("email_confirmation")]


async def test_without_confirmation_another_address_is_unproved(tmp_path: Path) -> None:
    async with room(tmp_path, whole=False) as place:
        ada = await inside(place)
        bob = place.site()
        await accepted(bob, await invited(ada), "robert@example.com")
        account = await place.account("robert@example.com")
        assert account
        assert not account.is_confirmed
        assert await is_inside(bob)


# ---- an account that there is ----


async def test_whose_address_has_an_account_signs_in_and_comes_back(place: Room, ada: Site) -> None:
    bob = await inside(place, BOB)
    bob.jar = {}
    link = await invited(ada)
    page = await bob.get(link)
    assert "Sign in to accept" in page.text
    assert 'type="password"' not in page.text
    refused = await accepted(bob, link, password=OTHER)
    assert refused.status == 401
    answer = await bob.post("/sign-in?next=/auth/invitations/continue", email=BOB, password=PASSWORD)
    assert answer.location == "/"  # the query is for the form that comes
    bob.jar.pop(place.home.auth.plan.cookie_name("session"))
    answer = await bob.post("/sign-in", email=BOB, password=PASSWORD, next="/auth/invitations/continue")
    assert answer.location == "/auth/invitations/continue"
    back = await bob.get(answer.location)
    assert f"https://example.com{back.location}" == link
    assert (await bob.post(f"{link}/accept")).status == 303
    assert place.home.auth.plan.cookie_name("invitation") not in bob.jar


async def test_nothing_on_the_server_holds_the_link_while_somebody_signs_in(tmp_path: Path) -> None:
    """S14: not even a sign-in that is parked before a second factor."""
    extensions = (*whole_house(), CodeFactor(asks=(BOB,)))
    async with room(tmp_path, extensions=extensions) as place:
        bob = place.site()
        await bob.post("/sign-up", email=BOB, password=PASSWORD)
        await bob.post(bob.outbox.link)
        ada = await inside(place)
        link = await invited(ada)
        await bob.get(link)
        answer = await bob.post("/sign-in", email=BOB, password=PASSWORD, next="/auth/invitations/continue")
        assert answer.location == "/auth/test-code"
        entries = [entry.value for entry in place.home.auth.plan.store._entries.values()]  # type: ignore[attr-defined]
        assert not any(link[-40:].encode() in value.lower() for value in entries)
        answer = await bob.post("/test-code", code="123456")
        assert answer.location == "/auth/invitations/continue"
        assert (await bob.get(answer.location)).location in link
        assert (await bob.post(f"{link}/accept")).status == 303


async def test_a_new_account_passes_every_gate_as_well(tmp_path: Path) -> None:
    """S32: the invitation is accepted, and there is no session before the step is taken."""
    extensions = (*whole_house(), CodeFactor(asks=(BOB,)))
    async with room(tmp_path, extensions=extensions) as place:
        ada = await inside(place)
        bob = place.site()
        answer = await accepted(bob, await invited(ada))
        assert (answer.location, bob.cookie) == ("/auth/test-code", None)
        assert len(place.staff.accepted) == 1
        await bob.post("/test-code", code="123456")
        assert await is_inside(bob)


async def test_somebody_else_who_is_signed_in_is_told_so_and_accepts_nothing(place: Room, ada: Site) -> None:
    """S67."""
    link = await invited(ada)
    eve = await inside(place, EVE)
    page = await eve.get(link)
    assert "you are signed in as eve@example.com" in page.text
    assert "Sign out" in page.text
    answer = await eve.post(f"{link}/accept")
    assert (answer.status, "another address" in answer.text) == (409, True)
    program = eve.program()
    program.jar = eve.jar
    assert (await program.get(link)).json["state"] == "another"
    assert (await program.post(f"{link}/accept")).code == "invitation.another"
    assert (await eve.post(link, email=BOB, password=PASSWORD)).location == "/"  # signed in already
    assert not place.staff.accepted
    assert (await accepted(place.site(), link)).status == 303


async def test_an_account_that_was_made_with_the_address_and_never_proved_makes_way(place: Room, ada: Site) -> None:
    """S48: whoever squats on it keeps nothing, and whoever reads the mailbox is not shut out."""
    await place.site().post("/sign-up", email=BOB, password=OTHER)
    squatter = await place.account(BOB)
    bob = place.site()
    assert (await accepted(bob, await invited(ada))).location == "/"
    account = await place.account(BOB)
    assert account
    assert squatter
    assert account.handle != squatter.handle
    assert (await place.site().post("/sign-in", email=BOB, password=OTHER)).status == 401


async def test_accepting_as_an_account_without_a_proved_address_proves_it(tmp_path: Path) -> None:
    async with room(tmp_path, whole=False) as place:
        ada, bob = await inside(place), await inside(place, BOB)
        await bob.post(f"{await invited(ada)}/accept")
        account = await place.account(BOB)
        assert account
        assert account.is_confirmed


# ---- by link alone ----


async def test_by_link_alone_whoever_has_an_account_may_accept(place: Room, ada: Site) -> None:
    link = await handed_over(ada, role="editor")
    assert "I have an account already" in (await place.site().get(link)).text
    eve = await inside(place, EVE)
    await eve.post(f"{link}/accept")
    assert [event.account.email for event in place.staff.accepted] == [EVE]


async def test_by_link_alone_a_new_address_is_proved_before_anything_is_granted(place: Room, ada: Site) -> None:
    """S67."""
    link = await handed_over(ada, role="editor")
    bob = place.site()
    answer = await accepted(bob, link)
    assert (answer.location, bob.cookie) == ("/auth/confirm-email", None)
    assert not place.staff.accepted
    assert (await place.site().get(link)).status == 400  # used up
    assert "Waits for an address" in (await ada.get("/invitations")).text
    await bob.post(bob.outbox.link)
    (event,) = place.staff.accepted
    assert (event.account.email, event.is_new, event.invitation.metadata) == (BOB, True, {"role": "editor"})


async def test_by_link_alone_nobody_finds_out_who_has_an_account(place: Room, ada: Site) -> None:
    """S11: answer, link, list and events are the same for a free address and a taken one."""
    await inside(place, EVE)
    links = [await handed_over(ada), await handed_over(ada)]
    free, taken = await accepted(place.site(), links[0]), await accepted(place.site(), links[1], EVE, OTHER)
    assert (free.status, free.location) == (taken.status, taken.location)
    assert [(await place.site().get(link)).status for link in links] == [400, 400]
    states = [found.state(place.home.clock.now()) for found in await place.invitations()]
    assert states == ["waiting", "waiting"]
    assert not place.staff.accepted
    assert (await place.site().post("/sign-in", email=EVE, password=OTHER)).status == 401


async def test_an_invitation_that_waits_is_not_accepted_once_it_is_revoked(place: Room, ada: Site) -> None:
    link = await handed_over(ada)
    bob = place.site()
    await accepted(bob, link)
    confirmation = bob.outbox.link
    (found,) = await place.invitations()
    await ada.post(f"/invitations/{found.id}/revoke")
    assert (await bob.post(confirmation)).status == 303
    assert not place.staff.accepted


async def test_user_names_alone_are_invited_by_link_or_by_a_mail_that_only_carries_it(tmp_path: Path) -> None:
    extensions = (*all_extensions(), Invitation(may_invite=anybody))
    async with house(tmp_path, extensions=extensions, identifiers=("username",)) as home:
        ada = home.site()
        await ada.post("/sign-up", username="ada", password=PASSWORD)
        await ada.post("/invitations", email=BOB)
        bob = home.site()
        assert 'name="email"' not in (await bob.get(ada.outbox.link)).text
        assert (await bob.post(ada.outbox.link, username="bob", password=PASSWORD)).location == "/"
        carl = home.site()
        assert (await carl.post(await handed_over(ada), username="carl", password=PASSWORD)).location == "/"


# ---- who stands behind it ----


async def test_nothing_is_accepted_while_the_inviter_is_locked(place: Room, ada: Site) -> None:
    link = await invited(ada)
    account = await place.account(ADA)
    assert account
    async with place.home.auth.begin() as ctx:
        await lock_account(ctx, account.handle, by="administrator")
    assert (await place.site().get(link)).status == 400
    assert (await accepted(place.site(), link)).status == 400
    async with place.home.auth.begin() as ctx:
        await unlock_account(ctx, account.handle, by="administrator")
    assert (await accepted(place.site(), link)).status == 303


async def test_nothing_is_accepted_that_the_inviter_could_not_give_any_more(place: Room, ada: Site) -> None:
    admin, reader = await invited(ada, role="admin"), await invited(ada, "carl@example.com", role="reader")
    place.staff.admins.clear()
    assert (await accepted(place.site(), admin)).status == 400
    assert (await accepted(place.site(), reader, "carl@example.com")).status == 303
    place.staff.admins.add(ADA)
    place.staff.may_invite.clear()
    assert (await accepted(place.site(), admin)).status == 400
    assert [event.invitation.metadata["role"] for event in place.staff.accepted] == ["reader"]


async def test_metadata_that_was_tampered_with_grants_no_more_than_its_inviter_may(place: Room) -> None:
    eve = await inside(place, EVE)
    link = await invited(eve, role="reader")
    (found,) = await place.invitations()
    async with place.home.auth.begin() as ctx:
        await ctx.records(type(found)).update(found, metadata={"role": "admin"})
    answer = await accepted(place.site(), link, role="admin", metadata="admin")
    assert answer.status == 400
    assert not place.staff.accepted


async def test_a_mail_that_is_not_owed_any_more_is_not_sent(place: Room, ada: Site) -> None:
    async with place.home.auth.begin() as ctx:
        made = await invite(ctx, await ctx.accounts.by_email(ADA), RoleForm(email=BOB))
    async with place.home.auth.begin() as ctx:
        await ctx.records(type(made.invitation)).update(made.invitation, revoked_at=ctx.now)
    await ada.deliver()
    assert not ada.outbox.mails
    async with place.home.auth.begin(writes=False) as ctx:
        assert not await ctx.records(TokenRecord).find()


async def test_an_invitation_is_over_when_its_time_is(place: Room, ada: Site) -> None:
    link = await invited(ada)
    place.home.clock.move(timedelta(days=7))
    assert (await place.site().get(link)).status == 400
    assert (await accepted(place.site(), link)).status == 400


# ---- what is asked for ----


class Named(SignUpForm):
    """A column of the application's own."""

    name: Annotated[str, Text(max=80)]


async def test_an_invited_person_is_asked_what_signing_up_asks(tmp_path: Path) -> None:
    rest = [known for known in all_extensions() if not isinstance(known, SignUp)]
    extensions = (SignUp(form=Named), *rest, Invitation(may_invite=anybody))
    async with house(tmp_path, extensions=extensions) as home:
        await accept_with_name(home.site())
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email(BOB)
            assert account
            assert (await ctx.accounts.user(account)).name == "Bob"


async def accept_with_name(site: Site) -> None:
    async with site.auth.begin() as ctx:
        await invite(ctx, None, InvitationForm(email=BOB))
    await site.deliver()
    missing = await accepted(site, site.outbox.link)
    assert (missing.status, "Please fill this in" in missing.text) == (422, True)
    assert (await accepted(site, site.outbox.link, name="Bob")).status == 303


async def test_signing_up_by_invitation_only(tmp_path: Path) -> None:
    """`SignUp` left out: there is no other way to an account."""
    extensions = (SignIn(), EmailConfirmation(), Invitation(sign_up_form=Named))
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        assert (await site.post("/sign-up", email=EVE, password=PASSWORD)).status == 404
        await accept_with_name(site)
        assert site.cookie


async def test_an_application_may_serve_sign_up_and_not_its_page(tmp_path: Path) -> None:
    class Closed(SignUp):
        def manifest(self) -> Manifest:
            return super().manifest().without(sign_up.NEW)

    extensions = (Closed(form=Named), SignIn(), Invitation())
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        assert (await site.get("/sign-up")).status == 404
        await accept_with_name(site)


async def test_a_gate_that_refuses_leaves_the_account_and_the_acceptance(tmp_path: Path) -> None:
    """A refusal of the session undoes nothing of what was accepted."""

    async def refuse(event: SigningIn, ctx: Context) -> None:
        if event.account.email == BOB:
            await lock_account(ctx, event.account.handle, by="administrator")

    async with room(tmp_path, hooks=(on(SigningIn, refuse),)) as place:
        ada = await inside(place)
        await accepted(place.site(), await invited(ada))
        assert len(place.staff.accepted) == 1
