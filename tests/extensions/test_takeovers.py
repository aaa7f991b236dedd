"""Whoever took an account, or an address, for a while: what they try to keep it, and what they find out on the way."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import Extension
from powauth.accounts import NewAccount
from powauth.context import Context, on
from powauth.errors import Conflict, Stale
from powauth.events import SessionStolen
from powauth.extension import Manifest
from powauth.extensions.email_confirmation import EmailConfirmation, operations
from powauth.extensions.lock import Lock
from powauth.extensions.reopen import Reopen
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.security_mails import SecurityMails
from powauth.operations import lock_account
from powauth.operations import sign_in as enter
from powauth.outbox import OutboxRecord
from powauth.session import Proof, Session
from powauth.testing import Outbox, Site
from tests.house import PASSWORD, House, all_extensions, house, settle, sign_in, sign_up, whole_house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
T1 = "thief1@evil.example"
T2 = "thief2@evil.example"
OTHER = "five loud red foxes"
THIRD = "six calm blue whales"


class Greylisting(Outbox):
    """A mailer; the mail servers of some addresses say `later` for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.later: set[str] = set()

    async def __call__(self, mail: Any) -> None:
        if mail.to in self.later:
            raise ConnectionError("451 greylisted")
        await super().__call__(mail)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house(), mailer=Greylisting()) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await settle(site)
    return site


def newest(site: Site, kind: str, to: str) -> str:
    return next(m.parts["url"] for m in reversed(site.outbox.mails) if (m.kind, m.to) == (kind, to))


async def holder(home: House, email: str) -> Any:
    async with home.auth.begin(writes=False) as ctx:
        return await ctx.accounts.by_email(email)


async def move(site: Site, email: str, password: str = PASSWORD) -> None:
    assert (await site.post("/account/email", email=email, current_password=password)).status == 303
    assert (await site.post(newest(site, "email_confirmation.change", email))).status == 303


async def test_an_unproved_sign_up_does_not_stand_in_the_way_of_undo(home: House, site: Site) -> None:
    await move(site, T1)
    undo = newest(site, "email_confirmation.changed", ADA)
    await site.browser().post("/sign-up", email=ADA, password=OTHER)  # the thief, from anywhere; proves nothing
    assert (await site.browser().post(undo)).status == 303


async def test_an_unproved_sign_up_does_not_stand_in_the_way_of_a_proved_change(home: House, site: Site) -> None:
    await site.post("/account/email", email="new@example.com", current_password=PASSWORD)
    link = newest(site, "email_confirmation.change", "new@example.com")
    await site.browser().post("/sign-up", email="new@example.com", password=OTHER)
    assert (await site.post(link)).status == 303


async def test_a_thiefs_undo_does_not_unsend_the_owners(home: House, site: Site) -> None:
    site.outbox.later.add(ADA)  # type: ignore[attr-defined]
    await move(site, T1)
    home.clock.move(timedelta(seconds=1))
    await move(site, T2)
    assert (await site.browser().post(newest(site, "email_confirmation.changed", T1))).status == 303
    site.outbox.later.clear()  # type: ignore[attr-defined]
    home.clock.move(timedelta(minutes=10))
    await site.deliver()
    assert ("email_confirmation.changed", ADA) in [(m.kind, m.to) for m in site.outbox.mails]


async def test_a_thiefs_later_undo_dies_although_the_owners_mail_was_slow(home: House, site: Site) -> None:
    site.outbox.later.add(ADA)  # type: ignore[attr-defined]
    await move(site, T1)
    home.clock.move(timedelta(seconds=1))
    await move(site, T2)
    theirs = newest(site, "email_confirmation.changed", T1)
    site.outbox.later.clear()  # type: ignore[attr-defined]
    home.clock.move(timedelta(minutes=10))
    await site.deliver()
    assert (await site.browser().post(newest(site, "email_confirmation.changed", ADA))).status == 303
    assert (await site.browser().post(theirs)).status == 400


async def test_a_thiefs_undo_does_not_kill_the_owners_link_that_was_minted_later(home: House, site: Site) -> None:
    site.outbox.later.add(ADA)  # type: ignore[attr-defined]
    await move(site, T1)
    home.clock.move(timedelta(seconds=1))
    await move(site, T2)
    site.outbox.later.clear()  # type: ignore[attr-defined]
    home.clock.move(timedelta(minutes=10))
    await site.deliver()
    await site.browser().post(newest(site, "email_confirmation.changed", T1))
    assert (await site.browser().post(newest(site, "email_confirmation.changed", ADA))).status == 303


async def test_a_thief_cannot_end_the_way_back_by_locking_down(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=(*all_extensions(), Lock(), ResetPassword(), SecurityMails())) as home:
        site = home.site()
        await sign_up(site)
        await site.post("/account/email", email=T1, current_password=PASSWORD)
        owners = newest(site, "security_mails.email_changed", ADA)
        await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
        await site.browser().post(newest(site, "security_mails.password_changed", T1))
        await site.browser().post(newest(site, "lock.locked_down", T1))
        assert (await site.browser().post(owners)).status == 303


async def test_a_thief_cannot_end_the_way_back_by_closing(tmp_path: Path) -> None:
    extensions = (*all_extensions(), Lock(), ResetPassword(), Reopen(), SecurityMails())
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        await sign_up(site)
        await site.post("/account/email", email=T1, current_password=PASSWORD)
        owners = newest(site, "security_mails.email_changed", ADA)
        await site.post("/account/close", current_password=PASSWORD)
        assert (await site.browser().post(owners)).status == 303


async def test_a_former_address_that_was_never_proved_gets_no_way_in(tmp_path: Path) -> None:
    """A slip at sign-up, put right: the stranger whose mailbox it was gets no link that hands the account over."""
    extensions = (*all_extensions(), EmailConfirmation(grace=timedelta(days=1)), ResetPassword())
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        await sign_up(site, "ada@exmaple.com")
        await move(site, ADA)
        kinds = {mail.kind for mail in site.outbox if mail.to == "ada@exmaple.com"}
        assert "email_confirmation.changed" not in kinds


async def test_nobody_waits_behind_an_address_that_they_put_in_and_never_had(tmp_path: Path) -> None:
    """Without confirmation: sign up, set the victim's address, wait till they reset the password, take it back."""
    async with house(tmp_path, extensions=(*all_extensions(), Lock(), ResetPassword(), SecurityMails())) as home:
        mallory = home.site()
        await sign_up(mallory, T1)
        await mallory.post("/account/email", email=ADA, current_password=PASSWORD)
        back = newest(mallory, "security_mails.email_changed", T1)
        ada = mallory.browser()
        await ada.post("/reset-password", email=ADA)
        await ada.post(newest(ada, "reset_password.link", ADA), password=OTHER)
        await sign_in(ada, ADA, OTHER)
        await mallory.browser().post(back)
        assert (await ada.get("/account")).status == 200
        assert await holder(home, T1) is None


async def test_undo_ends_what_was_mailed_to_the_thief_besides(home: House, site: Site) -> None:
    await move(site, T1)
    undo = newest(site, "email_confirmation.changed", ADA)
    await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    theirs = newest(site, "security_mails.password_changed", T1)
    owner = site.browser()
    await owner.post(undo)
    await owner.post(newest(site, "reset_password.link", ADA), password=THIRD)
    await sign_in(owner, ADA, THIRD)
    assert (await site.browser().post(theirs)).status == 400
    assert (await owner.get("/account")).status == 200


async def test_undo_of_an_account_that_the_thief_locked_down_mails_a_way_in(home: House, site: Site) -> None:
    await move(site, T1)
    undo = newest(site, "email_confirmation.changed", ADA)
    await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    await site.browser().post(newest(site, "security_mails.password_changed", T1))
    site.outbox.clear()
    assert (await site.browser().post(undo)).status == 303  # "Please look into your mailbox"
    assert [m.kind for m in site.outbox.mails if m.to == ADA] != []


async def test_confirming_does_not_let_the_one_in_who_signed_up_first(home: House) -> None:
    """S48: Ada signed up too, with her own password, and presses the only button that she was told to look for."""
    mallory = home.site()
    await sign_up(mallory, password=OTHER)
    ada = mallory.browser()
    await sign_up(ada)
    await mallory.post("/sign-in", email=ADA, password=OTHER)  # refused; mails the link again, at a good time
    await ada.post(newest(ada, "email_confirmation.confirm", ADA))
    assert (await mallory.post("/sign-in", email=ADA, password=OTHER)).status == 401


@pytest.mark.parametrize("path", ["/reset-password", "/confirm-email", "/unlock"])
@pytest.mark.parametrize("typed", ["\ufdfa" * 30, "x" * 255, "\ud800", "a\x00b"])
async def test_whatever_is_typed_is_answered(site: Site, path: str, typed: str) -> None:
    answer = await site.program().post(path, email=typed)
    assert answer.status in {204, 400, 422}


async def test_a_reset_starts_the_count_of_failures_anew(tmp_path: Path) -> None:
    quick = tuple(Lock(most_failures=5) if known.name == "lock" else known for known in whole_house())
    async with house(tmp_path, extensions=quick) as home:
        site = home.site()
        await settle(site)

        async def guess(number: int) -> None:
            home.clock.move(timedelta(minutes=1))
            await site.browser(client=f"192.0.2.{number}").post("/sign-in", email=ADA, password="wrong wrong wrong")

        for number in range(5):
            await guess(number)
        owner = site.browser(client="198.51.100.7")
        await owner.post("/reset-password", email=ADA)
        await owner.post(newest(site, "reset_password.link", ADA), password=OTHER)
        await guess(9)
        await sign_in(owner, ADA, OTHER)


async def test_an_account_without_an_address_is_not_shut_for_ever(tmp_path: Path) -> None:
    extensions = (*all_extensions(), Lock(most_failures=5), ResetPassword())
    async with house(tmp_path, extensions=extensions, identifiers=("username",)) as home:
        site = home.site()
        assert (await site.post("/sign-up", username="ada", password=PASSWORD)).status == 303
        for number in range(6):
            home.clock.move(timedelta(minutes=20))
            await site.browser(client=f"192.0.2.{number}").post("/sign-in", username="ada", password="wrong wrong")
        home.clock.move(timedelta(days=300))
        answer = await site.browser().post("/sign-in", username="ada", password=PASSWORD)
        assert answer.status == 303


async def test_the_reopen_mail_after_an_undo_names_the_day_of_erasing(home: House, site: Site) -> None:
    await move(site, T1)
    undo = newest(site, "email_confirmation.changed", ADA)
    await site.post("/account/close", current_password=PASSWORD)
    erased_on = f"{home.clock.now() + timedelta(days=14):%Y-%m-%d}"
    home.clock.move(timedelta(days=6))
    await site.browser().post(undo)
    mail = next(m for m in site.outbox.mails if (m.kind, m.to) == ("reopen.closed", ADA))
    assert mail.parts["until"] == erased_on


async def test_nobody_fills_anothers_mailbox(tmp_path: Path) -> None:
    extensions = (
        *all_extensions(),
        EmailConfirmation(grace=timedelta(days=1)),
        Lock(),
        ResetPassword(),
        SecurityMails(),
    )
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        for number in range(20):
            stranger = site.browser(client=f"192.0.2.{number}")
            await sign_up(stranger, ADA)
            await stranger.post("/account/close", current_password=PASSWORD)
        assert len([m for m in site.outbox.mails if m.to == ADA]) == 30
        home.clock.move(timedelta(hours=1))
        await site.deliver()
        assert len(site.outbox) > 30  # late, and not lost


async def test_nobody_fills_anothers_mailbox_with_notices(tmp_path: Path) -> None:
    extensions = (
        *all_extensions(),
        EmailConfirmation(grace=timedelta(days=1)),
        Lock(),
        ResetPassword(),
        SecurityMails(),
    )
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        await sign_up(site, ADA)
        for number in range(40):
            old, new = (PASSWORD, OTHER) if number % 2 == 0 else (OTHER, PASSWORD)
            assert (await site.post("/account/password", current_password=old, new_password=new)).status == 303
        assert len(site.outbox) == 30


async def test_a_worker_that_comes_second_leaves_the_rest_of_the_purge_alone(
    home: House, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.post("/account/close", current_password=PASSWORD)
    home.clock.move(timedelta(days=31))

    async def late(_: Any) -> int:
        raise Stale

    chores = {
        "reopen.erase": late,
        **{name: run for name, run in home.auth.plan.chores.items() if "reopen" not in name},
    }
    monkeypatch.setitem(home.auth.plan.__dict__, "chores", chores)
    await sign_up(site.browser(), "bob@example.com")
    home.clock.move(timedelta(days=31))
    await home.auth.purge()
    assert await holder(home, "bob@example.com") is None


async def test_a_program_that_signs_in_daily_is_not_news_each_time(home: House, site: Site) -> None:
    home.clock.move(timedelta(days=1))
    site.outbox.clear()
    for _ in range(3):
        answer = await site.program().post("/sign-in", email=ADA, password=PASSWORD, transport="bearer")
        assert answer.status == 200
    assert len(site.outbox) <= 1


async def test_the_first_sign_in_after_a_late_confirmation_is_no_news(home: House) -> None:
    site = home.site()
    await sign_up(site)
    home.clock.move(timedelta(minutes=10))
    await site.post(site.outbox.link)
    await sign_in(site)
    assert "security_mails.new_device" not in site.outbox.kinds()


async def test_strangers_cannot_keep_somebody_from_changing_to_an_address(site: Site) -> None:
    for _ in range(5):
        await site.browser(client="192.0.2.1").post("/confirm-email", email="new@example.com")
    answer = await site.post("/account/email", email="new@example.com", current_password=PASSWORD)
    assert answer.status == 303


@pytest.mark.servers
async def test_a_joined_change_ends_although_a_mail_was_leased_meanwhile(tmp_path: Path, mariadb_url: str) -> None:
    """A REPEATABLE READ transaction of the application's sees the mail as it was: it is told to begin again."""

    async with house(tmp_path, extensions=whole_house(), url=mariadb_url) as home:
        site = home.site()
        await settle(site)
        account = await holder(home, ADA)
        async with home.auth.begin() as ctx:
            await ctx.send(Lock().guarded, account=account, parts={"name": "x"})
        async with home.sessionmaker() as db, asyncio.timeout(10):
            async with home.auth.begin(db=db) as ctx:
                row = (await ctx.records(OutboxRecord).find())[0]  # any read of the application's own does it, too
                async with home.auth.begin() as other:
                    await other.records(OutboxRecord).update(row, attempts=1)
                with pytest.raises(Stale):
                    await lock_account(ctx, account.handle)
            await db.commit()


async def test_a_thief_who_was_found_does_not_come_back_by_another_cookie(tmp_path: Path) -> None:
    """For remember_me: `_come_back` runs before `SessionStolen` is announced, which is to end the family."""

    stolen: set[str] = set()

    async def way(ctx: Context) -> Session | None:
        handle = ctx.caller.cookies.get("kept")
        if handle is None or handle in stolen:
            return None
        account = await ctx.accounts.by_handle(handle)  # type: ignore[arg-type]
        assert account
        proof = Proof(account.handle, account.epoch, "remembered", ctx.now)
        entered = await enter(ctx, (proof,), transport="cookie")
        return entered.session  # type: ignore[union-attr]

    async def end(event: SessionStolen, ctx: Context) -> None:
        stolen.add(event.handle)

    class Kept(Extension):
        name = "kept"

        def manifest(self) -> Manifest:
            return Manifest(cookies=("kept",), returns=(way,), hooks=(on(SessionStolen, end),))

    async with house(tmp_path, extensions=(*all_extensions(), Kept())) as home:
        site = home.site()
        await sign_up(site)
        site.jar[home.auth.plan.cookie_name("kept")] = (await holder(home, ADA)).handle
        thief = site.browser()
        thief.jar = dict(site.jar)
        home.clock.move(timedelta(minutes=16))
        await site.get("/account")
        await site.get("/account")
        home.clock.move(timedelta(minutes=2))
        navigation = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        assert (await thief.get("/account", headers=navigation)).status == 303


async def test_what_was_waived_is_not_mailed_again(home: House, site: Site) -> None:
    """A worker dies between sending and marking; the link is used; the row mints another one."""
    sender = home.auth.sender()
    forget = type(sender)._forget

    async def die(*_: Any) -> None:
        return None

    type(sender)._forget = die  # type: ignore[assignment, method-assign]
    try:
        await site.post("/account/email", email=T1, current_password=PASSWORD)
        await site.post(newest(site, "email_confirmation.change", T1))
    finally:
        type(sender)._forget = forget  # type: ignore[method-assign]
    undo = newest(site, "email_confirmation.changed", ADA)
    assert (await site.browser().post(undo.replace("/undo/", "/waive/"))).status == 303
    site.outbox.clear()
    home.clock.move(timedelta(minutes=5))
    await site.deliver()
    assert [m.kind for m in site.outbox.mails if m.to == ADA] == []


async def test_undo_mails_a_way_in_although_somebody_ordered_resets(home: House, site: Site) -> None:
    await move(site, T1)
    undo = newest(site, "email_confirmation.changed", ADA)
    for _ in range(5):
        await site.browser().post("/reset-password", email=T1)
    site.outbox.clear()
    await site.browser().post(undo)
    assert [m.kind for m in site.outbox.mails if m.to == ADA] == ["reset_password.link"]


async def test_a_joined_confirmation_that_fails_leaves_the_link(home: House, site: Site) -> None:
    """`take`, then `Conflict`: in the application's transaction nothing undoes the first when it goes on."""

    await site.post("/account/email", email="bob@example.com", current_password=PASSWORD)
    link = newest(site, "email_confirmation.change", "bob@example.com")
    await settle(site.browser(), "bob@example.com")
    async with home.sessionmaker() as db:
        try:
            async with home.auth.begin(db=db) as ctx:
                await operations.confirm(ctx, link.rpartition("/")[2])
        except Conflict:
            pass
        await db.commit()
    assert (await site.get(link)).status == 200


async def test_a_way_back_from_closing_can_be_asked_for_again(home: House, site: Site) -> None:
    """The mail got lost: sign-up, reset, unlock and send again mail nothing to the owner of a closed account."""
    await site.post("/account/close", current_password=PASSWORD)
    site.outbox.clear()
    stranger = site.browser()
    await stranger.post("/reopen", email=ADA)
    assert (await stranger.post(newest(site, "reopen.link", ADA))).status == 303
    await sign_in(site)


async def test_the_owner_of_a_taken_address_is_told_where_names_are_typed(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=whole_house(), identifiers=("username",)) as home:
        async with home.auth.begin() as ctx:
            await ctx.accounts.add(
                NewAccount(email="bob@example.com", username="bob", confirmed_at=ctx.now), now=ctx.now
            )
        site = home.site()
        assert (await site.post("/sign-up", username="ada", password=PASSWORD)).location == "/"
        answer = await site.post("/account/email", email="bob@example.com", current_password=PASSWORD)
        assert answer.status == 303
        assert [(m.kind, m.to) for m in site.outbox.mails] == [("email_confirmation.attempted", "bob@example.com")]


async def test_the_user_name_does_not_tell_whether_the_address_was_free(tmp_path: Path) -> None:
    """S11: where accounts have both, a name that is still free says that no account was made: the address was taken."""
    async with house(tmp_path, extensions=whole_house(), identifiers=("email", "username")) as home:
        program = home.site().program()
        await program.post("/sign-up", email=ADA, username="ada", password=PASSWORD)
        found = []
        for number, email in enumerate((ADA, "free@example.com")):
            name = f"probe{number}"
            await program.post("/sign-up", email=email, username=name, password=OTHER)
            again = await program.post("/sign-up", email=f"mine{number}@evil.example", username=name, password=OTHER)
            found.append(again.status)
        assert found[0] == found[1]


async def test_in_a_time_of_grace_nobody_takes_a_password_away_by_naming_an_address(tmp_path: Path) -> None:
    """Its account is in use although nobody proved it: that somebody else names its address changes nothing."""
    extensions = (*all_extensions(), EmailConfirmation(grace=timedelta(days=1)), ResetPassword())
    async with house(tmp_path, extensions=extensions) as home:
        site, stranger = home.site(), home.site()
        await sign_up(site, ADA)
        await sign_up(stranger, T1)
        await stranger.post("/account/email", email=ADA, current_password=PASSWORD)
        assert site.mail.kind == "email_confirmation.attempted"
        await sign_in(site.browser())
