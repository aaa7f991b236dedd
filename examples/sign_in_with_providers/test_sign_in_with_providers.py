"""The program of the guide, with a certified provider on this machine: in, known again, connected, disconnected."""

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from examples.opening import Opener
from powauth.testing import Site
from powauth.testing.site import Answer
from tests.oauth.browser import Browser

pytestmark = pytest.mark.anyio
ORIGIN = "http://localhost:17399"
BACK = f"{ORIGIN}/auth/providers/work/callback"


@pytest.fixture
async def made(program: Opener, openid_url: str) -> AsyncGenerator[Any]:
    variables = {
        "AUTH_BASE_URL": f"{ORIGIN}/auth",
        "WORK_ISSUER": openid_url,
        "WORK_NETWORK": "loopback",
        "WORK_ID": "web",
        "WORK_SECRET": "a secret that is long enough to sign with",
        **{f"{name}_{half}": "to-be-had-there" for name in ("GITHUB", "GOOGLE") for half in ("ID", "SECRET")},
    }
    async with program("sign_in_with_providers", **variables) as opened:
        yield opened


@pytest.fixture
def site(made: Any) -> Site:
    return Site(made.auth, made.app)


async def come_with(site: Site, login: str, *, declines: bool = False) -> Answer:
    """Press the company's button, be somebody there, and come back."""
    away = await site.post("/providers/work")
    back = await Browser(login=login, declines=declines, back=BACK).visit(away.location)
    query = "&".join(f"{name}={value}" for name, value in back.params.items())
    return await site.get(f"/providers/work/callback?{query}", headers={"sec-fetch-site": "cross-site"})


async def me(site: Site) -> Any:
    return (await site.get("/me", headers={"accept": "application/json"})).json


async def test_a_button_leads_to_each_provider_with_the_address_to_come_back_to(site: Site) -> None:
    page = (await site.get("/sign-in")).text
    for title in ("GitHub", "Google", "Acme"):
        assert f"Continue with {title}" in page
    away = urlsplit((await site.post("/providers/github")).location)
    assert (away.netloc, away.path) == ("github.com", "/login/oauth/authorize")
    assert parse_qs(away.query)["redirect_uri"] == [f"{ORIGIN}/auth/providers/github/callback"]


async def test_somebody_new_has_an_account_with_the_name_and_the_proved_address_of_the_provider(site: Site) -> None:
    assert (await come_with(site, "grace")).location == "/"
    assert await me(site) == {"email": "grace@example.test", "name": "User grace"}
    await site.post("/sign-out")
    assert (await come_with(site, "grace")).location == "/"  # known by issuer and subject
    assert (await me(site))["email"] == "grace@example.test"


async def test_an_address_that_somebody_has_opens_nothing_and_is_connected_by_its_owner(site: Site) -> None:
    await site.post("/sign-up", email="ida@example.test", password="four quiet green owls", name="Ida")
    await site.deliver()
    await site.post(site.outbox.link)
    assert (await come_with(site, "ida")).location == "/auth/providers/work/complete"
    assert (await me(site))["code"] == "not_signed_in"
    await site.post("/sign-in", email="ida@example.test", password="four quiet green owls")
    assert (await come_with(site, "ida")).location == "/auth/account"
    await site.post("/sign-out")
    await come_with(site, "ida")
    assert (await me(site))["name"] == "Ida"
    assert (await site.post("/providers/work/disconnect")).location == "/auth/account"


async def test_the_only_way_in_stays_and_who_declines_is_nobody(site: Site) -> None:
    declined = await come_with(site, "ada", declines=True)
    assert (declined.status, "you or the provider said no" in declined.text) == (403, True)
    await come_with(site, "ada")
    assert (await site.post("/providers/work/disconnect")).status == 409
