"""Proving again with a provider: a fresh look at the person, by OpenID Connect, as `prove` asks for one (S30)."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from powauth import Context, Done, Extension, Get, Manifest, Outcome, Request
from powauth.extensions.prove import Prove, recent
from powauth.extensions.providers import Provider, Providers
from powauth.forms import NoForm
from powauth.oauth import Ask
from powauth.testing import Answer, Site
from tests.extensions.providers.fake import Fake, enter, who
from tests.house import House, all_extensions, house
from tests.oauth.paper import Paper, openid, signed

pytestmark = pytest.mark.anyio

PROVE = "/providers/paper"


async def open_vault(request: Request[NoForm], ctx: Context) -> Outcome:
    return Done(data={}, to="/gold")


class Vault(Extension):
    name = "vault"
    requires = (Prove,)

    def manifest(self) -> Manifest:
        page = Get(name="vault", path="/vault", show=open_vault, requires=recent(timedelta(minutes=5)))
        return Manifest(routes=(page,), messages={"vault.title": "Vault"})


async def ask(ctx: Context, provider: Provider) -> Ask:
    """Ask for a scope, for a strength, and for what `prove` has to overrule."""
    if provider.name != "paper":
        return Ask()
    return Ask(scopes=("calendar",), login_hint="ada", prompt="select_account", max_age=timedelta(days=1))


@dataclass(frozen=True)
class Scene:
    """A house with a provider that signs, and Ada's browser, signed in by it six minutes ago."""

    home: House
    paper: Paper
    site: Site

    async def set_out(self, site: Site | None = None, **fields: object) -> dict[str, str]:
        """Press the provider's button and return what the browser is sent there with."""
        answer = await (site or self.site).post(PROVE, **fields)
        assert answer.status == 303, answer.text
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}

    async def come_back(self, sent: dict[str, str], site: Site | None = None, **claims: Any) -> Answer:
        """Come back with an ID token that says this besides."""
        now = int(self.home.clock.now().timestamp())
        said = {"nonce": sent["nonce"], "auth_time": now, "email": "ada@example.com", "email_verified": True}
        self.paper.hands_out(signed(self.paper.claims(None, **{**said, **claims})))
        query = urlencode({"code": "code", "state": sent["state"]})
        return await (site or self.site).get(f"{PROVE}/callback?{query}", headers={"sec-fetch-site": "cross-site"})

    async def is_open(self) -> bool:
        return (await self.site.get("/vault")).location == "/gold"

    async def session(self) -> Any:
        return (await self.site.get("/session", headers={"accept": "application/json"})).json["session"]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    paper = Paper()
    providers = Providers(providers=[openid(), Fake()], tools=paper.tools, ask=ask)
    extensions = (*all_extensions(), providers, Vault())
    async with house(tmp_path, extensions=extensions, clock=paper.clock) as home:
        scene = Scene(home, paper, home.site())
        await scene.come_back(await scene.set_out())
        assert await who(scene.site) == "ada@example.com"
        home.clock.move(timedelta(minutes=6))
        assert not await scene.is_open()
        yield scene


async def test_the_provider_is_asked_for_a_fresh_sign_in(scene: Scene) -> None:
    """Whatever else the application asks for stands; what would weaken it does not."""
    sent = await scene.set_out(purpose="prove")
    assert (sent["prompt"], sent["max_age"]) == ("login", "0")
    assert (sent["scope"], sent["login_hint"]) == ("openid calendar", "ada")
    assert (await scene.set_out(scene.site.browser()))["prompt"] == "select_account"


async def test_a_fresh_sign_in_there_raises_the_session_as_a_password_does(scene: Scene) -> None:
    former, cookie = await scene.session(), scene.site.cookie
    answer = await scene.come_back(await scene.set_out(purpose="prove", next="/auth/vault"))
    assert (answer.status, answer.location) == (303, "/auth/vault")
    assert await scene.is_open()
    raised = await scene.session()
    assert raised["id"] == former["id"]
    assert [proof["factor"] for proof in raised["proofs"]] == ["provider:paper"]
    assert raised["proofs"][0]["at"] > former["proofs"][0]["at"]
    assert scene.site.cookie != cookie


@pytest.mark.parametrize("age", [None, timedelta(minutes=2), timedelta(minutes=6)], ids=["none", "two", "six"])
async def test_a_sign_in_there_that_is_not_shown_to_be_fresh_proves_nothing(
    scene: Scene, age: timedelta | None
) -> None:
    at = None if age is None else int((scene.home.clock.now() - age).timestamp())
    answer = await scene.come_back(await scene.set_out(purpose="prove"), auth_time=at)
    assert answer.status == 400
    assert not await scene.is_open()
    assert await who(scene.site) == "ada@example.com"


@pytest.mark.parametrize("is_known", [True, False])
async def test_another_person_s_sign_in_there_proves_nothing(scene: Scene, *, is_known: bool) -> None:
    """S47: whether or not they have an account here, and whatever address the provider says they have."""
    if is_known:
        eve = scene.home.site()
        await scene.come_back(await scene.set_out(eve), eve, sub="eve", email="eve@example.com")
        assert await who(eve) == "eve@example.com"
    answer = await scene.come_back(await scene.set_out(purpose="prove"), sub="eve")
    assert answer.status == 409
    assert not await scene.is_open()
    assert await who(scene.site) == "ada@example.com"


async def test_a_proof_is_good_once_and_in_the_session_that_asked(scene: Scene) -> None:
    """S49."""
    sent = await scene.set_out(purpose="prove")
    await scene.come_back(sent)
    scene.home.clock.move(timedelta(minutes=6))
    assert (await scene.come_back(sent)).status == 400
    sent = await scene.set_out(purpose="prove")
    await scene.site.post("/sign-out")
    await scene.come_back(await scene.set_out())
    scene.home.clock.move(timedelta(minutes=6))
    assert (await scene.come_back(sent)).status == 400
    assert not await scene.is_open()


async def test_a_flow_that_was_begun_to_sign_in_proves_nothing(scene: Scene) -> None:
    """The other way round: a browser that nobody was signed in with, and that somebody is by then."""
    stranger = scene.home.site()
    sent = await scene.set_out(stranger)
    stranger.jar |= scene.site.jar
    former = await scene.session()
    assert (await scene.come_back(sent, stranger)).status == 303
    assert (await scene.session())["proofs"] == former["proofs"]
    assert not await scene.is_open()


async def test_the_page_that_asks_for_a_proof_offers_only_what_can_give_one(scene: Scene) -> None:
    page = (await scene.site.get("/prove?next=/auth/vault")).text
    assert 'formaction="/auth/providers/paper"' in page
    assert 'formaction="/auth/providers/fake"' not in page


async def test_a_provider_without_words_for_it_proves_nothing(scene: Scene) -> None:
    await enter(scene.home.site())
    assert (await scene.site.post("/providers/fake", purpose="prove")).status == 403


async def test_nobody_who_is_signed_out_proves_anything(scene: Scene) -> None:
    assert (await scene.home.site().program().post(PROVE, purpose="prove")).status == 401


async def test_a_token_is_not_raised_by_a_browser(scene: Scene) -> None:
    """The browser that comes back brings no token: whose session it would raise, nobody could tell."""
    program = scene.home.site().program()
    answer = await program.post(
        "/sign-up", email="bob@example.com", password="four quiet green owls", transport="bearer"
    )
    program.bearer = answer.json["token"]
    assert (await program.post(PROVE, purpose="prove")).status == 403
    assert (await program.post(PROVE, purpose="connect")).status == 403
