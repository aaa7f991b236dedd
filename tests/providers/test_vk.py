"""VK. Unverified: no documentation of its answers was found (2026-11-24)."""

import pytest

from powauth.providers import VK
from tests.providers.contract import ID, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://id.vk.com/oauth2/auth"
ME = "https://id.vk.com/oauth2/user_info"
ADA = {"user_id": "1234567890", "first_name": "Ada", "last_name": "L.", "email": "ada@example.com", "verified": True}
ANSWERS = {TOKEN: {**TOKENS, "user_id": 1234567890}, ME: {"user": ADA}}


class TestVK(Contract):
    value = VK(client_id=ID)
    token = TOKEN
    issuer = "https://id.vk.com"
    answers = ANSWERS
    claims = {"sub": "1234567890", "name": "Ada L.", "email": "ada@example.com"}
    silent = {ME: {"user": {**ADA, "email": ""}}}
    unproved = {}
    comes_back = {"device_id": "device"}

    async def test_the_device_goes_along_and_the_token_is_asked_about_in_a_form(self, site: Loopback) -> None:
        identity = await self.sign_in(site)
        assert identity.claims.email_verified is None
        assert site.last(TOKEN).form["device_id"] == "device"
        assert "client_secret" not in site.last(TOKEN).form
        assert site.last(ME).form == {"client_id": ID, "access_token": "access-token"}
