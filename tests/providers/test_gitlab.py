"""GitLab. Answers as documented on 2026-11-24: https://docs.gitlab.com/integration/openid_connect_provider/"""

import pytest

from powauth.providers import GitLab
from tests.providers.contract import SETTINGS, Signed, openid, published

pytestmark = pytest.mark.anyio
ISSUER = "https://gitlab.com"
DOORS = published(ISSUER, "https://gitlab.com/oauth")
SAID = {"iss": ISSUER, "sub": "4711", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
USERINFO = DOORS["userinfo_endpoint"]
ADA = {name: value for name, value in SAID.items() if name != "iss"}


class TestGitLab(Signed):
    value = GitLab(**SETTINGS)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS, userinfo=ADA)
    said = SAID
    claims = {"sub": "4711", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {USERINFO: {"sub": SAID["sub"]}}
    unproved = {USERINFO: {**ADA, "email_verified": False}}


def test_your_own_is_another_issuer() -> None:
    assert GitLab(**SETTINGS, issuer="https://gitlab.example.com").problems() == ()
