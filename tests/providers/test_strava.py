"""Strava. Answers as documented on 2026-11-24: https://developers.strava.com/docs/authentication/"""

import pytest

from powauth.providers import Strava
from tests.providers.contract import SETTINGS, TOKENS, Contract

pytestmark = pytest.mark.anyio
TOKEN = "https://www.strava.com/oauth/token"
ME = "https://www.strava.com/api/v3/athlete"
ADA = {"id": 1234567890987654321, "username": "marianne_t", "firstname": "Marianne", "lastname": "Teutenberg"}
ANSWERS = {TOKEN: {**TOKENS, "expires_at": 1568775134, "refresh_token": "r", "athlete": ADA}, ME: ADA}


class TestStrava(Contract):
    value = Strava(**SETTINGS)
    token = TOKEN
    issuer = "https://www.strava.com"
    answers = ANSWERS
    claims = {"sub": "1234567890987654321", "name": "Marianne Teutenberg", "preferred_username": "marianne_t"}
    silent = {}
    unproved = {}
    error = (
        400,
        {"message": "Bad Request", "errors": [{"resource": "AuthorizationCode", "field": "code", "code": "invalid"}]},
    )
