"""Zitadel. Answers as documented on 2026-11-24: https://zitadel.com/docs/apis/openidoauth/claims"""

import pytest

from powauth.oauth import BadToken
from powauth.providers import Zitadel
from tests.providers.contract import ID, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://acme.zitadel.cloud"
DOORS = published(ISSUER, "https://acme.zitadel.cloud/oauth/v2")
SAID = {"iss": ISSUER, "sub": "170848145649959169", "amr": ["pwd", "mfa"], "auth_time": 1687418556}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {
    "sub": SAID["sub"],
    "name": "Road Runner",
    "given_name": "Road",
    "family_name": "Runner",
    "preferred_username": "road.runner@acme.zitadel.cloud",
    "locale": "en",
    "updated_at": 1658329554,
    "email": "road.runner@zitadel.com",
    "email_verified": True,
    "urn:zitadel:iam:user:metadata": {"ContractNumber": "MTIzNA"},
}


class TestZitadel(Signed):
    value = Zitadel(client_id=ID, issuer=ISSUER, trusted_audiences=("69234237810729019",))
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {
        "sub": "170848145649959169",
        "name": "Road Runner",
        "preferred_username": "road.runner@acme.zitadel.cloud",
        "email": "road.runner@zitadel.com",
        "email_verified": True,
    }
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}

    async def test_its_project_is_an_audience_and_others_are_not(self, site: Loopback) -> None:
        both = [ID, "69234237810729019"]
        assert (await self.sign_in_with(site, aud=both, azp=ID)).subject == SAID["sub"]
        assert site.last(self.token).form["client_id"] == ID
        with pytest.raises(BadToken):
            await self.sign_in_with(site, aud=[*both, "another"], azp=ID)
