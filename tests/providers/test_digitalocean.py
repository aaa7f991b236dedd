"""DigitalOcean. Answers as documented on 2026-11-24: https://docs.digitalocean.com/reference/api/oauth"""

import pytest

from powauth.providers import DigitalOcean
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://cloud.digitalocean.com/v1/oauth/token"
ME = "https://api.digitalocean.com/v2/account"
ADA = {"uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", "email": "sammy@digitalocean.com", "email_verified": True}
ANSWERS = {TOKEN: {**TOKENS, "scope": "read"}, ME: {"account": ADA}}


class TestDigitalOcean(Contract):
    value = DigitalOcean(**SETTINGS)
    token = TOKEN
    issuer = "https://cloud.digitalocean.com"
    answers = ANSWERS
    claims = {"sub": ADA["uuid"], "email": ADA["email"], "email_verified": True}
    silent = {ME: {"account": {"uuid": "b6"}}}
    unproved = {ME: {"account": {**ADA, "email_verified": False}}}

    async def test_it_asks_for_no_more_than_reading_and_which_team(self, site: Loopback) -> None:
        url = (await self.begin(site)).url
        assert "scope=read&" in url
        assert "prompt=select_account" in url
