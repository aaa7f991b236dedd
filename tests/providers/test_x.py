"""X by OAuth 2.0 and by OAuth 1.0a. Answers as documented on 2026-11-24:
https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
https://docs.x.com/x-api/users/lookup/quickstart/authenticated-lookup
https://developer.x.com/en/docs/accounts-and-users/manage-account-settings/api-reference/get-account-verify_credentials
"""

from datetime import timedelta
from typing import Any

import pytest

from powauth.oauth import Callback, Denied, Identity, ProviderError, TooSlow
from powauth.providers import Twitter, X
from tests.oauth.paper import BACK
from tests.providers.contract import SETTINGS, TOKENS, Contract
from tests.providers.loopback import LONGEST, SLOW, Loopback

pytestmark = pytest.mark.anyio
TOKEN = "https://api.x.com/2/oauth2/token"
ME = "https://api.x.com/2/users/me"
ADA = {
    "id": "2244994945",
    "name": "X Developers",
    "username": "ada",
    "created_at": "2013-12-14T04:35:55.000Z",
    "verified": True,
    "profile_image_url": "https://pbs.twimg.com/profile_images/1/a_normal.jpg",
    "url": "https://t.co/3ZX3TNiZCY",
    "confirmed_email": "ada@example.com",
}
ANSWERS = {TOKEN: {**TOKENS, "scope": "users.read tweet.read"}, ME: {"data": ADA}}
OLD = "https://api.x.com"
PAIR = b"oauth_token=token&oauth_token_secret=hush&oauth_callback_confirmed=true"
PERSON = {"id": 2244994945, "id_str": "2244994945", "name": "Ada", "screen_name": "ada", "email": "ada@example.com"}
OLD_ME = f"{OLD}/1.1/account/verify_credentials.json"
OLD_ANSWERS = {f"{OLD}/oauth/request_token": PAIR, f"{OLD}/oauth/access_token": PAIR, OLD_ME: PERSON}


class TestX(Contract):
    value = X(**SETTINGS)
    token = TOKEN
    issuer = "https://x.com"
    answers = ANSWERS
    claims = {
        "sub": "2244994945",
        "preferred_username": "ada",
        "picture": ADA["profile_image_url"],
        "email": "ada@example.com",
        "email_verified": True,
    }
    silent = {ME: {"data": {**ADA, "confirmed_email": None}}}
    unproved = {}


async def twitter(
    site: Loopback, changes: dict[str, Any] | None = None, query: str = "", wait: int = 10_000
) -> Identity:
    value = Twitter(consumer_key="key", consumer_secret="hush-hush")
    site.answers.update(OLD_ANSWERS)
    begun = await value.begin(site.tools(), redirect_uri=BACK)
    site.answers.update(changes or {})
    callback = Callback.from_query(query or "oauth_token=token&oauth_verifier=verifier")
    return await value.complete(site.tools(timedelta(milliseconds=wait)), begun.flow, callback)


async def test_by_the_old_protocol_it_is_the_same_person(site: Loopback) -> None:
    identity = await twitter(site)
    assert (identity.issuer, identity.subject) == (TestX.issuer, "2244994945")
    assert (identity.claims.email, identity.claims.email_verified) == ("ada@example.com", True)
    assert site.last(OLD_ME).query["include_email"] == "true"


async def test_by_the_old_protocol_an_address_that_is_not_verified_is_not_told(site: Loopback) -> None:
    claims = (await twitter(site, {OLD_ME: {**PERSON, "email": None}})).claims
    assert (claims.email, claims.email_verified) == (None, None)


async def test_by_the_old_protocol_whoever_says_no_is_not_signed_in(site: Loopback) -> None:
    with pytest.raises(Denied):
        await twitter(site, query="denied=token")


@pytest.mark.parametrize("door", [f"{OLD}/oauth/access_token", OLD_ME])
async def test_by_the_old_protocol_nonsense_is_a_typed_error(site: Loopback, door: str) -> None:
    for answer in (b"", b"{", b"[]", b"{}", (401, b"no"), (500, b""), b" " * (LONGEST + 1)):
        with pytest.raises(ProviderError):
            await twitter(site, {door: answer})
    with pytest.raises(TooSlow):
        await twitter(site, {door: SLOW}, wait=150)
