"""A new account's address is proved before anybody is signed in; taken addresses look like free ones."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.testing import Site
from tests.house import PASSWORD, House, all_extensions, confirm, house, settle, sign_in, sign_up, whole_house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


async def test_sign_up_signs_nobody_in_and_mails_a_link(site: Site) -> None:
    answer = await site.post("/sign-up", email=ADA, password=PASSWORD)
    assert (answer.status, answer.location, site.cookie) == (303, "/auth/confirm-email", None)
    assert "Please look into your mailbox" in (await site.get("/confirm-email")).text
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("email_confirmation.confirm", ADA)]


async def test_a_program_is_told_what_comes_next(site: Site) -> None:
    answer = await site.program().post("/sign-up", email=ADA, password=PASSWORD)
    url = "https://example.com/auth/confirm-email"
    assert (answer.status, answer.json) == (201, {"action": {"name": "email_confirmation.waiting", "url": url}})


async def test_a_program_gets_no_token_either(site: Site) -> None:
    program = site.program()
    answer = await program.post("/sign-up", email=ADA, password=PASSWORD, transport="bearer")
    assert (answer.status, set(answer.json)) == (201, {"action"})


async def test_the_link_shows_a_button_and_only_the_button_confirms(site: Site) -> None:
    """S20: a mail scanner opens every link."""
    await sign_up(site)
    link = site.outbox.link
    for _ in range(3):
        page = await site.browser().get(link)
        assert (page.status, "Is ada@example.com your address?" in page.text) == (200, True)
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    assert (await site.post(link)).location == "/auth/sign-in"
    await sign_in(site)


async def test_confirming_signs_nobody_in_and_greets_the_owner(site: Site) -> None:
    await sign_up(site)
    other = site.browser()
    await confirm(other)
    assert other.cookie is None
    assert site.cookie is None
    assert site.outbox.kinds() == ["email_confirmation.confirm", "sign_up.welcome"]


async def test_a_link_works_once_and_says_clearly_when_it_does_not(site: Site) -> None:
    await sign_up(site)
    link = site.outbox.link
    await confirm(site)
    again = await site.post(link)
    assert (again.status, "This link is not valid" in again.text) == (400, True)
    assert (await site.get(link)).status == 400


async def test_a_link_is_over_after_a_day(home: House, site: Site) -> None:
    await sign_up(site)
    home.clock.move(timedelta(hours=24))
    assert (await site.post(site.outbox.link)).status == 400


async def test_a_link_that_a_mail_program_wrote_in_capitals_works(site: Site) -> None:
    await sign_up(site)
    head, _, secret = site.outbox.link.rpartition("/")
    assert (await site.post(f"{head}/{secret.upper()}")).status == 303


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:-1], lambda s: s + s, lambda s: s[::-1], lambda _: "x", lambda _: "%00"]
)
async def test_a_spoiled_link_uses_nothing_up(site: Site, spoil: "object") -> None:
    await sign_up(site)
    link = site.outbox.link
    head, _, secret = link.rpartition("/")
    assert callable(spoil)
    assert (await site.post(f"{head}/{spoil(secret)}")).status in {400, 404}
    assert (await site.post(link)).status == 303


async def test_wrong_unknown_and_unconfirmed_look_alike_and_only_the_mail_tells(site: Site) -> None:
    """S9: the words of a wrong password, for the right one as well."""
    await sign_up(site)
    site.outbox.clear()
    program = site.program()
    right = await program.post("/sign-in", email=ADA, password=PASSWORD)
    assert site.outbox.kinds() == ["email_confirmation.confirm"]
    wrong = await program.post("/sign-in", email=ADA, password="five loud red foxes")
    unknown = await program.post("/sign-in", email="eve@example.com", password=PASSWORD)
    assert (right.status, right.headers, right.body) == (wrong.status, wrong.headers, wrong.body)
    assert (right.status, right.headers, right.body) == (unknown.status, unknown.headers, unknown.body)
    assert len(site.outbox) == 1


async def test_refused_sign_ins_mail_a_link_at_most_five_times_an_hour(home: House, site: Site) -> None:
    await sign_up(site)
    site.outbox.clear()
    home.clock.move(timedelta(hours=1) - timedelta(seconds=home.clock.now().timestamp() % 3600))
    for _ in range(8):
        home.clock.move(timedelta(minutes=2))  # the delays between failures are not what is tested here
        await site.post("/sign-in", email=ADA, password=PASSWORD)
    assert site.outbox.kinds() == ["email_confirmation.confirm"] * 5


async def test_a_taken_address_looks_like_a_free_one_and_its_owner_is_told(site: Site) -> None:
    """S11: the same status, headers, cookies and body, for pages and for programs."""
    await settle(site)
    for visitor in (site.browser(), site.program()):
        free = await visitor.post("/sign-up", email="bob@example.com", password=PASSWORD)
        site.outbox.clear()
        taken = await visitor.post("/sign-up", email="Ada@example.com", password=PASSWORD)
        assert (taken.status, taken.headers, taken.body) == (free.status, free.headers, free.body)
        assert [(mail.kind, mail.to) for mail in site.outbox] == [("email_confirmation.attempted", ADA)]
        assert site.mail.parts["url"] == "https://example.com/auth/sign-in"
    await sign_in(site.browser())


async def test_a_taken_address_reports_the_same_bad_fields_as_a_free_one(tmp_path: Path) -> None:
    async with house(tmp_path, extensions=whole_house(), identifiers=("email", "username")) as home:
        site = home.site()
        await site.post("/sign-up", email=ADA, username="ada", password=PASSWORD)
        program = site.program()
        for more in ({"username": "ada", "password": PASSWORD}, {"username": "bob", "password": "short"}):
            free = await program.post("/sign-up", email="bob@example.com", **more)
            taken = await program.post("/sign-up", email=ADA, **more)
            assert (free.status, free.json) == (422, taken.json)


async def test_an_address_that_two_claim_goes_to_whoever_reads_its_mailbox(site: Site) -> None:
    """S48: whoever made the account first may be a stranger, and must not keep a password when it is confirmed."""
    await sign_up(site, password="five loud red foxes")
    theirs = site.outbox.link
    site.outbox.clear()
    owner = site.browser()
    await owner.post("/sign-up", email=ADA, password=PASSWORD)
    assert site.outbox.kinds() == ["reset_password.link"]
    assert (await owner.post(theirs)).status == 400
    await site.post("/sign-in", email=ADA, password="five loud red foxes")
    assert site.outbox.kinds() == ["reset_password.link"]
    assert (await owner.post(site.outbox.link, password=PASSWORD)).status == 303
    await sign_in(owner)
    assert (await site.post("/sign-in", email=ADA, password="five loud red foxes")).status == 401


async def test_an_account_that_nobody_confirms_is_erased_after_a_while(home: House, site: Site) -> None:
    await sign_up(site)
    await settle(site.browser(), "bob@example.com")
    home.clock.move(timedelta(days=30, seconds=1))
    await home.auth.purge()
    async with home.auth.begin(writes=False) as ctx:
        assert [account.email for account in await ctx.accounts.find()] == ["bob@example.com"]


async def test_a_user_name_tells_nobody_which_addresses_are_taken(tmp_path: Path) -> None:
    """S11: what was typed beside a taken address is taken afterwards, as beside a free one; until it is erased."""
    async with house(tmp_path, extensions=whole_house(), identifiers=("email", "username")) as home:
        program = home.site().program()
        await program.post("/sign-up", email=ADA, username="ada", password=PASSWORD)
        for number, email in enumerate((ADA, "free@example.com")):
            name = f"name{number}"
            await program.post("/sign-up", email=email, username=name, password=PASSWORD)
            again = await program.post("/sign-up", email=f"new{number}@example.com", username=name, password=PASSWORD)
            assert (again.status, set(again.json["errors"])) == (422, {"username"})
        home.clock.move(timedelta(days=31))
        await home.auth.purge()
        async with home.auth.begin(writes=False) as ctx:
            assert await ctx.accounts.find() == []


async def test_a_reset_takes_the_account_from_whoever_signed_up_with_anothers_address(site: Site) -> None:
    """S48: whoever made the account first knows a password, and must not keep it when the mailbox is proved."""
    await sign_up(site, password="five loud red foxes")
    owner = site.browser()
    await owner.post("/reset-password", email=ADA)
    assert (await owner.post(site.outbox.link, password=PASSWORD)).status == 303
    await sign_in(owner)
    assert (await site.post("/sign-in", email=ADA, password="five loud red foxes")).status == 401


async def test_a_link_is_sent_again_to_whoever_waits_and_to_nobody_else(site: Site) -> None:
    await sign_up(site)
    await settle(site.browser(), "bob@example.com")
    answers = [
        await site.program().post("/confirm-email", email=email)
        for email in (ADA, "bob@example.com", "eve@example.com", "no address")
    ]
    assert {(answer.status, answer.headers, answer.body) for answer in answers} == {(204, answers[0].headers, b"")}
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("email_confirmation.confirm", ADA)]
    await confirm(site)


async def test_using_one_link_ends_the_other_ones(site: Site) -> None:
    await sign_up(site)
    first = site.outbox.link
    await site.post("/confirm-email", email=ADA)
    await confirm(site)
    assert site.outbox.kinds()[-1] == "sign_up.welcome"
    second = await site.post(first)
    assert second.status in {303, 400}
    await sign_in(site)


async def test_sending_again_is_limited_by_address_known_or_not(site: Site) -> None:
    await sign_up(site)
    for email in (ADA, "eve@example.com"):
        statuses = [(await site.program().post("/confirm-email", email=email)).status for _ in range(6)]
        assert statuses == [204] * 5 + [429]


async def test_in_the_time_of_grace_an_account_can_be_used_at_once(tmp_path: Path) -> None:
    grace = EmailConfirmation(grace=timedelta(days=1))
    async with house(tmp_path, extensions=(*all_extensions(), grace)) as home:
        site = home.site()
        await sign_up(site)
        assert (await site.get("/account")).status == 200
        taken = await site.browser().post("/sign-up", email=ADA, password=PASSWORD)
        assert taken.status == 422  # which `powauth check` says
        home.clock.move(timedelta(days=1))
        assert (await site.browser().post("/sign-in", email=ADA, password=PASSWORD)).status == 401
        await confirm(site.browser())
        await sign_in(site.browser())
