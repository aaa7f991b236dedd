"""What comes back is believed once, by the browser and in the session that set out, and from whom it was asked."""

import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from powauth.extensions.providers import Providers
from powauth.oauth import TooSlow
from powauth.testing import Site
from powauth.testing.site import Answer
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, state_of, who
from tests.house import House, all_extensions, house, sign_up

pytestmark = pytest.mark.anyio


async def test_a_call_back_is_good_once(site: Site, fake: Fake) -> None:
    """S49, S17."""
    state = await set_out(site)
    await come_back(site, state)
    await site.post("/sign-out")
    assert (await come_back(site, state)).status == 400
    assert await who(site) is None
    assert fake.memory.completed == 1


async def test_another_browser_finishes_nothing_and_takes_nothing(site: Site, fake: Fake) -> None:
    """S49: who lures somebody to a call-back of their own signs them in to nothing."""
    state = await set_out(site)
    other = site.browser()
    await set_out(other)  # it has a flow of its own
    assert (await come_back(other, state)).status == 400
    assert await who(other) is None
    assert fake.memory.completed == 0
    await come_back(site, state)
    assert await who(site) == "ada@example.com"


async def test_a_state_of_one_provider_opens_nothing_at_another(site: Site) -> None:
    """S49: mix-up."""
    state = await set_out(site, "fake")
    assert (await come_back(site, state, "other")).status == 400
    assert await who(site) is None


@pytest.mark.parametrize(
    "query",
    ["", "state=", "code=good", "state=x&code=good", "state=a&state=b", "state=%00", "state=" + "x" * 3000, "%ff=%fe"],
)
async def test_nonsense_is_a_clear_page(site: Site, query: str) -> None:
    """S58."""
    await set_out(site)
    answer = await site.get(f"/providers/fake/callback?{query}")
    assert answer.status == 400
    assert "begin again" in answer.text
    assert await who(site) is None


async def test_a_truncated_answer_is_a_clear_page(site: Site) -> None:
    state = await set_out(site)
    assert (await site.get(f"/providers/fake/callback?state={state}")).status == 400
    assert await who(site) is None


async def test_a_flow_ends_after_a_quarter_of_an_hour(site: Site, home: House) -> None:
    state = await set_out(site)
    home.clock.move(timedelta(minutes=16))
    assert (await come_back(site, state)).status == 400


async def test_who_says_no_is_told_so(site: Site) -> None:
    state = await set_out(site)
    answer = await site.get(f"/providers/fake/callback?error=access_denied&state={state}")
    assert answer.status == 403
    assert "said no" in answer.text


async def test_several_tabs_and_providers_do_not_disturb_each_other(site: Site) -> None:
    states = [await set_out(site, name) for name in ("fake", "other", "fake", "other")]
    answer = await come_back(site, states[2], "fake")
    assert answer.location == "/"
    await site.post("/sign-out")
    await come_back(site, states[0], "fake")
    assert await who(site) == "ada@example.com"


async def test_a_connect_flow_comes_back_in_the_session_that_began_it(site: Site) -> None:
    """S49: of another session, of another account, or of nobody, it connects nothing."""
    await sign_up(site)
    state = await set_out(site)
    await site.post("/sign-out")
    assert (await come_back(site, state)).status == 400
    await sign_up(site, "eve@example.com")
    again = await set_out(site)
    await site.post("/sign-out")
    await site.post("/sign-in", email="ada@example.com", password="four quiet green owls")
    assert (await come_back(site, again)).status == 400
    account = (await site.get("/account", headers={"accept": "application/json"})).json
    assert not any(provider["is_connected"] for provider in account["providers"])


async def test_a_flow_begun_by_nobody_connects_nothing_to_who_is_signed_in_by_then(site: Site) -> None:
    state = await set_out(site)
    await sign_up(site, "eve@example.com")
    answer = await come_back(site, state)
    assert answer.status == 303
    assert await who(site) == "eve@example.com"
    account = (await site.get("/account", headers={"accept": "application/json"})).json
    assert not any(provider["is_connected"] for provider in account["providers"])


async def test_a_provider_that_does_not_answer_is_no_error_of_ours(
    site: Site, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    state = await set_out(site)
    fake.memory.raises = TooSlow("token endpoint")
    with caplog.at_level(logging.WARNING):
        assert (await come_back(site, state)).status == 503
        assert (await site.post("/providers/fake")).status == 503
    assert "fake" in caplog.text


async def test_another_site_begins_no_flow(site: Site) -> None:
    """S54."""
    for headers in ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, {"origin": "null"}):
        answer = await site.send("POST", "/providers/fake", form={}, headers=headers)
        assert answer.status == 403
    assert (await site.get("/providers/fake")).status == 405


async def test_a_removed_provider_finishes_no_flow(tmp_path: Path) -> None:
    """S50: neither one that was begun before, nor a new one; who has only that is refused in."""
    fake, listed = Fake(), [Fake()]

    async def providers(_: object) -> list[Fake]:
        return listed

    listed[:] = [fake]
    async with house(tmp_path, extensions=(*all_extensions(), Providers(providers=providers))) as home:
        site = home.site()
        state = await set_out(site)
        listed.clear()
        assert (await come_back(site, state)).status == 404
        assert (await site.post("/providers/fake")).status == 404


# ---- by POST ----


@pytest.fixture
def apple() -> Fake:
    return Fake(name="apple", issuer="https://apple.example", response_mode="form_post")


@pytest.fixture
async def formal(tmp_path: Path, apple: Fake, fake: Fake) -> AsyncGenerator[Site]:
    async with house(tmp_path, extensions=extensions(apple, fake)) as home:
        yield home.site()


CROSS = {"sec-fetch-site": "cross-site", "origin": "https://apple.example"}


async def post_back(site: Site, state: str, name: str = "apple", **more: str) -> Answer:
    """Send what another site's page sends: a form, without any cookie of ours (SameSite=Lax)."""
    stranger = site.browser()
    return await stranger.send(
        "POST", f"/providers/{name}/callback", form={"state": state, "code": "good", **more}, headers=CROSS
    )


async def test_a_form_comes_back_without_cookies_and_the_browser_finishes_by_get(formal: Site) -> None:
    state = await set_out(formal, "apple")
    answer = await post_back(formal, state)
    assert answer.status == 303
    assert answer.cookies() == []
    assert answer.location == f"/auth/providers/apple/callback?state={state}"
    await formal.get(answer.location, headers={"sec-fetch-site": "cross-site"})
    assert await who(formal) == "ada@example.com"


async def test_a_form_opens_nothing_for_whoever_sent_it(formal: Site, apple: Fake) -> None:
    state = await set_out(formal, "apple")
    answer = await post_back(formal, state)
    assert (await formal.browser().get(answer.location)).status == 400
    assert apple.memory.completed == 0


async def test_a_form_flow_refuses_code_and_error_in_the_query(formal: Site, apple: Fake) -> None:
    for more in ({"code": "good"}, {"error": "access_denied"}):
        state = await set_out(formal, "apple")
        await post_back(formal, state)
        query = urlencode({"state": state, **more})
        assert (await formal.get(f"/providers/apple/callback?{query}")).status == 400
    assert apple.memory.completed == 0


async def test_a_form_needs_a_live_flow_and_is_written_once(formal: Site) -> None:
    assert (await post_back(formal, "x" * 40)).status == 400
    state = await set_out(formal, "apple")
    assert (await post_back(formal, state)).status == 303
    assert (await post_back(formal, state, code="mine")).status == 400


async def test_a_form_has_at_most_32_kib_and_is_a_form(formal: Site) -> None:
    state = await set_out(formal, "apple")
    assert (await post_back(formal, state, user="x" * 33_000)).status == 413
    answer = await formal.send("POST", "/providers/apple/callback", json={"state": state}, headers=CROSS)
    assert answer.status == 415


async def test_a_provider_that_declares_no_form_takes_none(formal: Site) -> None:
    state = await set_out(formal, "fake")
    assert (await post_back(formal, state, "fake")).status == 405


async def test_no_cookie_is_ever_written_for_other_sites(formal: Site) -> None:
    answer = await formal.post("/providers/apple")
    assert all("SameSite=Lax" in cookie and "HttpOnly" in cookie for cookie in answer.cookies())
    assert not any(state_of(answer.location) in cookie for cookie in answer.cookies())


async def test_a_dump_of_the_store_shows_nothing_of_a_flow(formal: Site) -> None:
    """S14, S69."""
    state = await set_out(formal, "apple")
    await post_back(formal, state)
    shown = repr(formal.auth.plan.store.__dict__)
    assert state not in shown
    assert "good" not in shown


async def test_head_uses_nothing_up(site: Site) -> None:
    state = await set_out(site)
    answer = await site.send("HEAD", f"/providers/fake/callback?code=good&state={state}")
    assert answer.status == 405
    await come_back(site, state)
    assert await who(site) == "ada@example.com"


async def test_a_call_back_of_a_second_person_is_of_that_person(site: Site, fake: Fake) -> None:
    await enter(site)
    await site.post("/sign-out")
    fake.memory.claims = {"sub": "2", "email": "eve@example.com", "email_verified": True}
    await enter(site)
    assert await who(site) == "eve@example.com"
