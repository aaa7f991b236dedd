"""Basecamp. Answers as documented on 2026-11-24: https://github.com/basecamp/bc3-api/blob/master/sections/authentication.md"""

import pytest

from powauth.providers import Basecamp
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://launchpad.37signals.com/authorization/token"
ME = "https://launchpad.37signals.com/authorization.json"
ADA = {"id": 9999999, "first_name": "Jason", "last_name": "Fried", "email_address": "jason@basecamp.com"}
ACCOUNTS = [{"product": "bc3", "id": 99999999, "name": "Honcho Design", "href": "https://3.basecampapi.com/99999999"}]
ANSWERS = {TOKEN: {**TOKENS, "refresh_token": "r"}, ME: {"identity": ADA, "accounts": ACCOUNTS}}


class TestBasecamp(Contract):
    value = Basecamp(**SETTINGS)
    token = TOKEN
    issuer = "https://launchpad.37signals.com"
    answers = ANSWERS
    claims = {"sub": "9999999", "name": "Jason Fried", "email": "jason@basecamp.com", "basecamp_accounts": ACCOUNTS}
    silent = {ME: {"identity": {**ADA, "email_address": None}}}
    unproved = {}

    async def test_both_ways_say_what_kind_of_application_asks(self, site: Loopback) -> None:
        assert "type=web_server" in (await self.begin(site)).url
        await self.sign_in(site)
        assert site.last(TOKEN).form["type"] == "web_server"
