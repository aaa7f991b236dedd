"""Mastodon. Answers as documented on 2026-11-24: https://docs.joinmastodon.org/entities/Token/
and https://docs.joinmastodon.org/entities/Account
"""

import pytest

from powauth.errors import ConfigurationError
from powauth.providers import Mastodon
from tests.oauth.paper import BACK
from tests.providers.contract import SETTINGS, Contract
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://mastodon.social/oauth/token"
ME = "https://mastodon.social/api/v1/accounts/verify_credentials"
ADA = {
    "id": "14715",
    "username": "trwnh",
    "acct": "trwnh",
    "display_name": "infinite love",
    "locked": False,
    "bot": False,
    "created_at": "2016-11-24T10:02:12.085Z",
    "note": "<p>i have approximate knowledge of many things</p>",
    "url": "https://mastodon.social/@trwnh",
    "avatar": "https://files.mastodon.social/accounts/avatars/000/014/715/original/a.png",
    "avatar_static": "https://files.mastodon.social/accounts/avatars/000/014/715/original/a.png",
    "followers_count": 821,
    "fields": [{"name": "Website", "value": "https://example.com", "verified_at": None}],
}
ANSWERS = {
    TOKEN: {"access_token": "access-token", "token_type": "Bearer", "scope": "profile", "created_at": 1573979017},
    ME: ADA,
}


class TestMastodon(Contract):
    value = Mastodon(**SETTINGS)
    token = TOKEN
    issuer = "https://mastodon.social"
    answers = ANSWERS
    claims = {
        "sub": "14715",
        "name": "infinite love",
        "preferred_username": "trwnh",
        "profile": "https://mastodon.social/@trwnh",
        "picture": ADA["avatar"],
        "email": None,
    }
    silent = {}
    unproved = {}


def test_each_instance_is_a_provider_of_its_own() -> None:
    value = Mastodon(**SETTINGS).at("https://Mastodon.Example/")
    assert value.issuer == "https://mastodon.example"
    doors = (value.authorization_endpoint, value.token_endpoint, value.userinfo_endpoint, value.revocation_endpoint)
    assert all(str(door).startswith("https://mastodon.example/") for door in doors)
    assert value.problems() == ()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "mastodon.example",
        "http://m.example",
        "https://m.example/a",
        "https://a:b@m.example",
        "https://m.example?a",
        "https://m.example:x",
    ],
)
def test_what_is_no_host_is_no_instance(written: str) -> None:
    with pytest.raises(ValueError):
        Mastodon(**SETTINGS).at(written)


async def test_an_instance_of_a_visitor_s_choice_passes_the_guard(site: Loopback) -> None:
    with pytest.raises(ConfigurationError):
        await Mastodon(**SETTINGS).at("https://169.254.169.254").begin(site.tools(), redirect_uri=BACK)
