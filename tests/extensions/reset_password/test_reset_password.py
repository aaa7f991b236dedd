"""A forgotten password is set anew by a mailed link."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.extensions.reset_password import ResetPassword
from powauth.operations import guard_account, lock_account
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.house import PASSWORD, House, all_extensions, house, settle, sign_in, sign_up, whole_house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
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


async def ask(site: Site, email: str = ADA) -> str:
    """Ask for a link, and return it."""
    await site.post("/reset-password", email=email)
    assert site.mail.kind == "reset_password.link"
    return site.outbox.link


async def test_a_link_sets_the_password_and_signs_nobody_in(site: Site) -> None:
    forgetful = site.browser()
    link = await ask(forgetful)
    assert (await forgetful.get(link)).status == 200
    answer = await forgetful.post(link, password=OTHER)
    assert (answer.location, forgetful.cookie) == ("/auth/sign-in", None)
    assert (await forgetful.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    await sign_in(forgetful, password=OTHER)


async def test_the_page_says_whose_password_it_is_and_never_echoes_one(site: Site) -> None:
    link = await ask(site.browser())
    assert ADA in (await site.browser().get(link)).text
    refused = await site.browser().post(link, password="short")
    assert (refused.status, "short" in refused.text.replace("too short", "")) == (422, False)
    assert refused.header("referrer-policy") == "same-origin"
    assert "no-store" in (refused.header("cache-control") or "")


async def test_a_short_password_keeps_the_link_usable(site: Site) -> None:
    link = await ask(site.browser())
    assert (await site.browser().post(link, password="short")).status == 422
    assert (await site.browser().post(link, password=OTHER)).status == 303


async def test_known_and_unknown_get_the_same_answer(site: Site) -> None:
    """S11: whoever asks is told nothing; the request looks nobody up."""
    site.outbox.clear()
    answers = [
        await site.program().post("/reset-password", email=email)
        for email in (ADA, "ADA@EXAMPLE.COM", "eve@example.com", "nonsense", "a@b", "ada")
    ]
    assert {(answer.status, answer.headers, answer.body) for answer in answers} == {(204, answers[0].headers, b"")}
    assert [mail.to for mail in site.outbox] == [ADA, ADA]


async def test_nothing_typed_is_a_bad_field(site: Site) -> None:
    answer = await site.program().post("/reset-password")
    assert (answer.status, set(answer.json["errors"])) == (422, {"email"})


async def test_a_link_works_once_and_ends_all_others(site: Site) -> None:
    """S17, S18."""
    first, second = await ask(site.browser()), await ask(site.browser())
    assert first != second
    assert (await site.browser().post(first, password=OTHER)).status == 303
    for link in (first, second):
        assert (await site.browser().post(link, password=PASSWORD)).status == 400


async def test_every_session_ends_but_the_one_that_reset_it(site: Site) -> None:
    phone, stranger = site.browser(), site.browser()
    await sign_in(phone)
    link = await ask(site)
    await site.post(link, password=OTHER)
    assert (await site.get("/account")).status == 200  # it may be used while signed in
    assert (await phone.get("/account")).status == 303
    link = await ask(stranger)
    await stranger.post(link, password=PASSWORD)
    assert (await site.get("/account")).status == 303


@pytest.mark.parametrize("what", ["password", "email", "lock"])
async def test_a_change_of_a_credential_ends_the_link_and_what_was_only_asked_for(
    home: House, site: Site, what: str
) -> None:
    """S18: also a mail that was asked for before the change, and not sent yet."""
    link = await ask(site.browser())
    async with home.auth.begin() as ctx:
        await ctx.send_on_request(ResetPassword().mail, ADA)
        account = await ctx.accounts.by_email(ADA)
        assert account
    site.outbox.clear()
    if what == "password":
        await site.post("/account/password", current_password=PASSWORD, new_password=OTHER)
    elif what == "email":
        await site.post("/account/email", email="new@example.com", current_password=PASSWORD)
        change = next(mail for mail in site.outbox if mail.kind == "email_confirmation.change")
        await site.post(change.parts["url"])
    else:
        async with home.auth.begin() as ctx:
            await lock_account(ctx, account.handle)
    await site.deliver()
    assert "reset_password.link" not in site.outbox.kinds() or what == "email"
    assert (await site.browser().post(link, password=OTHER)).status == 400


async def test_it_is_over_after_two_hours(home: House, site: Site) -> None:
    link = await ask(site.browser())
    home.clock.move(timedelta(hours=2))
    assert (await site.browser().get(link)).status == 400


async def test_it_opens_no_locked_account(home: House, site: Site) -> None:
    """S45: neither when it is asked for, nor when it is used."""
    link = await ask(site.browser())
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        await lock_account(ctx, account.handle)
    assert (await site.browser().post(link, password=OTHER)).status == 400
    site.outbox.clear()
    await site.browser().post("/reset-password", email=ADA)
    assert len(site.outbox) == 0


async def test_it_lifts_a_limits_lock(home: House, site: Site) -> None:
    """A fresh proof of the mailbox is the way back in (S46)."""
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        await guard_account(ctx, account.handle)
    stranger = site.browser()
    assert (await stranger.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    await stranger.post("/reset-password", email=ADA)
    link = next(mail.parts["url"] for mail in reversed(site.outbox.mails) if mail.kind == "reset_password.link")
    await stranger.post(link, password=OTHER)
    await sign_in(stranger, password=OTHER)


async def test_it_makes_up_for_failures(site: Site) -> None:
    forgetful = site.browser()
    while (await forgetful.post("/sign-in", email=ADA, password="wrong wrong wrong")).status == 401:
        pass
    link = await ask(forgetful)
    await forgetful.post(link, password=OTHER)
    await sign_in(forgetful, password=OTHER)


async def test_it_skips_no_second_factor(tmp_path: Path) -> None:
    """S39."""
    async with house(tmp_path, extensions=(*all_extensions(), ResetPassword(), CodeFactor())) as home:
        site = home.site()
        await site.post("/sign-up", email=ADA, password=PASSWORD)
        link = await ask(site.browser())
        forgetful = site.browser()
        await forgetful.post(link, password=OTHER)
        answer = await forgetful.post("/sign-in", email=ADA, password=OTHER)
        assert (answer.location, forgetful.cookie) == ("/auth/test-code", None)


@pytest.mark.parametrize("confirms", [True, False])
async def test_a_setting_decides_whether_it_confirms_the_address(tmp_path: Path, *, confirms: bool) -> None:
    extensions = tuple(
        ResetPassword(confirms=confirms) if known.name == "reset_password" else known for known in whole_house()
    )
    async with house(tmp_path, extensions=extensions) as home:
        site = home.site()
        await sign_up(site)
        await site.post(await ask(site), password=OTHER)
        assert (await site.post("/sign-in", email=ADA, password=OTHER)).status == (303 if confirms else 401)


async def test_it_is_limited_by_address_known_or_not(site: Site) -> None:
    for email in (ADA, "eve@example.com"):
        statuses = [(await site.program().post("/reset-password", email=email)).status for _ in range(6)]
        assert statuses == [204] * 5 + [429]


async def test_another_kind_of_token_resets_nothing(site: Site) -> None:
    """S16."""
    await site.post("/account/email", email="new@example.com", current_password=PASSWORD)
    secret = site.outbox.link.rpartition("/")[2]
    assert (await site.browser().post(f"/reset-password/{secret}", password=OTHER)).status == 400
    reset = (await ask(site.browser())).rpartition("/")[2]
    for path in ("confirm-email", "unlock", "secure-account", "reopen", "confirm-email/undo"):
        assert (await site.browser().post(f"/{path}/{reset}")).status == 400


def test_a_link_lives_a_day_at_most() -> None:
    """S21."""
    assert ResetPassword(lifetime=timedelta(hours=25)).problems()
    assert ResetPassword(lifetime=timedelta(hours=24)).problems() == ()


async def test_asking_for_links_makes_up_for_no_failures(home: House, site: Site) -> None:
    """S22: a new link or code leaves the counters as they are."""
    guesser = site.browser(client="198.51.100.7")
    for _ in range(5):
        assert (await guesser.post("/sign-in", email=ADA, password="wrong wrong wrong")).status == 401
    for path in ("/reset-password", "/unlock", "/confirm-email"):
        await guesser.post(path, email=ADA)
    assert (await guesser.post("/sign-in", email=ADA, password="wrong wrong wrong")).status == 429


async def test_no_page_shows_by_what_it_asks_whether_somebody_is_known(site: Site) -> None:
    """S12: what an address brings along is shown as it was typed, and nothing beside it."""
    stranger = site.browser()
    for path in ("/sign-in", "/sign-up", "/reset-password", "/unlock", "/confirm-email"):
        known = (await stranger.get(f"{path}?email={ADA}")).text
        unknown = (await stranger.get(f"{path}?email=eve@example.com")).text
        assert known.replace(ADA, "eve@example.com") == unknown, path
