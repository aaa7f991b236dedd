"""Auth0. Answers as documented on 2026-11-24: https://auth0.com/docs/api/authentication/user-profile/get-user-info.md"""

import pytest

from powauth.providers import Auth0
from tests.providers.contract import SETTINGS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://acme.eu.auth0.com/"
DOORS = published(ISSUER, "https://acme.eu.auth0.com")
SAID = {"iss": ISSUER, "sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {name: value for name, value in SAID.items() if name != "iss"}
ADA.update({"updated_at": "2026-01-02T03:04:05.678Z"})


class TestAuth0(Signed):
    value = Auth0(**SETTINGS, issuer=ISSUER)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}

    async def test_its_times_are_read(self, site: Loopback) -> None:
        assert (await self.sign_in(site)).claims.updated_at == 1767323045


def test_the_issuer_is_written_as_auth0_does() -> None:
    assert any("/ at the end" in problem for problem in Auth0(**SETTINGS, issuer=ISSUER.rstrip("/")).problems())
