"""Where tokens are kept, the provider is told who signs out, and asks nobody whether they mean it."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from powauth.extensions.providers import Providers
from powauth.oauth import Ask, Network, OpenIDConnect
from powauth.oauth.aead import seal, unseal
from powauth.oauth.standard import tools as standard_tools
from powauth.testing import FrozenClock, Site
from powauth.testing.site import Answer
from tests.extensions.providers.fake import who
from tests.extensions.providers.test_signing_out import onward
from tests.extensions.providers.test_silent import GO
from tests.extensions.providers.test_silent_openid import enter
from tests.house import House, all_extensions, house
from tests.oauth.browser import Browser
from tests.oauth.paper import Paper, openid
from tests.oauth.test_openid_provider import SECRET, tell

pytestmark = pytest.mark.anyio

KEY = bytes(32)


class Sealing:
    """Makes columns unreadable."""

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        return seal(KEY, plain, context=context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        plain = unseal(KEY, sealed, context=context)
        assert plain is not None
        return plain


async def test_the_kept_id_token_says_who_signs_out(tmp_path: Path) -> None:
    paper = Paper(clock=FrozenClock())
    providers = Providers(providers=[openid()], tools=paper.tools, signs_out_at=["paper"], keeps_tokens=True)
    every = (*all_extensions(), providers)
    async with house(tmp_path, extensions=every, clock=paper.clock, encryption=Sealing()) as home:
        site = home.site()
        for name, has_hint in (("Ada", True), ("A" * 4_000, False)):  # one that makes no address too long
            await enter(site, paper, name=name)
            location = (await site.post("/sign-out")).location
            assert "eyJ" not in location  # only the provider is told
            _, asked = onward((await site.get(location)).header("refresh"))
            assert ("id_token_hint" in asked) == has_hint


async def test_who_only_has_the_address_is_not_told_the_id_token(tmp_path: Path) -> None:
    paper = Paper(clock=FrozenClock())
    providers = Providers(providers=[openid()], tools=paper.tools, signs_out_at=["paper"], keeps_tokens=True)
    async with house(
        tmp_path, extensions=(*all_extensions(), providers), clock=paper.clock, encryption=Sealing()
    ) as home:
        site = home.site()
        await enter(site, paper)
        location = (await site.post("/sign-out")).location
        _, asked = onward((await site.browser().get(location)).header("refresh"))
        assert "id_token_hint" not in asked
        _, asked = onward((await site.get(location)).header("refresh"))
        assert "id_token_hint" in asked


BASE = "http://localhost:17399/auth"


async def arrive(site: Site, browser: Browser, url: str, path: str = "callback") -> Answer:
    """Follow where the provider leads, and arrive at the application."""
    callback = await browser.visit(url)
    return await site.get(f"/providers/op/{path}?{urlencode(callback.params)}", headers=GO)


def lose_session(home: House, site: Site) -> None:
    """Let the browser have no session any more, at a time that the provider's clock still agrees with."""
    home.clock.move(timedelta(seconds=61))
    del site.jar[next(name for name in site.jar if name.endswith("-session"))]


async def test_a_person_signs_in_comes_back_silently_and_signs_out_at_a_certified_provider(
    tmp_path: Path, openid_url: str
) -> None:
    there = f"{BASE}/providers/op"
    client: dict[str, Any] = {
        "client_id": "site",
        "client_secret": SECRET,
        "redirect_uris": [f"{there}/callback"],
        "post_logout_redirect_uris": [f"{there}/signed-out"],
    }
    await tell(openid_url, "clients", client)
    op = OpenIDConnect(
        name="op",
        issuer=openid_url,
        client_id="site",
        client_secret=SECRET,
        scopes=("email", "profile"),
        network=Network.LOOPBACK,
    )
    providers = Providers(providers=[op], signs_in_silently=["op"], signs_out_at=["op"], keeps_tokens=True)
    every = (*all_extensions(), providers)
    async with house(tmp_path, extensions=every, base_url=BASE, encryption=Sealing(), clock=FrozenClock()) as home:
        site, browser = home.site(), Browser(back=there)
        await arrive(site, browser, (await site.post("/providers/op")).location)
        assert await who(site) == "ada@example.test"

        lose_session(home, site)
        silent = await site.get("/sign-in?next=/me", headers=GO)
        assert (await arrive(site, browser, silent.location)).location == "/me"
        assert await who(site) == "ada@example.test"

        lose_session(home, site)
        silent = await site.get("/sign-in", headers=GO)
        answer = await arrive(site, Browser(back=there), silent.location)  # nobody is signed in there any more
        assert (answer.location, await who(site)) == ("/auth/sign-in", None)

        await arrive(site, browser, (await site.post("/providers/op")).location)
        left = await site.post("/sign-out")
        page = await site.get(left.location)
        assert "id_token_hint" in onward(page.header("refresh"))[1]
        answer = await arrive(site, browser, str(page.header("refresh")).partition("url=")[2], "signed-out")
        assert (answer.location, await who(site)) == ("/", None)
        begun = await op.begin(standard_tools(), redirect_uri=f"{there}/callback", ask=Ask(prompt="none"))
        assert (await browser.visit(begun.url)).get("error") == "login_required"
