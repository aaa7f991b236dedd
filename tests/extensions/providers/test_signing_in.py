"""Signing in, signing up, connecting and disconnecting with providers."""

from datetime import timedelta

import pytest

from powauth.testing import Site
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.house import PASSWORD, House, sign_up

pytestmark = pytest.mark.anyio


async def test_a_stranger_whom_a_provider_knows_gets_an_account_and_is_signed_in(site: Site) -> None:
    answer = await enter(site)
    assert answer.status == 303
    assert await who(site) == "ada@example.com"


async def test_who_comes_again_is_the_same_account_whatever_the_address_is_by_now(site: Site, fake: Fake) -> None:
    """S47."""
    await enter(site)
    first = (await site.program().get("/session")).json
    assert first["account"] is None
    mine = (await site.get("/session", headers={"accept": "application/json"})).json["account"]["id"]
    await site.post("/sign-out")
    fake.memory.claims |= {"email": "lovelace@example.com"}
    await enter(site)
    session = (await site.get("/session", headers={"accept": "application/json"})).json
    assert session["account"]["id"] == mine
    assert session["session"]["proofs"][0]["factor"] == "provider:fake"


async def test_the_buttons_stand_on_the_sign_in_sign_up_and_account_pages(site: Site) -> None:
    for path in ("/sign-in?next=/me", "/sign-up"):
        page = await site.get(path)
        assert 'formaction="/auth/providers/fake"' in page.text
        assert "https:" in (page.header("content-security-policy") or "").partition("form-action")[2]
    await enter(site)
    page = await site.get("/account")
    assert 'formaction="/auth/providers/fake/disconnect"' in page.text
    assert 'formaction="/auth/providers/other"' in page.text


async def test_who_signs_in_is_led_to_where_they_wanted_to_go(site: Site) -> None:
    answer = await enter(site, next="/me")
    assert answer.location == "/me"


async def test_no_next_leads_to_another_site(site: Site) -> None:
    """S55."""
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        browser = site.browser()
        assert "evil" not in (await enter(browser, next=evil)).location


async def test_a_program_is_told_where_to_send_the_browser(site: Site) -> None:
    program = site.program()
    answer = await program.post("/providers/fake")
    assert answer.status == 200
    assert answer.json["url"].startswith("https://fake.example/authorize?state=")
    done = await come_back(program, answer.json["url"].partition("state=")[2])
    assert done.status == 201
    assert done.json["account"]["email"] == "ada@example.com"


async def test_an_unknown_provider_is_not_found(site: Site) -> None:
    """Whatever its name, and whichever the door."""
    assert (await site.post("/providers/nobody")).status == 404
    assert (await site.get("/providers/nobody/callback?state=x&code=y")).status == 404
    assert (await site.post("/providers/nobody/callback", state="x")).status == 404


async def test_a_signed_in_person_connects_a_provider_and_signs_in_with_it(site: Site) -> None:
    await sign_up(site)
    answer = await enter(site)
    assert (answer.status, answer.location) == (303, "/auth/account")
    assert site.mail.kind == "providers.connected"
    await site.post("/sign-out")
    await enter(site)
    assert await who(site) == "ada@example.com"


async def test_a_provider_is_disconnected_where_another_way_in_remains(site: Site) -> None:
    await sign_up(site)
    await enter(site)
    answer = await site.post("/providers/fake/disconnect")
    assert (answer.status, answer.location) == (303, "/auth/account")
    assert 'formaction="/auth/providers/fake"' in (await site.get("/account")).text
    await site.post("/sign-out")
    assert "/complete" in (await enter(site)).location


async def test_the_last_way_in_cannot_be_removed(site: Site) -> None:
    """S51."""
    await enter(site)
    answer = await site.post("/providers/fake/disconnect")
    assert answer.status == 409
    await site.post("/sign-out")
    await enter(site)
    assert await who(site) == "ada@example.com"


async def test_connecting_asks_for_a_fresh_proof(site: Site, home: House) -> None:
    await sign_up(site)
    home.clock.move(timedelta(minutes=6))
    answer = await site.post("/providers/fake")
    assert answer.location.startswith("/auth/prove?next=")
    await site.post("/prove", password=PASSWORD)
    await set_out(site)


async def test_an_identity_of_another_account_is_not_moved(site: Site) -> None:
    await enter(site)
    eve = site.browser()
    await sign_up(eve, "eve@example.com")
    answer = await enter(eve)
    assert answer.status == 409
    assert await who(site) == "ada@example.com"
    assert await who(eve) == "eve@example.com"
