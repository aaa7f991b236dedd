"""Discord. Answers as documented on 2026-11-24: https://discord.com/developers/docs/resources/user"""

import pytest

from powauth.providers import Discord
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://discord.com/api/oauth2/token"
ME = "https://discord.com/api/users/@me"
ADA = {
    "id": "80351110224678912",
    "username": "nelly",
    "avatar": "8342729096ea3675442027381ff50dfe",
    "verified": True,
    "email": "nelly@discord.com",
}
ANSWERS = {TOKEN: {**TOKENS, "scope": "identify email"}, ME: ADA}


class TestDiscord(Contract):
    value = Discord(**SETTINGS)
    token = TOKEN
    issuer = "https://discord.com"
    answers = ANSWERS
    claims = {"sub": ADA["id"], "preferred_username": "nelly", "email": ADA["email"], "email_verified": True}
    silent = {ME: {**ADA, "email": None}}
    unproved = {ME: {**ADA, "verified": False}}

    async def test_there_is_a_picture_only_where_there_is_one(self, site: Loopback) -> None:
        picture = f"https://cdn.discordapp.com/avatars/{ADA['id']}/{ADA['avatar']}.png"
        assert (await self.sign_in(site)).claims.picture == picture
        assert (await self.sign_in(site, {ME: {**ADA, "avatar": None}})).claims.picture is None
