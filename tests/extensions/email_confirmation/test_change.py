"""A new address proves itself; the former one is told, and can take it back for a while."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.operations import lock_account
from powauth.testing import Site
from tests.house import PASSWORD, House, all_extensions, house, settle, sign_in, whole_house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
NEW = "new@example.com"
OTHER = "five loud red foxes"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await settle(site)
    return site


async def change(site: Site, email: str = NEW, password: str = PASSWORD) -> None:
    answer = await site.post("/account/email", email=email, current_password=password)
    assert answer.status in {200, 303}, answer.text


async def address(site: Site) -> str:
    answer = await site.get("/session", headers={"accept": "application/json"})
    email: str = answer.json["account"]["email"]
    return email


async def test_a_new_address_waits_until_its_mailbox_is_proved(site: Site) -> None:
    await change(site)
    assert await address(site) == ADA
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("email_confirmation.change", NEW)]
    account = await site.get("/account")
    assert "A change to new@example.com waits" in account.text
    assert (await site.get("/account", headers={"accept": "application/json"})).json["pending_email"] == NEW


async def test_another_device_confirms_and_is_not_signed_in_by_that(site: Site) -> None:
    await change(site)
    phone = site.browser()
    await phone.post(site.outbox.link)
    assert phone.cookie is None
    await sign_in(phone, NEW)
    assert await address(phone) == NEW
    assert (await site.get("/account")).status == 303  # every other device is signed out by a change of address


async def test_whoever_confirms_while_signed_in_stays_so(site: Site) -> None:
    await change(site)
    await site.post(site.outbox.link)
    assert await address(site) == NEW


async def test_somebody_else_who_is_signed_in_keeps_their_session(site: Site) -> None:
    bob = site.browser()
    await settle(bob, "bob@example.com")
    await change(site)
    before = bob.cookie
    await bob.post(site.outbox.link)
    assert (bob.cookie, await address(bob)) == (before, "bob@example.com")


async def test_the_same_address_again_stays_pending_and_mails_nobody(site: Site) -> None:
    """It was applied by that once, in a library like this one."""
    await change(site)
    await change(site)
    assert await address(site) == ADA
    assert len(site.outbox) == 1


async def test_the_present_address_takes_the_change_back(site: Site) -> None:
    await change(site)
    link = site.outbox.link
    await change(site, ADA)
    assert (await site.post(link)).status == 400
    assert await address(site) == ADA
    await sign_in(site.browser())  # and it is as confirmed as it was


async def test_another_address_replaces_the_pending_one(site: Site) -> None:
    await change(site)
    first = site.outbox.link
    await change(site, "third@example.com")
    assert (await site.post(first)).status == 400
    await site.post(site.outbox.link)
    assert await address(site) == "third@example.com"


async def test_a_pending_change_is_seen_sent_again_and_cancelled(site: Site) -> None:
    await change(site)
    assert NEW in (await site.get("/confirm-email")).text
    await site.post("/confirm-email")
    assert [mail.to for mail in site.outbox] == [NEW, NEW]
    link = site.outbox.link
    assert (await site.post("/confirm-email/cancel")).status == 303
    assert (await site.post(link)).status == 400
    assert "waits" not in (await site.get("/account")).text


async def test_a_cancelled_change_mails_nobody(home: House, site: Site) -> None:
    """The mail was owed, and its cause is gone before it left."""
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        await ctx.send(EmailConfirmation().change, account=account, to=NEW, parts={"email": NEW})
    await site.post("/confirm-email/cancel")
    assert len(site.outbox) == 0


async def test_nobody_cancels_for_others(site: Site) -> None:
    await change(site)
    assert (await site.program().post("/confirm-email/cancel")).status == 401
    await site.post(site.outbox.link)
    assert await address(site) == NEW


async def test_a_taken_address_looks_like_a_free_one_and_its_owner_is_told(site: Site) -> None:
    """S11, at a change of address."""
    await settle(site.browser(), "bob@example.com")
    program = site.program()
    program.jar = site.jar
    free = await program.post("/account/email", email=NEW, current_password=PASSWORD)
    site.outbox.clear()
    taken = await program.post("/account/email", email="bob@example.com", current_password=PASSWORD)
    assert (taken.status, taken.headers) == (free.status, free.headers)
    assert {**taken.json["account"]} == {**free.json["account"]}
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("email_confirmation.attempted", "bob@example.com")]


async def test_an_address_that_was_taken_meanwhile_changes_nothing(site: Site) -> None:
    await change(site)
    link = site.outbox.link
    await settle(site.browser(), NEW)
    answer = await site.post(link)
    assert (answer.status, await address(site)) == (409, ADA)


@pytest.mark.parametrize("what", ["password", "lock"])
async def test_every_change_of_a_credential_gives_a_pending_address_up(home: House, site: Site, what: str) -> None:
    """S18."""
    await change(site)
    link = site.outbox.link
    if what == "password":
        await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    else:
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email(ADA)
            assert account
            await lock_account(ctx, account.handle)
    assert (await site.browser().post(link)).status == 400


# ---- the former mailbox ----


async def changed(site: Site) -> str:
    """Change the address for good, and return the link that the former mailbox got."""
    await change(site)
    await site.post(site.outbox.link)
    told = site.mail
    assert (told.kind, told.to) == ("email_confirmation.changed", ADA)
    return told.parts["url"]


async def test_the_former_mailbox_takes_the_change_back(site: Site) -> None:
    link = await changed(site)
    owner = site.browser()
    page = await owner.get(link)
    assert "From ada@example.com to new@example.com" in page.text
    assert (await owner.post(link)).status == 303
    assert owner.cookie is None  # it signs nobody in
    assert (await site.get("/account")).status == 303  # and ends what somebody has
    for email in (ADA, NEW):
        assert (await owner.post("/sign-in", email=email, password=PASSWORD)).status == 401
    reset = site.mail
    assert (reset.kind, reset.to) == ("reset_password.link", ADA)
    await owner.post(reset.parts["url"], password=OTHER)
    await sign_in(owner, ADA, OTHER)


async def test_it_works_whatever_somebody_changed_since(site: Site) -> None:
    link = await changed(site)
    await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    await change(site, "third@example.com", OTHER)
    await site.post(site.outbox.link)
    assert (await site.browser().post(link)).status == 303
    assert site.mail.to == ADA


async def test_whoever_took_the_address_cannot_take_it_a_second_time(site: Site) -> None:
    """What was mailed to the address that they had put in dies with it."""
    link = await changed(site)
    await change(site, "third@example.com")
    await site.post(site.outbox.link)
    theirs = site.mail
    assert (theirs.kind, theirs.to) == ("email_confirmation.changed", NEW)
    assert (await site.browser().post(link)).status == 303
    assert (await site.browser().post(theirs.parts["url"])).status == 400


async def test_taking_back_tells_no_other_mailbox_how_to_undo_it(site: Site) -> None:
    link = await changed(site)
    site.outbox.clear()
    await site.browser().post(link)
    assert {mail.to for mail in site.outbox} == {ADA}


async def test_only_the_former_mailbox_waives_its_way_back(site: Site) -> None:
    link = await changed(site)
    waive = link.replace("/undo/", "/waive/")
    assert "It was me" in (await site.browser().get(link)).text
    assert (await site.browser().post(waive)).status == 303
    assert (await site.browser().post(link)).status == 400
    assert await address(site) == NEW


async def test_the_way_back_is_over_after_a_while(home: House, site: Site) -> None:
    link = await changed(site)
    home.clock.move(timedelta(days=7))
    assert (await site.browser().post(link)).status == 400


async def test_it_is_used_once(site: Site) -> None:
    link = await changed(site)
    assert [(await site.browser().post(link)).status for _ in range(2)] == [303, 400]


async def test_an_administrators_lock_is_not_passed(home: House, site: Site) -> None:
    link = await changed(site)
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(NEW)
        assert account
        await lock_account(ctx, account.handle)
    site.outbox.clear()
    await site.browser().post(link)
    assert "reset_password.link" not in site.outbox.kinds()
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).status == 401


async def test_the_former_address_may_belong_to_somebody_else_by_now(site: Site) -> None:
    link = await changed(site)
    await settle(site.browser(), ADA)
    assert (await site.browser().post(link)).status == 409
    assert await address(site) == NEW


async def test_without_a_way_to_set_a_password_it_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(*all_extensions(), EmailConfirmation())) as home:
        site = home.site()
        await settle(site)
        link = await changed(site)
        owner = site.browser()
        await owner.post(link)
        await sign_in(owner)
