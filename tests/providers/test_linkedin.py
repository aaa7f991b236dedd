"""LinkedIn. Answers as documented on 2026-11-24: https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2"""

from typing import Any

import pytest

from powauth.providers import LinkedIn
from tests.providers.contract import SETTINGS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://www.linkedin.com/oauth"
DOORS = published(ISSUER, "https://www.linkedin.com/oauth/v2")
SAID = {"iss": ISSUER, "sub": "782bbtaQ", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
USERINFO = DOORS["userinfo_endpoint"]
ADA: dict[str, Any] = {name: value for name, value in SAID.items() if name != "iss"}
ADA.update({"locale": {"country": "US", "language": "en"}})
GIVEN = {"access_token": "access-token", "expires_in": 60, "scope": "email,openid,profile"}


class TestLinkedIn(Signed):
    value = LinkedIn(**SETTINGS)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, tokens=GIVEN, userinfo=ADA)
    said = SAID
    claims = {"sub": "782bbtaQ", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}

    async def test_its_locale_and_its_scopes_are_read(self, site: Loopback) -> None:
        identity = await self.sign_in(site)
        assert identity.claims.locale == "en-US"
        assert identity.tokens.scopes == ("email", "openid", "profile")
