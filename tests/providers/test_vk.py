"""VK. Addresses as documented on 2026-11-24: https://id.vk.com/about/business/go/docs/ru/vkid/latest/vk-id/connection/api-integration/api-description
The fields of its answers are those of VK's own kit: https://github.com/VKCOM/vkid-web-sdk/blob/master/src/auth/types.ts
"""

import pytest

from powauth.providers import VK
from tests.providers.contract import ID, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://id.vk.com/oauth2/auth"
ME = "https://id.vk.com/oauth2/user_info"
ADA = {
    "user_id": "1234567890",
    "first_name": "Ada",
    "last_name": "L.",
    "phone": "79991234567",
    "avatar": "https://pp.userapi.com/a.jpg",
    "email": "ada@example.com",
}
ANSWERS = {
    TOKEN: {
        **TOKENS,
        "refresh_token": "r",
        "id_token": "of VK's own shape: nobody reads it",
        "expires_in": 3600,
        "user_id": 1234567890,
        "state": "s",
        "scope": "vkid.personal_info email",
    },
    ME: {"user": ADA},
}


class TestVK(Contract):
    value = VK(client_id=ID)
    token = TOKEN
    issuer = "https://id.vk.com"
    answers = ANSWERS
    claims = {
        "sub": "1234567890",
        "name": "Ada L.",
        "picture": "https://pp.userapi.com/a.jpg",
        "email": "ada@example.com",
    }
    silent = {ME: {"user": {**ADA, "email": ""}}}
    unproved = {}
    comes_back = {"device_id": "device", "type": "code_v2"}

    async def test_the_device_goes_along_and_the_token_is_asked_about_in_a_form(self, site: Loopback) -> None:
        identity = await self.sign_in(site)
        assert identity.claims.email_verified is None
        assert site.last(TOKEN).form["device_id"] == "device"
        assert "client_secret" not in site.last(TOKEN).form
        assert site.last(ME).form == {"client_id": ID, "access_token": "access-token"}
