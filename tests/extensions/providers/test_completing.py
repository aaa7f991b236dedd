"""What a provider leaves open, and what an address is worth that it tells."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import select

from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.reset_password import ResetPassword
from powauth.operations import lock_account
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.house import PASSWORD, confirm, house, sign_up

pytestmark = pytest.mark.anyio


@pytest.fixture
async def strict(tmp_path: Path, fake: Fake) -> AsyncGenerator[Site]:
    """A browser where addresses are confirmed."""
    async with house(tmp_path, extensions=(*extensions(fake), EmailConfirmation(), ResetPassword())) as home:
        yield home.site()


async def test_a_missing_address_is_asked_for(site: Site, fake: Fake) -> None:
    del fake.memory.claims["email"]
    answer = await enter(site, next="/me")
    assert answer.location == "/auth/providers/fake/complete"
    assert await who(site) is None
    page = await site.get(answer.location)
    assert 'name="email"' in page.text
    assert (await site.post(answer.location, email="no address")).status == 422
    done = await site.post(answer.location, email="ada@example.com")
    assert done.location == "/me"
    assert await who(site) == "ada@example.com"


async def test_what_is_left_open_is_good_once_and_in_that_browser(site: Site, fake: Fake) -> None:
    del fake.memory.claims["email"]
    answer = await enter(site)
    assert (await site.browser().get(answer.location)).status == 400
    assert (await site.browser().post(answer.location, email="eve@example.com")).status == 400
    await site.post(answer.location, email="ada@example.com")
    await site.post("/sign-out")
    assert (await site.post(answer.location, email="two@example.com")).status == 400


async def test_a_taken_address_links_nothing_by_itself(site: Site) -> None:
    """S47, S48: verified or not, the account that there is has to be proved first."""
    await sign_up(site)
    eve = site.browser()
    answer = await enter(eve)
    assert answer.location == "/auth/providers/fake/complete"
    assert await who(eve) is None
    assert (await eve.post(answer.location, email="ada@example.com")).status == 422
    done = await eve.post(answer.location, email="eve@example.com")
    assert done.status == 303
    assert await who(eve) == "eve@example.com"


async def test_an_unverified_address_is_confirmed_first(strict: Site, fake: Fake) -> None:
    fake.memory.claims["email_verified"] = False
    assert (await enter(strict)).location == "/auth/confirm-email"
    assert await who(strict) is None
    assert (await enter(strict)).status == 401  # known by now, and held until the mailbox is proved
    await confirm(strict)
    await enter(strict)
    assert await who(strict) == "ada@example.com"


async def test_a_verified_address_needs_no_mail(strict: Site) -> None:
    assert (await enter(strict)).location == "/"
    assert await who(strict) == "ada@example.com"


async def test_an_unverified_address_tells_nobody_that_it_is_taken(strict: Site, fake: Fake) -> None:
    """S11: and the provider is no way in to the account that has it."""
    await sign_up(strict)
    await confirm(strict)
    fake.memory.claims["email_verified"] = False
    eve = strict.browser()
    assert (await enter(eve)).location == "/auth/confirm-email"
    assert await who(eve) is None
    assert strict.mail.to == "ada@example.com"
    assert (await enter(eve)).location == "/auth/confirm-email"


async def test_who_proved_an_address_takes_it_from_who_did_not(strict: Site) -> None:
    """S48."""
    eve = strict.browser()
    await sign_up(eve)
    assert (await enter(strict)).location == "/"
    assert await who(strict) == "ada@example.com"
    await eve.post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert await who(eve) is None


async def test_who_resets_the_password_of_an_unproved_account_is_alone_in_it(strict: Site, fake: Fake) -> None:
    """S48: whoever signed up with a provider and another person's address loses the way in."""
    fake.memory.claims["email_verified"] = False
    eve = strict.browser()
    await enter(eve)
    await strict.post("/reset-password", email="ada@example.com")
    await strict.post(strict.outbox.link, password="a long new password")
    await strict.post("/sign-in", email="ada@example.com", password="a long new password")
    assert await who(strict) == "ada@example.com"
    await enter(eve)
    assert await who(eve) is None


@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_linking_by_address_needs_both_sides_to_have_proved_it(
    tmp_path: Path, fake: Fake, *, is_confirmed: bool
) -> None:
    more = (EmailConfirmation(), ResetPassword())
    async with house(tmp_path, extensions=(*extensions(fake, links_verified=True), *more)) as home:
        site = home.site()
        await sign_up(site)
        if is_confirmed:
            await confirm(site)
            fake.memory.claims["email_verified"] = False
            await enter(site)
            assert await who(site) is None
        fake.memory.claims["email_verified"] = True
        await enter(site)
        assert await who(site) == "ada@example.com"
        await site.post("/sign-out")
        await site.post("/sign-in", email="ada@example.com", password=PASSWORD)
        assert (await who(site) is not None) == is_confirmed  # the unproved one was erased


async def test_registration_can_be_off_while_who_is_known_gets_in(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=extensions(fake, registration=False)) as home:
        site = home.site()
        assert (await enter(site)).status == 403
        assert await who(site) is None
        await sign_up(site)
        await enter(site)
        await site.post("/sign-out")
        await enter(site)
        assert await who(site) == "ada@example.com"


async def test_a_second_factor_stands_before_the_session(tmp_path: Path, fake: Fake) -> None:
    """S32."""
    async with house(tmp_path, extensions=(*extensions(fake), CodeFactor())) as home:
        site = home.site()
        assert (await enter(site)).location == "/auth/test-code"
        assert await who(site) is None
        await site.post("/test-code", code="123456")
        assert await who(site) == "ada@example.com"


async def test_who_ticks_the_box_is_remembered(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=(*extensions(fake), RememberMe())) as home:
        site = home.site()
        assert 'name="remember"' in (await site.get("/sign-in")).text
        answer = await come_back(site, await set_out(site, remember=True))
        assert any("-remember=" in cookie for cookie in answer.cookies())


async def test_a_locked_account_is_not_signed_in_to(site: Site) -> None:
    """S45."""
    await enter(site)
    auth = site.auth
    async with auth.begin() as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        await lock_account(ctx, account.handle, by="administrator")
    site.jar.clear()
    assert (await enter(site)).status == 401
    assert await who(site) is None


async def test_columns_of_the_application_are_filled(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=extensions(fake, profile={"name": "name"})) as home:
        await enter(home.site())
        async with home.sessionmaker() as db:
            assert (await db.scalars(select(home.user.name))).all() == ["Ada"]
