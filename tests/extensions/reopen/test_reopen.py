"""A closed account can be opened again for a while; then it is erased."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from powauth.extensions.reopen import ClosureRecord, Reopen
from powauth.operations import lock_account
from powauth.testing import Site
from tests.house import PASSWORD, House, confirm, house, settle, sign_in, sign_up, whole_house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await settle(site)
    return site


async def close(site: Site) -> str:
    """Close the account, and return the link that opens it again."""
    answer = await site.post("/account/close", current_password=PASSWORD)
    assert answer.status == 303, answer.text
    assert (site.mail.kind, site.mail.to) == ("reopen.closed", ADA)
    return site.outbox.link


async def exists(home: House) -> bool:
    async with home.auth.begin(writes=False) as ctx:
        return await ctx.accounts.by_email(ADA) is not None


async def test_closing_ends_everything_at_once_and_keeps_the_address(home: House, site: Site) -> None:
    phone = site.browser()
    await sign_in(phone)
    await phone.post("/reset-password", email=ADA)
    reset = site.outbox.link
    await close(site)
    assert (site.cookie, (await phone.get("/account")).status) == (None, 303)
    assert (await phone.post(reset, password=PASSWORD)).status == 400
    assert (await phone.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    site.outbox.clear()
    assert (await phone.post("/sign-up", email=ADA, password=PASSWORD)).status == 303
    assert len(site.outbox) == 0  # the address is reserved, and a closed account is mailed nothing
    assert await exists(home)


async def test_a_mailed_link_opens_it_again_and_signs_nobody_in(site: Site) -> None:
    link = await close(site)
    assert "is as it was" in (await site.get(link)).text
    assert (await site.browser().post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    answer = await site.post(link)
    assert (answer.location, site.cookie) == ("/auth/sign-in", None)
    await sign_in(site)


async def test_the_link_works_once_and_reopens_nothing_that_was_closed_later(site: Site) -> None:
    first = await close(site)
    await site.post(first)
    await sign_in(site)
    second = await close(site)
    assert (await site.post(first)).status == 400
    assert (await site.post(second)).status == 303


async def test_after_a_while_it_is_erased_with_all_that_belongs_to_it(home: House, site: Site) -> None:
    link = await close(site)
    home.clock.move(timedelta(days=14, seconds=-1))
    await home.auth.purge()
    assert await exists(home)
    home.clock.move(timedelta(seconds=2))
    await home.auth.purge()
    assert not await exists(home)
    async with home.auth.begin(writes=False) as ctx:
        assert await ctx.records(ClosureRecord).find() == []
    assert (await site.post(link)).status == 400
    await sign_up(site)
    await confirm(site)
    await sign_in(site)


async def test_an_account_that_was_opened_again_is_not_erased(home: House, site: Site) -> None:
    await site.post(await close(site))
    home.clock.move(timedelta(days=15))
    await home.auth.purge()
    assert await exists(home)


async def test_an_administrators_lock_is_not_passed(home: House, site: Site) -> None:
    link = await close(site)
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        await lock_account(ctx, account.handle)
    assert (await site.post(link)).status == 400


async def test_whoever_closed_a_stolen_account_does_not_keep_its_owner_out(site: Site) -> None:
    """The address was changed, then the account closed: the former mailbox takes both back."""
    await site.post("/account/email", email="eve@example.com", current_password=PASSWORD)
    await site.post(site.outbox.link)
    undo = site.outbox.link
    await site.post("/account/close", current_password=PASSWORD)
    theirs = site.outbox.link
    owner = site.browser()
    assert (await owner.post(undo)).status == 303
    assert (site.mail.kind, site.mail.to) == ("reopen.closed", ADA)
    assert (await owner.post(theirs)).status == 400
    assert (await owner.post(site.outbox.link)).status == 303
    await owner.post("/reset-password", email=ADA)
    await owner.post(site.outbox.link, password="five loud red foxes")
    await sign_in(owner, password="five loud red foxes")


async def test_at_once_means_at_once(tmp_path: Path) -> None:
    extensions = tuple(Reopen(within=timedelta(0)) if known.name == "reopen" else known for known in whole_house())
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        await settle(site)
        await site.post("/account/close", current_password=PASSWORD)
        assert not await exists(home)


async def test_a_row_of_the_application_puts_erasing_off_and_breaks_nothing(home: House, site: Site) -> None:
    @event.listens_for(home.engine.sync_engine, "connect")
    def enforce(connection: DBAPIConnection, _: object) -> None:
        connection.cursor().execute("pragma foreign_keys = on")

    await home.engine.dispose()
    async with home.engine.begin() as connection:
        await connection.execute(text("create table posts (author char(32) not null references users(id))"))
        await connection.execute(text("insert into posts select id from users"))
    await close(site)
    home.clock.move(timedelta(days=15))
    await home.auth.purge()
    assert await exists(home)
    async with home.engine.begin() as connection:
        await connection.execute(text("delete from posts"))
    home.clock.move(timedelta(days=1, seconds=1))
    await home.auth.purge()
    assert not await exists(home)
