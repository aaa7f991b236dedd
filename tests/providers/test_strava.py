"""Strava. Answers as documented on 2026-11-24: https://developers.strava.com/docs/authentication/
and https://developers.strava.com/swagger/swagger.json
"""

import pytest

from powauth.providers import Strava
from tests.providers.contract import SETTINGS, TOKENS, Contract

pytestmark = pytest.mark.anyio
TOKEN = "https://www.strava.com/oauth/token"
ME = "https://www.strava.com/api/v3/athlete"
ADA = {
    "id": 1234567890987654321,
    "username": "marianne_t",
    "resource_state": 2,
    "firstname": "Marianne",
    "lastname": "Teutenberg",
    "city": "San Francisco",
    "summit": True,
    "created_at": "2017-11-14T02:30:05Z",
    "profile_medium": "https://dgalywyr863hv.cloudfront.net/pictures/athletes/1/medium.jpg",
    "profile": "https://dgalywyr863hv.cloudfront.net/pictures/athletes/1/large.jpg",
}
ANSWERS = {TOKEN: {**TOKENS, "expires_at": 1568775134, "refresh_token": "r", "athlete": ADA}, ME: ADA}


class TestStrava(Contract):
    value = Strava(**SETTINGS)
    token = TOKEN
    issuer = "https://www.strava.com"
    answers = ANSWERS
    claims = {
        "sub": "1234567890987654321",
        "name": "Marianne Teutenberg",
        "preferred_username": "marianne_t",
        "picture": ADA["profile"],
        "email": None,
    }
    silent = {}
    unproved = {}
    error = (
        400,
        {"message": "Bad Request", "errors": [{"resource": "AuthorizationCode", "field": "code", "code": "invalid"}]},
    )
