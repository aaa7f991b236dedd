"""Microsoft Entra ID. Answers as documented on 2026-11-24: https://learn.microsoft.com/en-us/entra/identity-platform/migrate-off-email-claim-authorization"""

from typing import Any

import pytest

from powauth.errors import ConfigurationError
from powauth.oauth import BadToken, Reason
from powauth.providers import Entra
from powauth.providers.entra import PERSONAL
from tests.providers.contract import SETTINGS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
HOST = "https://login.microsoftonline.com"
TENANT, OTHER = "9f1b4f1e-0000-4000-8000-000000000001", "9f1b4f1e-0000-4000-8000-000000000002"
DOORS = published(f"{HOST}/{{tenantid}}/v2.0", f"{HOST}/common/oauth2/v2.0")
SAID = {
    "iss": f"{HOST}/{TENANT}/v2.0",
    "tid": TENANT,
    "oid": "o",
    "sub": "ada",
    "email": "ada@example.com",
    "xms_edov": True,
}


def wanted(tenant: str) -> str:
    return f"{HOST}/{tenant}/v2.0/.well-known/openid-configuration"


class TestEntra(Signed):
    value = Entra(**SETTINGS, tenant="common")
    token = DOORS["token_endpoint"]
    issuer = f"{HOST}/{TENANT}/v2.0"
    answers = openid(DOORS, at=wanted("common"))
    said = SAID
    claims = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "oid": "o", "tid": TENANT}

    async def test_an_address_is_proved_only_where_the_provider_says_so(self, site: Loopback) -> None:
        for word in (False, None, "false", "0", 0, "yes", [True]):
            claims = (await self.sign_in_with(site, xms_edov=word, email_verified=True)).claims
            assert (claims.email, claims.email_verified) == ("ada@example.com", None)

    async def test_a_tenant_speaks_for_itself_alone(self, site: Loopback) -> None:
        wrong: tuple[dict[str, Any], ...] = (
            {"tid": OTHER},
            {"tid": None},
            {"tid": "a/../b"},
            {"iss": f"{HOST}/{OTHER}/v2.0"},
        )
        for claims in wrong:
            with pytest.raises(BadToken):
                await self.sign_in_with(site, **claims)


class TestOneTenant(TestEntra):
    value = Entra(**SETTINGS, tenant=TENANT)
    answers = openid({**DOORS, "issuer": SAID["iss"]}, at=wanted(TENANT))

    async def test_another_tenant_is_refused(self, site: Loopback) -> None:
        with pytest.raises(BadToken) as caught:
            await self.sign_in_with(site, tid=OTHER, iss=f"{HOST}/{OTHER}/v2.0")
        assert caught.value.reason is Reason.TENANT


class TestOrganizations(TestEntra):
    value = Entra(**SETTINGS, tenant="organizations")
    answers = openid(DOORS, at=wanted("organizations"))

    async def test_personal_accounts_are_refused(self, site: Loopback) -> None:
        with pytest.raises(BadToken) as caught:
            await self.sign_in_with(site, tid=PERSONAL, iss=f"{HOST}/{PERSONAL}/v2.0")
        assert caught.value.reason is Reason.TENANT


@pytest.mark.parametrize("tenant", ["", "acme.onmicrosoft.com", "Common", "../x", TENANT.upper()])
async def test_a_tenant_is_written_as_its_id(site: Loopback, tenant: Any) -> None:
    with pytest.raises(ConfigurationError, match="tenant"):
        await Entra(**SETTINGS, tenant=tenant).begin(site.tools(), redirect_uri="https://app.example.com/callback")
