"""Locked accounts: by a limit, their owner, an administrator; and the way back in."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.accounts import Account
from powauth.extensions.lock import Lock
from powauth.operations import lock_account, unlock_account
from powauth.testing import Site
from tests.house import PASSWORD, House, house, settle, sign_in, whole_house

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"
WRONG = "wrong wrong wrong"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    quick = tuple(Lock(most_failures=5) if known.name == "lock" else known for known in whole_house())
    async with house(tmp_path, extensions=quick) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    await settle(site)
    return site


async def ada(home: House) -> Account:
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(ADA)
    assert account
    return account


async def guess(home: House, site: Site, times: int = 5) -> None:
    """Fail from as many addresses."""
    for number in range(times):
        home.clock.move(timedelta(minutes=20))
        stranger = site.browser(client=f"192.0.2.{number + 1}")
        assert (await stranger.post("/sign-in", email=ADA, password=WRONG)).status == 401


async def lock(home: House, by: str = "administrator") -> None:
    async with home.auth.begin() as ctx:
        await lock_account(ctx, (await ada(home)).handle, by=by)


async def test_very_many_failures_shut_strangers_out_and_nobody_else(home: House, site: Site) -> None:
    """S42, S46: the right password of a stranger is refused; a known device and whoever is signed in go on."""
    phone = site.browser()
    await sign_in(phone)
    await guess(home, site)
    assert (await ada(home)).locked_by == "limit"
    stranger = site.browser(client="198.51.100.7")
    assert (await stranger.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    await sign_in(site)  # its session was over, and it is known
    assert (await site.get("/account")).status == 200


async def test_one_failure_less_shuts_nobody_out(home: House, site: Site) -> None:
    await guess(home, site, times=4)
    await sign_in(site.browser(client="198.51.100.7"))


async def test_a_success_makes_up_for_failures(home: House, site: Site) -> None:
    await guess(home, site, times=4)
    await sign_in(site)
    await guess(home, site, times=4)
    assert (await ada(home)).locked_by is None


async def test_the_refusal_looks_like_a_wrong_password(home: House, site: Site) -> None:
    """S9."""
    await guess(home, site)
    right = await site.program(client="198.51.100.7").post("/sign-in", email=ADA, password=PASSWORD)
    unknown = await site.program(client="198.51.100.8").post("/sign-in", email="eve@example.com", password=PASSWORD)
    assert (right.status, right.headers, right.body) == (unknown.status, unknown.headers, unknown.body)


async def test_the_owner_is_mailed_once_and_opens_it_again(home: House, site: Site) -> None:
    await guess(home, site, times=8)
    assert site.outbox.kinds() == ["lock.guarded"]
    stranger = site.browser(client="198.51.100.7")
    assert (await stranger.get(site.outbox.link)).status == 200  # S20: looking opens nothing
    assert (await stranger.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    assert (await stranger.post(site.outbox.link)).location == "/auth/sign-in"
    assert stranger.cookie is None
    await sign_in(stranger)


async def test_a_link_can_be_asked_for(home: House, site: Site) -> None:
    await guess(home, site)
    site.outbox.clear()
    stranger = site.browser(client="198.51.100.7")
    await stranger.post("/unlock", email=ADA)
    assert [(mail.kind, mail.to) for mail in site.outbox] == [("lock.link", ADA)]
    link = site.outbox.link
    assert [(await stranger.post(link)).status for _ in range(2)] == [303, 400]
    await sign_in(stranger)


async def test_asking_tells_nothing(home: House, site: Site) -> None:
    """S11: locked, not locked, locked by an administrator, unknown."""
    await settle(site.browser(), "bob@example.com")
    await lock(home)
    await site.deliver()
    site.outbox.clear()
    answers = [
        await site.program().post("/unlock", email=email) for email in (ADA, "bob@example.com", "eve@example.com", "x")
    ]
    assert {(answer.status, answer.headers, answer.body) for answer in answers} == {(204, answers[0].headers, b"")}
    assert len(site.outbox) == 0


async def test_an_administrators_lock_ends_everything_at_once(home: House, site: Site) -> None:
    """S18, S27."""
    await site.post("/reset-password", email=ADA)
    link = site.outbox.link
    await lock(home)
    assert (await site.get("/account")).status == 303
    assert (await site.browser().post(link, password=PASSWORD)).status == 400
    assert (await site.post("/sign-in", email=ADA, password=PASSWORD)).status == 401
    await site.deliver()
    assert (site.mail.kind, "url" in site.mail.parts) == ("lock.locked", False)


async def test_an_administrators_lock_is_not_lifted_by_an_older_link(home: House, site: Site) -> None:
    """S45."""
    await guess(home, site)
    link = site.outbox.link
    await lock(home)
    assert (await site.browser().post(link)).status == 400
    assert (await ada(home)).locked_by == "administrator"


async def test_an_administrator_lifts_it_and_the_owner_is_told(home: House, site: Site) -> None:
    await lock(home)
    await site.deliver()
    async with home.auth.begin() as ctx:
        await unlock_account(ctx, (await ada(home)).handle)
    await site.deliver()
    assert site.mail.kind == "lock.unlocked"
    await sign_in(site.browser())


async def test_an_owners_lock_is_lifted_by_the_mailbox(home: House, site: Site) -> None:
    await lock(home, by="owner")
    await site.deliver()
    assert site.mail.kind == "lock.locked_down"
    assert (await site.browser().post("/reset-password", email=ADA)).status == 303
    assert site.mail.kind == "lock.locked_down"  # a reset does not pass the lock
    await site.browser().post(site.outbox.link)
    await sign_in(site.browser())


async def test_a_link_is_over_after_two_hours(home: House, site: Site) -> None:
    await lock(home, by="owner")
    await site.deliver()
    home.clock.move(timedelta(hours=2))
    assert (await site.browser().post(site.outbox.link)).status == 400


@pytest.mark.parametrize("settings", [{"most_failures": 1}, {"most_failures": 101}, {"lifetime": timedelta(days=2)}])
def test_settings_that_protect_nobody_are_refused(settings: dict[str, object]) -> None:
    made = Lock(**settings)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  by name
    assert made.problems()
