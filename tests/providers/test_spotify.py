"""Spotify. Answers as documented on 2026-11-24: https://developer.spotify.com/documentation/web-api/reference/get-current-users-profile"""

import pytest

from powauth.oauth import Malformed
from powauth.providers import Spotify
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://accounts.spotify.com/api/token"
ME = "https://api.spotify.com/v1/me"
ADA = {"account_id": "aB3dE5fG7h", "id": "wizzler", "display_name": "JM Wizzler", "email": "email@example.com"}
ANSWERS = {
    TOKEN: TOKENS,
    ME: {**ADA, "images": [{"url": "https://i.scdn.co/image/ab67616d00001e02", "height": 300, "width": 300}]},
}


class TestSpotify(Contract):
    value = Spotify(**SETTINGS)
    token = TOKEN
    issuer = "https://accounts.spotify.com"
    answers = ANSWERS
    claims = {"sub": "aB3dE5fG7h", "name": "JM Wizzler", "email": "email@example.com"}
    silent = {ME: {**ADA, "email": None}}
    unproved = {}

    async def test_a_person_without_a_picture_has_none_and_one_without_an_account_id_is_nobody(
        self, site: Loopback
    ) -> None:
        assert (await self.sign_in(site, {ME: {**ADA, "images": []}})).claims.picture is None
        with pytest.raises(Malformed):
            await self.sign_in(site, {ME: {"id": "aB3dE5fG7h"}})
