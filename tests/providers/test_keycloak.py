"""Keycloak. Answers as documented on 2026-11-24: https://www.keycloak.org/securing-apps/oidc-layers"""

import pytest

from powauth.providers import Keycloak
from tests.providers.contract import SETTINGS, Signed, openid, published

pytestmark = pytest.mark.anyio
ISSUER = "https://sso.example.com/realms/staff"
DOORS = published(ISSUER, "https://sso.example.com/realms/staff/protocol/openid-connect")
SAID = {"iss": ISSUER, "sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {name: value for name, value in SAID.items() if name != "iss"}


class TestKeycloak(Signed):
    value = Keycloak(**SETTINGS, issuer=ISSUER)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}


def test_the_issuer_is_a_realm() -> None:
    assert any("realm" in problem for problem in Keycloak(**SETTINGS, issuer="https://sso.example.com").problems())
