"""DigitalOcean. Answers as documented on 2026-11-24: https://docs.digitalocean.com/reference/api/oauth
and https://docs.digitalocean.com/reference/dots/reference/account/account-get/
"""

import pytest

from powauth.providers import DigitalOcean
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://cloud.digitalocean.com/v1/oauth/token"
ME = "https://api.digitalocean.com/v2/account"
ADA = {
    "droplet_limit": 25,
    "floating_ip_limit": 5,
    "email": "sammy@digitalocean.com",
    "name": "Sammy the Shark",
    "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
    "email_verified": True,
    "status": "active",
    "status_message": " ",
    "team": {"uuid": "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", "name": "My Team"},
}
ANSWERS = {TOKEN: {**TOKENS, "scope": "read"}, ME: {"account": ADA}}


class TestDigitalOcean(Contract):
    value = DigitalOcean(**SETTINGS)
    token = TOKEN
    issuer = "https://cloud.digitalocean.com"
    answers = ANSWERS
    claims = {"sub": ADA["uuid"], "name": ADA["name"], "email": ADA["email"], "email_verified": True}
    silent = {ME: {"account": {"uuid": "b6"}}}
    unproved = {ME: {"account": {**ADA, "email_verified": False}}}

    async def test_it_asks_for_no_more_than_reading_and_which_team(self, site: Loopback) -> None:
        url = (await self.begin(site)).url
        assert "scope=read&" in url
        assert "prompt=select_account" in url
