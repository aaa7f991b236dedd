"""Stripe Connect. Answers as documented on 2026-11-24: https://docs.stripe.com/connect/oauth-reference"""

import pytest

from powauth.oauth import BadToken, Reason
from powauth.providers import StripeConnect
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://connect.stripe.com/oauth/token"
ME = "https://api.stripe.com/v1/account"
ADA = {"id": "acct_1032D82eZvKYlo2C", "object": "account", "email": "site@stripe.com"}
ANSWERS = {TOKEN: {**TOKENS, "livemode": False, "scope": "read_only", "stripe_user_id": ADA["id"]}, ME: ADA}


class TestStripeConnect(Contract):
    value = StripeConnect(**SETTINGS)
    token = TOKEN
    issuer = "https://connect.stripe.com"
    answers = ANSWERS
    claims = {"sub": "acct_1032D82eZvKYlo2C", "email": "site@stripe.com"}
    silent = {ME: {"id": ADA["id"]}}
    unproved = {}

    async def test_the_account_has_to_be_the_one_of_the_token(self, site: Loopback) -> None:
        for account in ("acct_another", None):
            with pytest.raises(BadToken) as caught:
                await self.sign_in(site, {ME: {**ADA, "id": account}})
            assert caught.value.reason is Reason.SUBJECT
