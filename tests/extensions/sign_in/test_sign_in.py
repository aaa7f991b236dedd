"""Signing in, out, and what is not told to strangers."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from powauth.testing import Site
from tests.house import PASSWORD, House, house, sign_up

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


async def test_who_signed_up_is_signed_in_and_gets_a_mail(site: Site) -> None:
    answer = await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
    assert (answer.status, answer.location) == (303, "/")
    assert (await site.get("/account")).status == 200
    assert site.outbox.kinds() == ["sign_up.welcome"]


async def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    await sign_up(site)
    cookie = site.cookie
    assert (await site.post("/sign-out")).status == 303
    assert site.cookie is None
    site.jar["__Host-powauth-session"] = str(cookie)
    assert (await site.get("/account")).location.startswith("/auth/sign-in?next=")


async def test_signing_in_leads_to_where_one_wanted_to_go(site: Site) -> None:
    await sign_up(site)
    await site.post("/sign-out")
    answer = await site.post("/sign-in", email="ADA@example.com", password=PASSWORD, next="/me?x=1")
    assert (answer.status, answer.location) == (303, "/me?x=1")


async def test_another_sites_address_is_not_followed(site: Site) -> None:
    await sign_up(site)
    await site.post("/sign-out")
    answer = await site.post("/sign-in", email="ada@example.com", password=PASSWORD, next="https://evil.example")
    assert answer.location == "/"
