"""Coming in silently and going out at the provider, in a real browser: what it says of itself, and what it forbids."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import Page, async_playwright

from powauth import Account
from powauth.extensions.providers import Providers
from powauth.fastapi import current_account, install
from powauth.jinja import JinjaTemplates
from powauth.oauth import Network, OpenIDConnect
from powauth.plan import Paths
from powauth.testing import FrozenClock
from tests import servers
from tests.house import House, all_extensions, house
from tests.oauth.test_openid_provider import SECRET, tell

pytestmark = pytest.mark.anyio

OUT = '<form method="post" action="/auth/sign-out"><button id="out">Out</button></form>'
OWN = {"content-security-policy": "form-action 'self'"}


def application(home: House) -> FastAPI:
    """Return an application with a page whose forms may lead to this site alone."""
    app = FastAPI()
    install(app, home.auth)

    @app.get("/me")
    async def me(account: Annotated[Account, Depends(current_account(home.auth))]) -> HTMLResponse:
        return HTMLResponse(f"<main>{account.email}</main>{OUT}", headers=OWN)

    @app.get("/bye")
    async def bye() -> HTMLResponse:
        return HTMLResponse('<main>Bye</main><a id="in" href="/me">In</a>')

    return app


@asynccontextmanager
async def served(app: FastAPI, listening: socket.socket) -> AsyncGenerator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def browsing(chromium: Path) -> AsyncGenerator[Page]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=str(chromium), args=list(servers.CHROMIUM_FLAGS))
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        yield page
        await browser.close()


async def register(issuer: str, there: str) -> OpenIDConnect:
    """Let the provider know an application at this address."""
    client: dict[str, Any] = {
        "client_id": "browsed",
        "client_secret": SECRET,
        "redirect_uris": [f"{there}/callback"],
        "post_logout_redirect_uris": [f"{there}/signed-out"],
    }
    await tell(issuer, "clients", client)
    settings: dict[str, Any] = {"client_id": "browsed", "client_secret": SECRET, "network": Network.LOOPBACK}
    return OpenIDConnect(name="op", issuer=issuer, scopes=("email",), **settings)


async def test_a_person_comes_in_without_a_click_and_goes_out_from_a_page_with_a_strict_policy(
    tmp_path: Path, openid_url: str, chromium_path: Path
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        site = f"http://localhost:{listening.getsockname()[1]}"
        op = await register(openid_url, f"{site}/auth/providers/op")
        clock = FrozenClock()
        settings: dict[str, Any] = {
            "extensions": (*all_extensions(), Providers(providers=[op], signs_in_silently=["op"], signs_out_at=["op"])),
            "paths": Paths(after_sign_in="/me", after_sign_up="/me", after_sign_out="/bye"),
            "templates": JinjaTemplates(),
        }
        async with (
            house(tmp_path, base_url=f"{site}/auth", clock=clock, **settings) as home,
            served(application(home), listening),
            browsing(chromium_path) as page,
        ):
            await page.goto(f"{site}/me")
            await page.click("text=Continue with")
            await page.fill("input[name=login]", "ada")
            await page.fill("input[name=password]", "any")
            await page.click("button[type=submit]")
            await page.wait_for_load_state()
            if page.url.startswith(openid_url):  # it asks for consent
                await page.click("button[type=submit]")
            await page.wait_for_url(f"{site}/me")

            clock.move(timedelta(seconds=61))
            await page.context.clear_cookies(name="powauth-session")
            await page.goto(f"{site}/me")
            assert page.url == f"{site}/me"
            assert await page.text_content("main") == "ada@example.test"

            await page.click("#out")
            await page.click("text=Yes, sign me out")  # asked by the provider
            await page.wait_for_url(f"{site}/bye")
            await page.click("#in")
            await page.wait_for_url(f"{site}/auth/sign-in?next=%2Fme")
            assert "You are signed out." in (await page.text_content("main") or "")
