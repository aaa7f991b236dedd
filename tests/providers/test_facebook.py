"""Facebook. Answers as documented on 2026-11-24: https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow"""

import hashlib
import hmac

import pytest

from powauth.providers import Facebook
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://graph.facebook.com/v21.0/oauth/access_token"
ME = "https://graph.facebook.com/v21.0/me"
ADA = {
    "id": "10224678912",
    "name": "Ada Lovelace",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
}
ANSWERS = {TOKEN: TOKENS, ME: {**ADA, "picture": {"data": {"url": "https://a.example/a.png"}}}}


class TestFacebook(Contract):
    value = Facebook(**SETTINGS)
    token = TOKEN
    issuer = "https://www.facebook.com"
    answers = ANSWERS
    claims = {
        "sub": "10224678912",
        "given_name": "Ada",
        "email": "ada@example.com",
        "picture": "https://a.example/a.png",
    }
    silent = {ME: {"id": "1"}}
    unproved = {}
    error = (400, {"error": {"message": "This code has been used.", "type": "OAuthException", "code": 100}})

    async def test_each_call_proves_that_this_application_makes_it(self, site: Loopback) -> None:
        await self.sign_in(site)
        expected = hmac.new(SETTINGS["client_secret"].encode(), b"access-token", hashlib.sha256).hexdigest()
        assert site.last(ME).query["appsecret_proof"] == expected
        assert site.last(ME).query["access_token"] == "access-token"
