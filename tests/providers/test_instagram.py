"""Instagram. Answers as documented on 2026-11-24: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login"""

import pytest

from powauth.providers import Instagram
from tests.providers.contract import SETTINGS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://api.instagram.com/oauth/access_token"
ME = "https://graph.instagram.com/v21.0/me"
GIVEN = {"access_token": "access-token", "user_id": "1020", "permissions": "instagram_business_basic"}
ANSWERS = {TOKEN: {"data": [GIVEN]}, ME: {"data": [{"user_id": "17841405822304914", "username": "ada"}]}}


class TestInstagram(Contract):
    value = Instagram(**SETTINGS)
    token = TOKEN
    issuer = "https://www.instagram.com"
    answers = ANSWERS
    claims = {"sub": "17841405822304914", "preferred_username": "ada"}
    silent = {}
    unproved = {}
    error = (400, {"error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found"})

    async def test_what_is_not_in_a_list_is_read_as_well(self, site: Loopback) -> None:
        changes = {TOKEN: GIVEN, ME: {"user_id": "17841405822304914", "username": "ada"}}
        identity = await self.sign_in(site, changes)
        assert (identity.subject, identity.tokens.scopes) == ("17841405822304914", ("instagram_business_basic",))
