"""Telegram. Answers as documented on 2026-11-24: https://core.telegram.org/widgets/login"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlencode

import pytest

from powauth.oauth import BadToken, Identity, Reason
from powauth.providers import Telegram
from powauth.testing import FrozenClock

pytestmark = pytest.mark.anyio
BOT = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
CLOCK = FrozenClock()
TODAY = CLOCK.now().replace(microsecond=0)
NOW = int(TODAY.timestamp())
Channel = Literal["login_widget", "web_mini_app"]
WIDGET = {"id": "4711", "first_name": "Ada", "username": "ada", "auth_date": str(NOW)}
APP = {
    "query_id": "q",
    "user": json.dumps({"id": 4711, "first_name": "Ada", "language_code": "de"}),
    "auth_date": str(NOW),
}


@dataclass
class Record:
    known: set[str] = field(default_factory=set[str])
    lifetime: timedelta | None = None

    async def first(self, proof: str, *, lifetime: timedelta) -> bool:
        is_new, self.lifetime = proof not in self.known, lifetime
        self.known.add(proof)
        return is_new


def sealed(fields: dict[str, str], channel: Channel = "login_widget", bot: str = BOT) -> str:
    """Return fields with the hash of the published algorithm."""
    app = hmac.new(b"WebAppData", bot.encode(), hashlib.sha256).digest()
    key = hashlib.sha256(bot.encode()).digest() if channel == "login_widget" else app
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return urlencode({**fields, "hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()})


async def come(data: str, channel: Channel = "login_widget", record: Record | None = None, **changes: Any) -> Identity:
    settings: dict[str, Any] = {"bot_token": BOT, "channel": channel, **changes}
    value = Telegram(**settings)
    return await value.complete(data, now=TODAY, seen=record or Record())


async def refusal(data: str, channel: Channel = "login_widget", **changes: Any) -> Reason:
    record = Record()
    with pytest.raises(BadToken) as caught:
        await come(data, channel, record, **changes)
    assert record.known == set()
    return caught.value.reason


async def test_both_channels_name_the_same_person() -> None:
    channels: tuple[tuple[dict[str, str], Channel], ...] = ((WIDGET, "login_widget"), (APP, "web_mini_app"))
    for fields, channel in channels:
        identity = await come(sealed(fields, channel), channel)
        assert (identity.issuer, identity.subject, identity.claims.given_name) == (
            "https://telegram.org",
            "4711",
            "Ada",
        )
        assert identity.claims.email is None


def test_the_bot_s_token_is_not_shown() -> None:
    assert BOT not in repr(Telegram(bot_token=BOT))


@pytest.mark.parametrize(("fields", "channel"), [(WIDGET, "login_widget"), (APP, "web_mini_app")])
async def test_what_came_once_is_refused(fields: dict[str, str], channel: Channel) -> None:
    record = Record()
    await come(sealed(fields, channel), channel, record)
    with pytest.raises(BadToken) as caught:
        await come(sealed(fields, channel), channel, record)
    assert caught.value.reason is Reason.REPLAYED
    assert record.lifetime is not None
    assert record.lifetime > timedelta(seconds=60)


async def test_nothing_that_the_hash_does_not_cover_is_believed() -> None:
    good = sealed(WIDGET)
    forged = (
        good.replace("id=4711", "id=1"),
        good + "&photo_url=x",
        good.replace("&username=ada", ""),
        good.rpartition("&hash=")[0],
        good.rpartition("&hash=")[0] + "&hash=" + good.rpartition("&hash=")[2].upper(),
        good[:-1],
        sealed(WIDGET, bot="110201543:another"),
        sealed(WIDGET, "web_mini_app"),
        good.rpartition("&hash=")[0] + "&hash=%C3%A9",
    )
    for data in forged:
        assert await refusal(data) is Reason.SIGNATURE
    assert await refusal(sealed(WIDGET, bot=""), bot_token="") is Reason.SIGNATURE
    assert await refusal(sealed(APP), "web_mini_app") is Reason.SIGNATURE


@pytest.mark.parametrize(
    "data",
    [
        "",
        "hash=x&hash=x",
        "a=%ff",
        sealed({**WIDGET, "first_name": "Ada\nid=1"}),
        sealed(WIDGET) + "&ID=1",
        "a=" + "x" * 20_000,
    ],
)
async def test_what_can_mean_two_things_is_not_read(data: str) -> None:
    assert await refusal(data) is Reason.UNREADABLE


@pytest.mark.parametrize(("seconds", "reason"), [(-61, Reason.TOO_OLD), (31, Reason.NOT_YET)])
async def test_fields_are_good_for_a_minute(seconds: int, reason: Reason) -> None:
    assert await refusal(sealed({**WIDGET, "auth_date": str(NOW + seconds)})) is reason
    nearer = NOW + seconds + (1 if seconds < 0 else -1)
    assert (await come(sealed({**WIDGET, "auth_date": str(nearer)}))).subject == "4711"


@pytest.mark.parametrize("wrong", [{"id": "ada"}, {"id": "-1"}, {"id": ""}, {"auth_date": "now"}, {"auth_date": ""}])
async def test_who_and_when_are_numbers(wrong: dict[str, str]) -> None:
    assert await refusal(sealed({**WIDGET, **wrong})) is Reason.CLAIM_TYPE


@pytest.mark.parametrize(
    "user", ["", "{", "[]", "{}", '{"id": null}', '{"id": true}', '{"id": 1.5}', '{"id": 1, "id": 2}']
)
async def test_a_mini_app_s_person_is_read_strictly(user: str) -> None:
    assert await refusal(sealed({**APP, "user": user}, "web_mini_app"), "web_mini_app") in {
        Reason.UNREADABLE,
        Reason.CLAIM_TYPE,
    }
