"""Twitch. Answers as documented on 2026-11-24: https://dev.twitch.tv/docs/authentication/getting-tokens-oidc"""

import pytest

from powauth.providers import Twitch
from tests.providers.contract import SETTINGS, TOKENS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://id.twitch.tv/oauth2"
DOORS = published(ISSUER)
SAID = {"iss": ISSUER, "sub": "713936733", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
GIVEN = {**TOKENS, "scope": ["openid", "user:read:email"]}


class TestTwitch(Signed):
    value = Twitch(**SETTINGS)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, tokens=GIVEN)
    said = SAID
    claims = {"sub": "713936733", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {}
    unproved = {}

    async def test_it_is_asked_for_each_claim_and_its_list_of_scopes_is_read(self, site: Loopback) -> None:
        assert "claims=%7B%22id_token%22" in (await self.begin(site)).url
        assert (await self.sign_in(site)).tokens.scopes == ("openid", "user:read:email")
