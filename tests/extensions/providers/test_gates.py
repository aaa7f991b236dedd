"""What stands before and around providers as around every other way in: who acts as somebody, limits, gates."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from powauth.errors import OwnerOnly
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.impersonation import Impersonation
from powauth.extensions.lock import Lock
from powauth.extensions.providers import operations
from powauth.extensions.remember_me import RememberMe
from powauth.extensions.roles import Roles
from powauth.oauth import Claims, Identity, Tokens
from powauth.operations import lock_account
from powauth.testing import Site
from tests.extensions.invitation.rooms import handed_over, inside, invited, room
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.extensions.remember_me.browser import close, navigate
from tests.house import House, confirm, house, let, sign_in, sign_up

pytestmark = pytest.mark.anyio

ADMIN, MEMBER = "grace@example.com", "ada@example.com"


# ---- who acts as somebody (S66) ----


@pytest.fixture
async def home(tmp_path: Path, fake: Fake, other: Fake) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(*extensions(fake, other), Roles(), Impersonation())) as opened:
        for email in (ADMIN, MEMBER):
            await sign_up(opened.site(), email)
        await let(opened, ADMIN, "admin")
        await let(opened, MEMBER, "member")
        ada = opened.site()
        await sign_in(ada, MEMBER)
        await enter(ada)
        yield opened


@pytest.fixture
async def grace(home: House) -> Site:
    """The administrator's browser."""
    site = home.site()
    await sign_in(site, ADMIN)
    return site


async def act(site: Site) -> None:
    answer = await site.post("/impersonate", email=MEMBER, reason="request 7")
    assert answer.status == 303, answer.text
    assert await who(site) == MEMBER


async def connected(site: Site) -> set[str]:
    account = (await site.get("/account", headers={"accept": "application/json"})).json
    return {provider["name"] for provider in account["providers"] if provider["is_connected"]}


async def test_who_acts_as_somebody_changes_none_of_their_ways_in(grace: Site) -> None:
    """S66."""
    await act(grace)
    for path, fields in (
        ("/providers/other", {}),
        ("/providers/other", {"purpose": "connect"}),
        ("/providers/fake", {"purpose": "prove"}),
        ("/providers/fake", {"purpose": "sign_in"}),
        ("/providers/fake/disconnect", {}),
    ):
        program = grace.program()
        program.jar = dict(grace.jar)
        answer = await program.post(path, **fields)
        assert (answer.status, answer.code) == (403, "owner_only"), path
    assert await connected(grace) == {"fake"}


async def test_a_flow_from_before_connects_nothing_to_whom_somebody_acts_as(grace: Site, other: Fake) -> None:
    """S49, S66: neither one of the administrator's own account nor one of nobody's."""
    state = await set_out(grace, "other", purpose="connect")
    nobody_s = grace.browser()
    signed_out = await set_out(nobody_s, "other")
    await act(grace)
    assert (await come_back(grace, state, "other")).status == 400
    grace.jar = nobody_s.jar | grace.jar
    other.memory.claims |= {"sub": "9"}
    await come_back(grace, signed_out, "other")
    assert await who(grace) == MEMBER
    assert await connected(grace) == {"fake"}


async def test_the_operations_themselves_refuse_who_acts_as_somebody(home: House) -> None:
    """S66: a handler of the application's own cannot do it by mistake."""
    identity = Identity(
        provider="other",
        issuer="https://other.example",
        claims=Claims.read({"sub": "9"}),
        tokens=Tokens(access_token="a"),
    )
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(MEMBER)
        admin = await ctx.accounts.by_email(ADMIN)
        assert account is not None
        assert admin is not None
        session = ctx.sessions.new(account, (), transport="cookie")
        ctx.signed_in_as(replace(session, actor=admin.handle))
        for work in (
            operations.connect(ctx, identity),
            operations.prove(ctx, identity),
            operations.disconnect(ctx, "fake"),
        ):
            with pytest.raises(OwnerOnly):
                await work


# ---- limits ----


async def test_an_address_begins_only_so_many_flows_a_minute(home: House) -> None:
    statuses = [(await home.site(client="192.0.2.1").post("/providers/fake")).status for _ in range(62)]
    assert statuses == [303] * 60 + [429] * 2
    assert (await home.site(client="192.0.2.2").post("/providers/fake")).status == 303
    home.clock.move(timedelta(minutes=1))
    assert (await home.site(client="192.0.2.1").post("/providers/fake")).status == 303


async def test_an_address_guesses_only_so_many_call_backs_a_minute_and_uses_up_none(home: House) -> None:
    """S44: a flow that waits is finished later."""
    ada = home.site(client="192.0.2.1")
    state = await set_out(ada)
    stranger = home.site(client="192.0.2.1")
    statuses = [(await come_back(stranger, f"guess-{number}")).status for number in range(61)]
    assert statuses == [400] * 60 + [429]
    assert (await come_back(ada, state)).status == 429
    home.clock.move(timedelta(minutes=1))
    await come_back(ada, state)
    assert await who(ada) == MEMBER


async def test_an_address_puts_down_only_so_many_forms_a_minute(tmp_path: Path) -> None:
    apple = Fake(name="apple", issuer="https://apple.example", response_mode="form_post")
    async with house(tmp_path, extensions=extensions(apple)) as home:
        headers = {"sec-fetch-site": "cross-site", "origin": "https://apple.example"}
        stranger = home.site(client="192.0.2.1")
        form = {"state": "x" * 40, "code": "good"}
        answers = [
            await stranger.send("POST", "/providers/apple/callback", form=form, headers=headers) for _ in range(61)
        ]
        assert [answer.status for answer in answers] == [400] * 60 + [429]


# ---- gates ----


@pytest.mark.parametrize("by", ["administrator", "owner"])
async def test_a_lock_beats_a_flow_that_is_under_way(tmp_path: Path, fake: Fake, by: str) -> None:
    """S45: at the end as at the beginning."""
    async with house(tmp_path, extensions=(*extensions(fake), Lock())) as home:
        await enter(home.site())
        site = home.site()
        state = await set_out(site)
        await lock(home, by)
        assert (await come_back(site, state)).status == 401
        assert await who(site) is None
        assert (await enter(site)).status == 401


async def test_guesses_at_a_password_shut_nobody_out_who_comes_by_a_provider(tmp_path: Path, fake: Fake) -> None:
    """S46: from whatever browser; a provider's word cannot be guessed."""
    async with house(tmp_path, extensions=(*extensions(fake), Lock())) as home:
        await enter(home.site())
        await lock(home, "limit")
        site = home.site()
        await enter(site)
        assert await who(site) == MEMBER


async def lock(home: House, by: str) -> None:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(MEMBER)
        assert account is not None
        await lock_account(ctx, account.handle, by=by)


async def test_who_is_remembered_by_a_provider_comes_back_without_it(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=(*extensions(fake), RememberMe())) as home:
        site = home.site()
        await come_back(site, await set_out(site, remember=True))
        close(site)
        assert await who(site) is None
        assert (await navigate(site)).status == 200
        assert await who(site) == MEMBER
        assert fake.memory.completed == 1
        assert not any("-remember=" in cookie for cookie in (await enter(home.site())).cookies())


async def test_disconnecting_forgets_devices_that_were_remembered(tmp_path: Path, fake: Fake) -> None:
    """S18: whoever lost a provider's account to somebody cuts that one off."""
    async with house(tmp_path, extensions=(*extensions(fake), RememberMe())) as home:
        site, thief = home.site(), home.site()
        await sign_up(site, MEMBER)
        await enter(site)
        await come_back(thief, await set_out(thief, remember=True))
        assert await who(thief) == MEMBER
        await site.post("/providers/fake/disconnect")
        assert (await navigate(thief)).status == 303
        assert await who(thief) is None
        assert await who(site) == MEMBER


# ---- invitations (S67) ----


async def test_an_invitation_waits_until_the_address_is_proved_that_a_provider_only_told(
    tmp_path: Path, fake: Fake
) -> None:
    """S67."""
    async with room(tmp_path, whole=False, more=(*extensions(fake)[-1:], EmailConfirmation())) as place:
        link = await handed_over(await inside(place))
        fake.memory.claims |= {"sub": "2", "email": "bob@example.com", "email_verified": False}
        bob = place.site()
        await bob.get(link)
        assert (await enter(bob)).location == "/auth/confirm-email"
        assert place.staff.accepted == []
        await confirm(bob)
        assert [event.account.email for event in place.staff.accepted] == ["bob@example.com"]
        assert (await place.site().get(link)).status == 400


async def test_who_has_an_account_comes_by_a_provider_and_accepts(tmp_path: Path, fake: Fake) -> None:
    async with room(tmp_path, whole=False, more=extensions(fake)[-1:]) as place:
        fake.memory.claims |= {"sub": "2", "email": "bob@example.com"}
        await enter(place.site())
        ada = await inside(place)
        link = await invited(ada)
        bob = place.site()
        assert (await bob.get(link)).status == 200
        await enter(bob, next=link.removeprefix("https://example.com"))
        assert (await bob.post(f"{link}/accept")).status == 303
        assert [event.account.email for event in place.staff.accepted] == ["bob@example.com"]


async def test_an_invitation_by_mail_is_not_accepted_by_another_account_through_a_provider(
    tmp_path: Path, fake: Fake
) -> None:
    """S67."""
    async with room(tmp_path, whole=False, more=extensions(fake)[-1:]) as place:
        fake.memory.claims |= {"sub": "3", "email": "eve@example.com"}
        await enter(place.site())
        link = await invited(await inside(place))
        eve = place.site()
        await eve.get(link)
        await enter(eve)
        assert await who(eve) == "eve@example.com"
        assert (await eve.post(f"{link}/accept")).status == 409
        assert place.staff.accepted == []
