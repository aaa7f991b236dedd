"""Tenants with providers of their own: one name may mean two, and nothing of one is worth anything in another."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from powauth import Tenant, TenantsByHost
from powauth.context import Context
from powauth.encryption import AesGcm
from powauth.errors import Forbidden
from powauth.extensions.providers import IdentityRecord, Providers, tokens_for
from powauth.oauth import Ask
from powauth.testing import Site
from tests.extensions.providers.fake import Fake, come_back, enter, set_out, who
from tests.extensions.providers.keeping import DATA_SECRET
from tests.house import House, all_extensions, house

pytestmark = pytest.mark.anyio

RED, BLUE = (Tenant(name, f"https://{name}.example/auth") for name in ("red", "blue"))


class Visitor(Site):
    """A browser at a tenant's address."""

    host = ""

    def _headers(self, method: str) -> dict[str, str]:
        headers = super()._headers(method) | {"host": self.host}
        return headers | ({"origin": f"https://{self.host}"} if method != "GET" else {})


@dataclass(frozen=True)
class Town:
    """Two tenants, whose provider bears the same name, and one that only the red one has."""

    home: House
    red: Fake
    blue: Fake

    def site(self, tenant: Tenant) -> Site:
        visitor = Visitor(self.home.auth)
        visitor.host = f"{tenant.id}.example"
        return visitor

    async def identities(self, tenant: Tenant) -> Sequence[IdentityRecord]:
        async with self.home.auth.begin(tenant=tenant, writes=False) as ctx:
            return await ctx.records(IdentityRecord).find()


async def asked(ctx: Context, provider: Any) -> Ask:
    return Ask(scopes=("calendar",) if ctx.tenant.id == "red" else ())


@pytest.fixture
async def town(tmp_path: Path) -> AsyncGenerator[Town]:
    red, blue, more = (
        Fake(issuer="https://red-id.example"),
        Fake(issuer="https://blue-id.example"),
        Fake(name="more"),
    )

    async def providers(ctx: Context) -> Sequence[Fake]:
        return {"red": (red, more), "blue": (blue,)}[ctx.tenant.id]

    tenants = TenantsByHost({"red.example": RED, "blue.example": BLUE})
    extensions = (*all_extensions(), Providers(providers=providers, ask=asked, keeps_tokens=True))
    async with house(tmp_path, tenant=tenants, extensions=extensions, encryption=AesGcm(DATA_SECRET)) as home:
        yield Town(home, red, blue)


async def test_one_name_leads_to_each_tenant_s_own_provider(town: Town) -> None:
    for tenant, host in ((RED, "red-id.example"), (BLUE, "blue-id.example")):
        answer = await town.site(tenant).post("/providers/fake")
        assert answer.location.startswith(f"https://{host}/authorize")


async def test_a_provider_of_one_tenant_does_not_exist_in_another(town: Town) -> None:
    """S50."""
    red, blue = town.site(RED), town.site(BLUE)
    state = await set_out(red, "more")
    blue.jar = dict(red.jar)
    assert (await blue.post("/providers/more")).status == 404
    assert (await come_back(blue, state, "more")).status == 404
    assert 'formaction="/auth/providers/more"' not in (await blue.get("/sign-in")).text
    await come_back(red, state, "more")
    assert await who(red) == "ada@example.com"


async def test_a_flow_of_one_tenant_is_not_finished_in_another(town: Town) -> None:
    """S16, S49: nor is it used up there, by a browser that has its cookie."""
    red, blue = town.site(RED), town.site(BLUE)
    state = await set_out(red)
    blue.jar = dict(red.jar)
    assert (await come_back(blue, state)).status == 400
    assert await who(blue) is None
    assert (town.red.memory.completed, town.blue.memory.completed) == (0, 0)
    await come_back(red, state)
    assert await who(red) == "ada@example.com"


async def test_one_identity_is_somebody_else_in_each_tenant(town: Town) -> None:
    """S16, S47: the same issuer and subject, two accounts, two rows."""
    object.__setattr__(town.blue, "issuer", town.red.issuer)
    red, blue = town.site(RED), town.site(BLUE)
    await enter(red)
    assert await town.identities(BLUE) == []
    await enter(blue)
    (mine,), (theirs,) = await town.identities(RED), await town.identities(BLUE)
    assert mine.id == theirs.id
    assert mine.owner != theirs.owner
    blue.jar = dict(red.jar)
    assert await who(blue) is None


async def test_tokens_of_one_tenant_are_not_handed_out_in_another(town: Town) -> None:
    """S16."""
    await enter(town.site(RED))
    async with town.home.auth.begin(tenant=RED) as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        assert (await tokens_for(ctx, account, "fake")).access_token == "a-token"
    await enter(town.site(BLUE))
    async with town.home.auth.begin(tenant=BLUE) as ctx:
        with pytest.raises(Forbidden):  # no such account is there at all
            await tokens_for(ctx, account, "fake")


async def test_each_request_asks_for_what_the_application_says(town: Town) -> None:
    for tenant, fake, scopes in ((RED, town.red, ("calendar",)), (BLUE, town.blue, ())):
        await set_out(town.site(tenant))
        assert fake.memory.asks[-1].scopes == scopes
