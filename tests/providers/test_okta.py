"""Okta, beside what `emulate` imitates: answers as OpenID Connect has them (2026-11-24)."""

import pytest

from powauth.providers import Okta
from tests.providers.contract import SETTINGS, Signed, openid, published

pytestmark = pytest.mark.anyio
ISSUER = "https://acme.okta.com/oauth2/default"
DOORS = published(ISSUER, "https://acme.okta.com/oauth2/default/v1")
SAID = {"iss": ISSUER, "sub": "00uid4BxXw6I6TV4m0g3", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {name: value for name, value in SAID.items() if name != "iss"}


class TestOkta(Signed):
    value = Okta(**SETTINGS, issuer=ISSUER)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {"sub": "00uid4BxXw6I6TV4m0g3", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}
