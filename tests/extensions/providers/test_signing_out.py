"""Signing out at the provider as well: afterwards, only where it signed somebody in, and whatever it does."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from powauth.extensions.providers import Providers
from powauth.oauth import TooSlow
from powauth.plan import Paths
from powauth.testing import FrozenClock, Site
from tests.extensions.providers.fake import Fake, who
from tests.extensions.providers.test_silent_openid import enter
from tests.house import PASSWORD, House, all_extensions, house, sign_up
from tests.oauth.paper import Paper, metadata, openid, said

pytestmark = pytest.mark.anyio

THERE = "https://id.example.com/out"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def paper() -> Paper:
    return Paper(clock=FrozenClock())


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"signs_out_at": ["paper"]}


@pytest.fixture
async def home(tmp_path: Path, paper: Paper, settings: dict[str, Any]) -> AsyncGenerator[House]:
    every = (*all_extensions(), Providers(providers=[openid(), openid(name="second")], tools=paper.tools, **settings))
    paths = Paths(after_sign_out="/bye")
    async with house(tmp_path, extensions=every, clock=paper.clock, paths=paths) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


def onward(header: str | None) -> tuple[str, dict[str, str]]:
    """Return where a page leads on to by itself, and what it says there."""
    assert header is not None
    delay, _, url = header.partition(";url=")
    assert delay == "0"
    base, _, query = url.partition("?")
    return base, {name: values[0] for name, values in parse_qs(query).items()}


async def test_whoever_signs_out_is_led_on_to_the_provider_and_home(site: Site, paper: Paper) -> None:
    await enter(site, paper)
    answer = await site.post("/sign-out")
    assert answer.location.startswith("/auth/providers/paper/sign-out?ticket=")
    assert await who(site) is None  # before anybody else is asked
    page = await site.get(answer.location)
    base, asked = onward(page.header("refresh"))
    assert base == THERE
    state = asked.pop("state")
    back = "https://example.com/auth/providers/paper/signed-out"
    assert asked == {"client_id": "our-client", "post_logout_redirect_uri": back}
    assert f'href="{THERE}?' in page.text  # for whom nothing happens by itself
    home = await site.get(f"{back.removeprefix('https://example.com/auth')}?state={state}")
    assert home.location == "/bye"
    assert "You are signed out." in (await site.get("/sign-in")).text


async def test_no_form_is_answered_by_a_redirect_to_another_site(site: Site, paper: Paper) -> None:
    """A page whose `form-action` names this site alone signs out as well: the application's own, say."""
    await enter(site, paper)
    answer = await site.post("/sign-out")
    assert answer.location.startswith("/auth/")
    assert (await site.get(answer.location)).status == 200


async def test_a_program_is_told_where_to_send_the_browser(site: Site, paper: Paper) -> None:
    await enter(site, paper)
    answer = await site.send("POST", "/sign-out", json={})
    assert answer.status == 200
    url = answer.json["url"]
    assert url.startswith("https://example.com/auth/providers/paper/sign-out?ticket=")
    path = url.removeprefix("https://example.com/auth")
    told = await site.get(path, headers={"accept": "application/json"})
    assert told.json["url"].startswith(THERE)


@pytest.mark.parametrize("settings", [{}, {"signs_out_at": []}])
async def test_it_is_off_unless_the_provider_is_named(site: Site, paper: Paper) -> None:
    await enter(site, paper)
    assert (await site.post("/sign-out")).location == "/bye"
    assert (await site.get("/providers/paper/sign-out?ticket=x")).status == 404


async def test_whom_the_provider_did_not_sign_in_is_not_led_there(site: Site) -> None:
    await sign_up(site)
    assert (await site.post("/sign-out")).location == "/bye"
    await site.post("/sign-in", email="ada@example.com", password=PASSWORD)
    assert (await site.post("/sign-out")).location == "/bye"
    assert (await site.post("/sign-out")).location == "/bye"


@pytest.mark.parametrize("answer", [TooSlow("discovery"), said({}, 500), said(metadata(end_session_endpoint=None))])
async def test_a_provider_that_has_no_answer_stops_nobody(
    site: Site, home: House, paper: Paper, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await enter(site, paper)
    paper.answers[DISCOVERY] = answer
    home.clock.move(timedelta(minutes=20))
    assert await who(site) == "ada@example.com"
    home.clock.move(timedelta(minutes=20))
    assert await who(site) == "ada@example.com"
    home.clock.move(timedelta(minutes=25))  # what was known of it is to be asked again
    assert await who(site) == "ada@example.com"
    left = await site.post("/sign-out")
    assert await who(site) is None
    assert (await site.get(left.location)).location == "/bye"
    assert "nobody is signed out there" in caplog.text


async def test_a_ticket_is_for_that_provider_and_for_two_minutes(site: Site, home: House, paper: Paper) -> None:
    """S55: nobody is led anywhere who did not sign out here just now."""
    await enter(site, paper)
    location = (await site.post("/sign-out")).location
    for forged in (location[:-3], location.replace("ticket=", "ticket=x"), "/providers/paper/sign-out"):
        assert (await site.get(forged)).location == "/bye"
    assert (await site.get(location.replace("/paper/", "/second/"))).location == "/bye"
    home.clock.move(timedelta(minutes=2))
    assert (await site.get(location)).location == "/bye"


async def test_coming_back_leads_home_and_says_only_what_is_true(site: Site, paper: Paper) -> None:
    """S55: another site sends whom it likes."""
    await enter(site, paper)
    location = (await site.post("/sign-out")).location
    _, asked = onward((await site.get(location)).header("refresh"))
    await enter(site, paper)
    for query in ("", "state=x", f"state={asked['state']}", "state=a&next=https://evil.example"):
        answer = await site.get(f"/providers/paper/signed-out?{query}")
        assert (answer.location, answer.cookies()) == ("/bye", [])
    assert await who(site) == "ada@example.com"


async def test_nothing_that_a_request_says_decides_where_it_leads(site: Site, paper: Paper) -> None:
    """S55."""
    await enter(site, paper)
    location = (await site.post("/sign-out", next="https://evil.example")).location
    page = await site.get(f"{location}&post_logout_redirect_uri=https://evil.example&next=https://evil.example")
    assert "evil" not in (page.header("refresh") or "")


async def test_a_setting_that_cannot_be_is_refused_at_the_start(tmp_path: Path, paper: Paper) -> None:
    for name, words in (("nobody", "no provider is called nobody"), ("fake", "fake does not speak OpenID Connect")):
        every = (*all_extensions(), Providers(providers=[openid(), Fake()], signs_out_at=[name]))
        with pytest.raises(Exception, match=words):
            async with house(tmp_path, extensions=every):
                pass
