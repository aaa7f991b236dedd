"""Bitbucket Cloud. Answers as documented on 2026-11-24: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-users/"""

import pytest

from powauth.providers import Bitbucket
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://bitbucket.org/site/oauth2/access_token"
ME = "https://api.bitbucket.org/2.0/user"
EMAILS = "https://api.bitbucket.org/2.0/user/emails"
UUID = "{1bf26c46-c29b-4fc0-bda2-e5c5f1adde19}"
ADA = {
    "type": "user",
    "uuid": UUID,
    "display_name": "Ada",
    "username": "ada",
    "links": {"avatar": {"href": "https://a.example/a.png"}},
}
OLD = {"type": "email", "email": "old@example.com", "is_primary": False, "is_confirmed": True}
NEW = {"type": "email", "email": "ada@example.com", "is_primary": True, "is_confirmed": True}
ANSWERS = {TOKEN: {**TOKENS, "scopes": "account email"}, ME: ADA, EMAILS: {"values": [OLD, NEW]}}


class TestBitbucket(Contract):
    value = Bitbucket(**SETTINGS)
    token = TOKEN
    issuer = "https://bitbucket.org"
    answers = ANSWERS
    claims = {
        "sub": UUID,
        "name": "Ada",
        "email": "ada@example.com",
        "email_verified": True,
        "picture": "https://a.example/a.png",
    }
    silent = {EMAILS: {"values": [OLD]}}
    unproved = {EMAILS: {"values": [OLD, {**NEW, "is_confirmed": False}]}}

    async def test_addresses_may_be_withheld(self, site: Loopback) -> None:
        assert (await self.sign_in(site, {EMAILS: (403, {"type": "error"})})).claims.email is None
