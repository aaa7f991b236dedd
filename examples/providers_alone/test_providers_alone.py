"""The example of the guide, as a person meets it: an application of a screenful, a browser, a certified provider."""

import importlib.util
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest

from tests.oauth.browser import BACK, Browser

pytestmark = pytest.mark.anyio
FILE = Path(__file__).with_name("app.py")


@pytest.fixture
async def site(openid_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[httpx2.AsyncClient]:
    settings = {"ISSUER": openid_url, "CLIENT_ID": "web", "NETWORK": "loopback"}
    settings["CLIENT_SECRET"] = "a secret that is long enough to sign with"
    for name, value in settings.items():
        monkeypatch.setenv(f"OPENID_{name}", value)
    monkeypatch.setenv("BASE_URL", BACK.removesuffix("/callback"))
    spec = importlib.util.spec_from_file_location("providers_alone", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    transport = httpx2.ASGITransport(app=module.app)
    async with httpx2.AsyncClient(transport=transport, base_url=BACK.removesuffix("/callback")) as client:
        yield client


async def test_somebody_signs_in_and_the_same_call_back_is_good_once(site: httpx2.AsyncClient, openid_url: str) -> None:
    assert 'action="/start"' in (await site.get("/")).text
    away = await site.post("/start")
    back = await Browser().visit(away.headers["location"])
    hello = await site.get("/callback", params=dict(back.params))
    assert hello.text == f"Hello ada@example.test, who is ada at {openid_url}."
    assert (await site.get("/callback", params=dict(back.params))).status_code == 400


async def test_a_call_back_of_another_browser_is_refused(site: httpx2.AsyncClient) -> None:
    away = await site.post("/start")
    back = await Browser().visit(away.headers["location"])
    site.cookies.clear()
    assert (await site.get("/callback", params=dict(back.params))).status_code == 400


async def test_somebody_who_says_no_may_start_again(site: httpx2.AsyncClient) -> None:
    away = await site.post("/start")
    back = await Browser(declines=True).visit(away.headers["location"])
    assert (await site.get("/callback", params=dict(back.params))).text == "That did not work: denied."
