"""Signing in again without a click at an OpenID provider: it is asked to show nothing, and says when it last did."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from powauth.context import Context
from powauth.extensions.providers import Provider, Providers
from powauth.oauth import Ask
from powauth.testing import FrozenClock, Site
from powauth.testing.site import Answer
from tests.extensions.providers.fake import who
from tests.extensions.providers.test_silent import go_idle, is_form, visit
from tests.house import House, all_extensions, house
from tests.oauth.paper import Paper, openid, signed

pytestmark = pytest.mark.anyio

ADA = {"sub": "ada", "email": "ada@example.com", "email_verified": True}


@dataclass
class Wishes:
    """What the application asks its providers for."""

    ask: Ask

    async def __call__(self, ctx: Context, provider: Provider) -> Ask:
        return self.ask


@pytest.fixture
def wishes() -> Wishes:
    return Wishes(Ask())


@pytest.fixture
def paper() -> Paper:
    return Paper(clock=FrozenClock())


@pytest.fixture
async def home(tmp_path: Path, paper: Paper, wishes: Wishes) -> AsyncGenerator[House]:
    providers = Providers(providers=[openid()], tools=paper.tools, signs_in_silently=["paper"], ask=wishes)
    async with house(tmp_path, extensions=(*all_extensions(), providers), clock=paper.clock) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


def asked(url: str) -> dict[str, str]:
    """Return what a browser asks the provider for."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def back(site: Site, paper: Paper, url: str, **claims: Any) -> Answer:
    """Come back with somebody of whom the provider says this."""
    whole: dict[str, Any] = {"nonce": asked(url)["nonce"], **ADA, **claims}
    paper.hands_out(signed(paper.claims(None, **whole)))
    return await site.get(f"/providers/paper/callback?{urlencode({'code': 'code', 'state': asked(url)['state']})}")


async def enter(site: Site, paper: Paper, **claims: Any) -> Answer:
    return await back(site, paper, (await site.post("/providers/paper")).location, **claims)


async def led_on(site: Site) -> str:
    url = (await visit(site, "/sign-in?next=/me")).location
    assert url.startswith("https://id.example.com/authorize")
    return url


async def proved_at(site: Site) -> str:
    session = (await site.get("/session", headers={"accept": "application/json"})).json["session"]
    at: str = session["proofs"][0]["at"]
    return at


async def test_the_provider_is_asked_to_show_nothing_and_for_the_same_person(
    site: Site, home: House, paper: Paper
) -> None:
    url = (await site.post("/providers/paper")).location
    assert "prompt" not in asked(url)
    await back(site, paper, url)
    go_idle(home)
    url = await led_on(site)
    assert (asked(url)["prompt"], asked(url)["login_hint"]) == ("none", "ada@example.com")
    assert (await back(site, paper, url)).location == "/me"
    assert await who(site) == "ada@example.com"


@pytest.mark.parametrize(
    "error", ["login_required", "interaction_required", "consent_required", "account_selection_required"]
)
async def test_a_provider_that_needs_a_person_leads_to_the_form_without_a_word(
    site: Site, home: House, paper: Paper, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    await enter(site, paper)
    go_idle(home)
    query = urlencode({"error": error, "state": asked(await led_on(site))["state"]})
    answer = await site.get(f"/providers/paper/callback?{query}")
    assert (answer.status, answer.location) == (303, "/auth/sign-in?next=%2Fme")
    assert answer.cookies()[0].partition("=")[2].startswith(";")  # nothing is left but a cookie's end
    page = await visit(site, answer.location)
    assert is_form(page)
    assert 'class="notice' not in page.text
    assert caplog.text == ""


async def test_another_subject_is_somebody_else_whatever_its_address(site: Site, home: House, paper: Paper) -> None:
    """S47."""
    await enter(site, paper)
    go_idle(home)
    answer = await back(site, paper, await led_on(site), sub="mallory")
    assert answer.location == "/auth/sign-in?next=%2Fme"
    assert await who(site) is None


async def test_a_token_that_does_not_hold_signs_nobody_in(site: Site, home: House, paper: Paper) -> None:
    """S49."""
    await enter(site, paper)
    broken: list[dict[str, Any]] = [{"nonce": "another"}, {"aud": "somebody"}, {"exp": 1}]
    broken += [{"iss": "https://evil.example"}]
    for changes in broken:
        go_idle(home)
        answer = await back(site, paper, await led_on(site), **changes)
        assert answer.location == "/auth/sign-in?next=%2Fme"
        assert await who(site) is None
        await enter(site, paper)


async def test_the_proof_is_as_old_as_the_provider_says(site: Site, home: House, paper: Paper) -> None:
    """S30."""
    await enter(site, paper)
    go_idle(home)
    seen = home.clock.now().replace(microsecond=0) - timedelta(minutes=20)
    await back(site, paper, await led_on(site), auth_time=int(seen.timestamp()))
    assert await proved_at(site) == seen.isoformat()
    assert (await site.get("/prove")).status == 200
    go_idle(home)
    await back(site, paper, await led_on(site))  # it does not say: no newer than what is known
    assert await proved_at(site) == seen.isoformat()


async def test_a_proof_is_never_from_the_future(site: Site, home: House, paper: Paper) -> None:
    await enter(site, paper)
    go_idle(home)
    ahead = home.clock.now() + timedelta(seconds=30)  # within the leeway of clocks
    await back(site, paper, await led_on(site), auth_time=int(ahead.timestamp()))
    assert await proved_at(site) == home.clock.now().isoformat()


async def test_an_application_that_wants_people_to_be_asked_is_heard(
    site: Site, home: House, paper: Paper, wishes: Wishes
) -> None:
    await enter(site, paper)
    go_idle(home)
    wishes.ask = Ask(prompt="login")
    assert is_form(await visit(site))
    wishes.ask = Ask(max_age=timedelta(minutes=10), acr_values=["two"])
    await back(site, paper, (await site.post("/providers/paper")).location, auth_time=int(now(home)), acr="two")
    go_idle(home)
    url = await led_on(site)
    assert (asked(url)["prompt"], asked(url)["max_age"], asked(url)["acr_values"]) == ("none", "600", "two")
    stale = int(now(home)) - 1_200
    assert (await back(site, paper, url, auth_time=stale, acr="two")).location == "/auth/sign-in?next=%2Fme"


def now(home: House) -> float:
    return home.clock.now().timestamp()
