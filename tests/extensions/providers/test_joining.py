"""“I have an account already”: it is signed in to by every gate, a page asks, and then both are connected."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest

from powauth import Text
from powauth.context import Context, on
from powauth.events import Event
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.impersonation import Impersonation
from powauth.extensions.providers import CompleteForm, Connected, Providers
from powauth.extensions.reset_password import ResetPassword
from powauth.extensions.roles import Roles
from powauth.testing import Site
from powauth.testing.factor import CodeFactor
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter, set_out, who
from tests.extensions.providers.joins import FORGET, HERE, JOIN, MINE, connected, join, shown
from tests.house import PASSWORD, House, all_extensions, confirm, house, let, sign_in, sign_up

pytestmark = pytest.mark.anyio


async def test_who_has_an_account_signs_in_to_it_is_asked_and_has_both(known: Site) -> None:
    """S48."""
    page = await known.get("/providers/fake/complete")
    assert f'formaction="/auth{MINE}"' in page.text
    answer = await known.post(MINE)
    assert (answer.status, answer.location) == (303, "/auth/sign-in?next=%2Fauth%2Fproviders%2Ffake%2Fjoin")
    entrance = await known.get(answer.location)
    assert "You are asked before anything is connected" in entrance.text
    assert f'value="{HERE}"' in entrance.text
    answer = await known.post("/sign-in", email="ada@example.com", password=PASSWORD, next=HERE)
    assert answer.location == HERE
    page = await known.get(HERE)
    assert "You are signed in as ada@example.com. At Fake you are ada@example.com." in page.text
    assert await connected(known) == []
    known.outbox.clear()
    answer = await join(known)
    assert (answer.status, answer.location) == (303, "/auth/account")
    assert (known.mail.kind, known.mail.to) == ("providers.connected", "ada@example.com")
    await known.post("/sign-out")
    await enter(known)
    assert await who(known) == "ada@example.com"


async def test_it_goes_on_to_where_somebody_had_set_out_for(site: Site) -> None:
    await sign_up(site.browser())
    await enter(site, next="/me")
    await sign_in(site)
    assert (await join(site)).location == "/me"


async def test_it_is_announced_like_every_other_connection(tmp_path: Path, fake: Fake) -> None:
    heard: list[Event] = []

    async def hear(event: Event, ctx: Context) -> None:
        heard.append(event)

    async with house(tmp_path, extensions=extensions(fake), hooks=(on(Connected, hear),)) as home:
        site = home.site()
        await sign_up(site.browser())
        await enter(site)
        await sign_in(site)
        await join(site)
        assert [type(event) for event in heard] == [Connected]


async def test_every_gate_stands_before_it(tmp_path: Path, fake: Fake) -> None:
    """S32: the second factor comes first, and leads on to the page that asks."""
    async with house(tmp_path, extensions=(*extensions(fake), CodeFactor())) as home:
        site = home.site()
        await sign_up(site.browser())
        await enter(site)
        await site.post("/sign-in", email="ada@example.com", password=PASSWORD, next=HERE)
        assert (await site.get(JOIN)).location.startswith("/auth/sign-in?next=")
        assert (await site.post("/test-code", code="123456")).location == HERE
        assert (await join(site)).status == 303
        assert await connected(site) == ["fake"]


async def test_the_account_is_proved_with_another_provider_where_that_is_its_way(site: Site, fake: Fake) -> None:
    await enter(site.browser(), "other")
    assert (await enter(site)).location == "/auth/providers/fake/complete"
    assert (await enter(site, "other", next=HERE)).location == HERE
    await join(site)
    assert await connected(site) == ["fake", "other"]


async def test_signing_in_alone_connects_nothing(known: Site) -> None:
    """S48, S54: neither does a form that was not asked by the page, nor one that another site sends."""
    await sign_in(known)
    for fields in ({}, {"shown": ""}, {"shown": "0" * 64}):
        assert (await known.post(JOIN, **fields)).status == 400
    evil = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    forged = await known.send("POST", JOIN, form={"shown": shown(await known.get(JOIN))}, headers=evil)
    assert forged.status == 403
    assert await connected(known) == []


async def test_who_did_not_come_back_with_that_browser_has_nothing_to_connect(known: Site) -> None:
    """S49: whoever lures somebody to the address of their own finds nothing there."""
    eve = known.browser()
    await sign_up(eve, "eve@example.com")
    assert (await eve.get(JOIN)).status == 400
    assert (await eve.post(JOIN, shown="0" * 64)).status == 400
    assert (await known.browser().post(MINE)).status == 400
    assert (await known.get("/providers/other/complete")).status == 400


async def test_the_button_counts_only_for_the_two_that_the_page_named(known: Site, fake: Fake) -> None:
    """S49: somebody else signed in since, or another tab came back as somebody else."""
    await sign_in(known)
    asked = shown(await known.get(JOIN))
    ada = dict(known.jar)
    eve = known.browser()
    await sign_up(eve, "eve@example.com")
    known.jar |= eve.jar
    assert (await known.post(JOIN, shown=asked)).status == 400
    assert await connected(known) == []
    known.jar = ada
    await known.post("/sign-out")
    fake.memory.claims |= {"sub": "2"}
    await enter(known)
    known.jar |= {name: value for name, value in ada.items() if "provider" not in name}
    await sign_in(known)
    assert (await known.post(JOIN, shown=asked)).status == 400
    assert await connected(known) == []


async def test_it_is_good_once(known: Site) -> None:
    """S49, S17."""
    await sign_in(known)
    jar = dict(known.jar)
    asked = shown(await known.get(JOIN))
    await known.post(JOIN, shown=asked)
    await known.post("/providers/fake/disconnect")
    known.jar = {**jar, **known.jar}
    assert (await known.get(JOIN)).status == 400
    assert (await known.post(JOIN, shown=asked)).status == 400
    assert await connected(known) == []


async def test_it_is_over_after_a_quarter_of_an_hour(known: Site, home: House) -> None:
    home.clock.move(timedelta(minutes=16))
    await sign_in(known)
    assert (await known.get(JOIN)).status == 400


async def test_signing_out_forgets_it(known: Site) -> None:
    """S49: whoever comes to that browser next finds nothing, whatever it kept."""
    await sign_up(known, "eve@example.com")
    jar = {name: value for name, value in known.jar.items() if "provider" in name}
    assert jar
    await known.post("/sign-out")
    assert not any("provider" in name for name in known.jar)
    known.jar |= jar
    await sign_in(known)
    assert (await known.get(JOIN)).status == 400


@pytest.mark.parametrize("way", ["it is over already", "on the page of devices"])
async def test_however_somebody_signs_out_it_is_forgotten(known: Site, home: House, way: str) -> None:
    """S49."""
    await sign_up(known, "eve@example.com")
    jar = {name: value for name, value in known.jar.items() if "provider" in name}
    (session,) = (await known.get("/sessions", headers={"accept": "application/json"})).json["sessions"]
    if way == "it is over already":
        async with home.auth.begin() as ctx:
            account = await ctx.accounts.by_email("eve@example.com")
            assert account is not None
            await ctx.sessions.end_public(account.handle, session["id"])
        await known.post("/sign-out")
    else:
        await known.post(f"/sessions/{session['id']}/end")
    known.jar |= jar
    await sign_in(known)
    assert (await known.get(JOIN)).status == 400


async def test_signing_out_leaves_those_alone_who_are_on_their_way(known: Site) -> None:
    state = await set_out(known.browser())
    assert state
    await sign_in(known)
    jar = dict(known.jar)
    await set_out(known, "other", purpose="connect")
    on_its_way = set(known.jar) - set(jar)
    await known.post("/sign-out")
    assert on_its_way <= set(known.jar)


async def test_who_says_no_connects_nothing_and_is_not_asked_again(known: Site) -> None:
    await sign_in(known)
    assert f'formaction="/auth{FORGET}"' in (await known.get(JOIN)).text
    assert (await known.post(FORGET)).status == 303
    assert (await known.get(JOIN)).status == 400
    assert await connected(known) == []


async def test_an_old_proof_is_renewed_before_it_is_asked(known: Site, home: House) -> None:
    await sign_in(known)
    home.clock.move(timedelta(minutes=6))
    for answer in (await known.get(JOIN), await known.post(JOIN, shown="0")):
        assert answer.location.startswith("/auth/prove?next=%2Fauth%2Fproviders") or "/auth/prove" in answer.location
    await known.post("/prove", password=PASSWORD, next=HERE)
    assert (await join(known)).status == 303


async def test_an_identity_that_became_another_account_s_meanwhile_stays_there(known: Site, fake: Fake) -> None:
    await sign_in(known)
    asked = shown(await known.get(JOIN))
    fake.memory.claims |= {"email": "bob@example.com"}
    await enter(known.browser())
    assert (await known.post(JOIN, shown=asked)).status == 409
    assert await connected(known) == []


async def test_who_acts_as_somebody_connects_nothing_to_them(tmp_path: Path, fake: Fake) -> None:
    """S66."""
    async with house(tmp_path, extensions=(*extensions(fake), Roles(), Impersonation())) as home:
        await sign_up(home.site())
        await sign_up(home.site(), "grace@example.com")
        await let(home, "grace@example.com", "admin")
        await let(home, "ada@example.com", "member")
        site = home.site()
        await enter(site)
        await sign_in(site, "grace@example.com")
        asked = shown(await site.get(JOIN))
        acting = await site.post("/impersonate", email="ada@example.com", reason="request 7")
        assert acting.status == 303, acting.text
        assert await who(site) == "ada@example.com"
        assert (await site.get(JOIN)).status == 403
        assert (await site.post(JOIN, shown=asked)).status == 403
        assert await connected(site) == []


async def test_a_removed_provider_connects_nothing(tmp_path: Path, fake: Fake) -> None:
    """S50."""
    listed = [fake]

    async def providers(_: object) -> list[Fake]:
        return listed

    async with house(tmp_path, extensions=(*all_extensions(), Providers(providers=providers))) as home:
        site = home.site()
        await sign_up(site.browser())
        await enter(site)
        await sign_in(site)
        listed.clear()
        assert (await site.get(JOIN)).status == 404
        assert (await site.post(JOIN, shown="0" * 64)).status == 404
        assert (await site.post(MINE)).status == 404


class NamedForm(CompleteForm):
    """A field of the application's own, which no provider fills."""

    name: Annotated[str, Text(max=80)]


async def test_the_way_is_offered_whether_or_not_an_unproved_address_is_somebody_s(tmp_path: Path, fake: Fake) -> None:
    """S11: a page that anybody can have by claiming an address tells nothing of it."""
    fake.memory.claims["email_verified"] = False
    more = (EmailConfirmation(), ResetPassword())
    async with house(tmp_path, extensions=(*extensions(fake, form=NamedForm), *more)) as home:
        site = home.site()
        free = await pages(site.browser())
        await sign_up(site)
        await confirm(site)
        assert await pages(site.browser()) == free


async def pages(site: Site) -> list[tuple[int, str]]:
    """Return what somebody sees who comes back, and chooses that they have an account."""
    answers = [await enter(site), await site.get("/providers/fake/complete"), await site.post(MINE)]
    return [(answer.status, answer.location or answer.text) for answer in answers]
