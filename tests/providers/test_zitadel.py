"""Zitadel. Answers as documented on 2026-11-24: https://zitadel.com/docs/apis/openidoauth/scopes"""

import pytest

from powauth.oauth import BadToken
from powauth.providers import Zitadel
from tests.providers.contract import ID, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://acme.zitadel.cloud"
DOORS = published(ISSUER, "https://acme.zitadel.cloud/oauth/v2")
SAID = {"iss": ISSUER, "sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {name: value for name, value in SAID.items() if name != "iss"}


class TestZitadel(Signed):
    value = Zitadel(client_id=ID, issuer=ISSUER, trusted_audiences=("69234237810729019",))
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}

    async def test_its_project_is_an_audience_and_others_are_not(self, site: Loopback) -> None:
        both = [ID, "69234237810729019"]
        assert (await self.sign_in_with(site, aud=both, azp=ID)).subject == "ada"
        assert site.last(self.token).form["client_id"] == ID
        with pytest.raises(BadToken):
            await self.sign_in_with(site, aud=[*both, "another"], azp=ID)
