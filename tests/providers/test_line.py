"""LINE. Answers as documented on 2026-11-24: https://developers.line.biz/en/docs/line-login/verify-id-token/"""

from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import OctKey

from powauth.oauth import BadToken, Reason
from powauth.providers import LINE
from tests.oauth.paper import signed
from tests.providers.contract import SECRET, SETTINGS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://access.line.me"
DOORS = published(ISSUER, "https://access.line.me/oauth2/v2.1")
SAID = {
    "iss": ISSUER,
    "sub": "U1234567890abcdef1234567890abcdef",
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada",
}


class TestLINE(Signed):
    value = LINE(**SETTINGS)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = {door: answer for door, answer in openid(DOORS).items() if not door.endswith("/keys")}
    said = SAID
    claims = {"sub": "U1234567890abcdef1234567890abcdef", "email": "ada@example.com", "name": "Ada"}
    silent = {}
    unproved = {}

    def sign(self, claims: Mapping[str, Any]) -> str:
        return signed(claims, OctKey.import_key(SECRET), alg="HS256")

    async def test_an_address_is_never_taken_for_proved(self, site: Loopback) -> None:
        assert (await self.sign_in(site)).claims.email_verified is None

    async def test_only_the_channel_s_secret_signs(self, site: Loopback) -> None:
        begun = await self.begin(site)
        for token in (
            signed(self.claims_of(site, begun)),
            signed(self.claims_of(site, begun), OctKey.import_key("another secret of thirty-two bytes"), alg="HS256"),
        ):
            with pytest.raises(BadToken) as caught:
                await self.sign_in(site, {self.token: {**self.answers[self.token], "id_token": token}})
            assert caught.value.reason in {Reason.ALGORITHM, Reason.SIGNATURE}
