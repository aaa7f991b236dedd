"""Reddit. Answers as documented on 2026-11-24: https://github.com/reddit-archive/reddit/wiki/OAuth2"""

import pytest

from powauth.providers import Reddit
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://www.reddit.com/api/v1/access_token"
ME = "https://oauth.reddit.com/api/v1/me"
ANSWERS = {TOKEN: {**TOKENS, "scope": "identity"}, ME: {"id": "9x2k1", "name": "ada", "has_verified_email": True}}
AGENT = "web:com.example.app:1.0 (by /u/ada)"


class TestReddit(Contract):
    value = Reddit(**SETTINGS, user_agent=AGENT)
    token = TOKEN
    issuer = "https://www.reddit.com"
    answers = ANSWERS
    claims = {"sub": "9x2k1", "preferred_username": "ada"}
    silent = {}
    unproved = {}

    async def test_every_request_says_who_asks(self, site: Loopback) -> None:
        await self.sign_in(site)
        assert {asked.headers["user-agent"] for asked in site.asked} == {AGENT}
        assert site.last(TOKEN).headers["authorization"].startswith("Basic ")


def test_a_name_is_needed() -> None:
    for name in ("", " ", "a\r\nb: c"):
        assert any("user_agent" in problem for problem in Reddit(**SETTINGS, user_agent=name).problems())
