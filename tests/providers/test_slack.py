"""Slack. Answers as documented on 2026-11-24: https://docs.slack.dev/reference/methods/openid.connect.token"""

import pytest

from powauth.oauth import BadToken, Reason
from powauth.providers import Slack
from tests.oauth.paper import BACK
from tests.providers.contract import SETTINGS, Signed, openid, published
from tests.providers.loopback import Loopback

pytestmark = pytest.mark.anyio
ISSUER = "https://slack.com"
DOORS = published(ISSUER, token_endpoint="https://slack.com/api/openid.connect.token")
SAID = {
    "iss": ISSUER,
    "sub": "U0R7MFMJM",
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada",
    "https://slack.com/team_id": "T0RR",
}


class TestSlack(Signed):
    value = Slack(**SETTINGS)
    token = DOORS["token_endpoint"]
    issuer = ISSUER
    answers = openid(DOORS)
    said = SAID
    claims = {"sub": "U0R7MFMJM", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    silent = {}
    unproved = {}
    error = {"ok": False, "error": "invalid_code"}

    async def test_people_of_another_workspace_are_refused(self, site: Loopback) -> None:
        site.answers.update(self.answers)
        begun = await Slack(**SETTINGS, team="T0RR").begin(site.tools(), redirect_uri=BACK)
        assert "team=T0RR" in begun.url
        Slack(**SETTINGS, team="T0RR").check_claims(SAID)
        for claims in (SAID, {}):
            with pytest.raises(BadToken) as caught:
                Slack(**SETTINGS, team="T0XX").check_claims(claims)
            assert caught.value.reason is Reason.TENANT
