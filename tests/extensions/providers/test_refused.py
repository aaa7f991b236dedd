"""What is refused at start, of a tenant's own provider, of an address that a provider tells, of a secret elsewhere."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import Auth, ConfigurationError
from powauth.context import Context
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.providers import Provider, Providers
from powauth.extensions.sign_up import SignUp
from powauth.oauth import Network, OpenIDConnect
from powauth.providers import GitHub, Google
from powauth.testing import Site
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter, set_out, who
from tests.house import PASSWORD, all_extensions, confirm, house, sign_up

pytestmark = pytest.mark.anyio

HUB = GitHub(client_id="id", client_secret="secret")
SETTINGS: dict[str, Any] = {"name": "own", "client_id": "id", "client_secret": "secret"}


# ---- at start (S57) ----


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"providers": [GitHub(client_id="", client_secret="secret")]}, "github: client_id is missing"),
        ({"providers": [GitHub(client_id="id")]}, "github: client_secret is missing"),
        ({"providers": [HUB, HUB]}, "github: two providers have this name"),
        ({"providers": [replace(HUB, name="Git Hub")]}, "cannot stand in an address"),
        ({"providers": [replace(HUB, authorize_params={"state": "x"})]}, "state is the protocol's own"),
        ({"providers": [OpenIDConnect(issuer="http://id.example.com", **SETTINGS)]}, "own: issuer"),
        ({"providers": [HUB], "fresh": timedelta(0)}, "fresh has to be longer than nothing"),
    ],
)
async def test_a_provider_that_is_set_up_wrongly_stops_the_start(
    tmp_path: Path, settings: dict[str, Any], sentence: str
) -> None:
    """S57."""
    with pytest.raises(ConfigurationError, match=sentence):
        async with house(tmp_path, extensions=(*all_extensions(), Providers(**settings))):
            pass


async def test_all_that_is_wrong_is_told_at_once_and_no_secret_with_it(tmp_path: Path) -> None:
    """S57, S69."""
    wrong = [GitHub(client_id="", client_secret="hush-hush"), Google(client_id="", client_secret="hush-hush")]
    with pytest.raises(ConfigurationError) as caught:
        async with house(tmp_path, extensions=(SignUp(), Providers(providers=wrong))):
            pass
    told = str(caught.value)
    for sentence in ("github: client_id is missing", "google: client_id is missing", "requires sign_in"):
        assert sentence in told
    assert "hush-hush" not in told + repr(wrong)


# ---- of a tenant's own ----


def per_request(*found: Provider) -> Providers:
    async def providers(_: Context) -> Sequence[Provider]:
        return found

    return Providers(providers=providers)


@pytest.mark.parametrize(
    "issuer", ["https://127.0.0.1", "https://10.0.0.7", "https://169.254.169.254", "https://[::1]", "https://localhost"]
)
async def test_a_tenant_s_provider_inside_our_network_is_not_asked(tmp_path: Path, issuer: str) -> None:
    """S52, S57: whoever may write a provider's address reaches nothing by it, and sees nothing of what is there."""
    own = OpenIDConnect(issuer=issuer, **SETTINGS)
    assert own.network is Network.PUBLIC
    async with house(tmp_path, extensions=(*all_extensions(), per_request(own))) as home:
        answer = await home.site().program().post("/providers/own")
        assert (answer.status, answer.code) == (503, "providers.no_answer")
        assert "detail" not in answer.json or issuer not in answer.text


async def test_a_tenant_s_provider_that_is_set_up_wrongly_lets_nobody_in(tmp_path: Path) -> None:
    """S57."""
    own = GitHub(client_id="", client_secret="hush-hush")
    async with house(tmp_path, extensions=(*all_extensions(), per_request(own))) as home:
        answer = await home.site().post("/providers/github")
        assert answer.status == 503
        assert "hush-hush" not in answer.text


# ---- of what a provider says ----


ODD_ADDRESSES = [
    "ada@example.com\r\nbcc: eve@example.com",
    "ada@example.com,eve@example.com",
    '"ada eve"@example.com',
    "ada@example.com\0",
    "a\x7fda@example.com",
    "ada\uff20example.com, eve@example.com",
    "<ada@example.com>",
    "ada@exa\u2100mple.com",
    "ada",
    "a" * 300 + "@example.com",
    "",
]


@pytest.mark.parametrize("email", ODD_ADDRESSES)
async def test_an_address_that_is_none_is_asked_for_and_never_mailed(site: Site, fake: Fake, email: str) -> None:
    """S53."""
    fake.memory.claims["email"] = email
    answer = await enter(site)
    assert answer.location == "/auth/providers/fake/complete"
    assert site.outbox.mails == []
    assert await who(site) is None
    page = (await site.get(answer.location)).text
    assert "bcc:" not in page


async def test_an_address_that_reads_like_another_s_is_that_one(tmp_path: Path, fake: Fake) -> None:
    """S53, S47, S48: in other letters of the same folded form, it opens no account and makes no second one."""
    async with house(tmp_path, extensions=(*extensions(fake), EmailConfirmation())) as home:
        ada = home.site()
        await sign_up(ada)
        await confirm(ada)
        for spelling in ("ADA@example.com", "\uff41da@example.com", "ada@EXAMPLE.com"):
            fake.memory.claims |= {"sub": spelling, "email": spelling}
            eve = home.site()
            assert (await enter(eve)).location == "/auth/providers/fake/complete"
            assert (await eve.post("/providers/fake/complete", email=spelling)).status == 422
            assert await who(eve) is None


# ---- of a secret elsewhere (S16) ----


async def test_what_one_trip_keeps_opens_nothing_else(site: Site, fake: Fake) -> None:
    """S16: neither a flow's cookie the page that asks for more, nor that one's cookie a call-back."""
    state = await set_out(site)
    assert (await site.get("/providers/fake/complete")).status == 400
    del fake.memory.claims["email"]
    other = site.browser()
    await enter(other)
    (secret,) = [value for name, value in other.jar.items() if "provider" in name]
    for stolen in (secret, state):
        stranger = site.browser()
        stranger.jar = dict(site.jar)
        assert (await stranger.get(f"/providers/fake/callback?code=good&state={stolen}")).status in {201, 303, 400}
        assert await who(stranger) is None
    assert (await site.post("/providers/fake/complete", email="eve@example.com")).status == 400


async def test_no_secret_of_a_flow_is_a_session_a_link_or_a_token(site: Site) -> None:
    """S16."""
    state = await set_out(site)
    (cookie,) = [value for name, value in site.jar.items() if "provider" in name]
    auth: Auth[Any] = site.auth
    for secret in (state, cookie):
        stranger = site.browser()
        stranger.jar = {auth.plan.cookie_name("session"): secret, auth.plan.cookie_name("pending"): secret}
        assert (await stranger.get("/account")).status == 303
        program = site.program()
        program.bearer = secret
        assert (await program.get("/account")).status == 401
        exchanged = await site.program().post("/session/exchange", code=secret, verifier=PASSWORD * 3)
        assert exchanged.status == 400
