"""Amazon Cognito. Answers as documented on 2026-11-24: https://docs.aws.amazon.com/cognito/latest/developerguide/userinfo-endpoint.html"""

import pytest

from powauth.oauth import BadToken
from powauth.providers import Cognito
from tests.providers.contract import SETTINGS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123"
DOORS = published(ISSUER, "https://auth.example.com/oauth2")
SAID = {
    "iss": ISSUER,
    "sub": "ada",
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada",
    "token_use": "id",
}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {"sub": "ada", "email": "ada@example.com", "email_verified": "true", "name": "Ada"}


class TestCognito(Signed):
    value = Cognito(**SETTINGS, issuer=ISSUER)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": "false"}}

    async def test_an_access_token_is_no_id_token(self, site: Loopback) -> None:
        for use in ("access", None):
            with pytest.raises(BadToken):
                await self.sign_in_with(site, token_use=use)


def test_the_issuer_is_a_user_pool() -> None:
    assert any("user pool" in problem for problem in Cognito(**SETTINGS, issuer="https://auth.example.com").problems())
