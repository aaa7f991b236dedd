"""Telegram: no protocol of the others, but fields with a keyed hash, from its login widget or a mini app."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol

from powauth.oauth import BadToken, Claims, Identity, Reason, Tokens
from powauth.oauth.errors import Malformed
from powauth.oauth.reading import read_object, read_pairs

ISSUER = "https://telegram.org"
SKEW = timedelta(seconds=30)  # how far Telegram's clock may be ahead
LONGEST = 16_384  # bytes; what Telegram sends has about a thousand
_NAME = re.compile(r"[a-z_]{1,64}")
_ID = re.compile(r"[1-9][0-9]{0,18}")


class Seen(Protocol):
    """The record that refuses what comes a second time."""

    async def first(self, proof: str, *, lifetime: timedelta) -> bool:
        """Remember a proof for so long, and say whether it is new: atomically, or two take it at once."""
        ...


@dataclass(frozen=True, kw_only=True)
class Telegram:
    """Telegram. `Telegram(bot_token="…")`; what a mini app sends: `channel="web_mini_app"`.

    There is no state: bind what comes to a browser yourself, or anybody can sign somebody else in as themselves.
    """

    name: str = "telegram"
    bot_token: str = field(repr=False)
    """What BotFather gave you."""
    channel: Literal["login_widget", "web_mini_app"] = "login_widget"
    """Where the fields come from."""
    lifetime: timedelta = timedelta(seconds=60)
    """How old they may be."""

    async def complete(self, data: str, *, now: datetime, seen: Seen) -> Identity:
        """Return who the fields are of: the query of the widget's redirect, or a mini app's `initData`, as it came.

        Whatever the hash does not cover is refused; each hash is good once. Raises `BadToken`.
        """
        fields = _fields(data)
        said = fields.pop("hash", "")
        if not self.bot_token or not hmac.compare_digest(said.encode(), self._hash(fields).encode()):
            raise BadToken(Reason.SIGNATURE)
        issued = _time(fields.get("auth_date"))
        if now - issued > self.lifetime:
            raise BadToken(Reason.TOO_OLD)
        if issued - now > SKEW:
            raise BadToken(Reason.NOT_YET)
        identity = self._identity(fields, issued)
        if not await seen.first(f"telegram {said}", lifetime=self.lifetime + 2 * SKEW):
            raise BadToken(Reason.REPLAYED)
        return identity

    def _hash(self, fields: Mapping[str, str]) -> str:
        token = self.bot_token.encode()
        if self.channel == "login_widget":
            key = hashlib.sha256(token).digest()
        else:
            key = hmac.new(b"WebAppData", token, hashlib.sha256).digest()
        text = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def _identity(self, fields: Mapping[str, str], issued: datetime) -> Identity:
        person = self._person(fields)
        names = (person.get("first_name"), person.get("last_name"))
        said = {
            "sub": person["id"],
            "name": " ".join(name for name in names if isinstance(name, str)) or None,
            "given_name": names[0],
            "family_name": names[1],
            "preferred_username": person.get("username"),
            "picture": person.get("photo_url"),
            "locale": person.get("language_code"),
        }
        tokens = Tokens(access_token="", token_type="none")  # Telegram gives none
        return Identity(
            provider=self.name, issuer=ISSUER, claims=Claims.read(said), tokens=tokens, auth_time=issued, raw=fields
        )

    def _person(self, fields: Mapping[str, str]) -> Mapping[str, Any]:
        if self.channel == "login_widget":
            person: Mapping[str, Any] = fields
        else:
            try:
                person = read_object(fields.get("user", "").encode(), "user")
            except Malformed:
                raise BadToken(Reason.UNREADABLE, "user") from None
        if not _ID.fullmatch(str(person.get("id"))):
            raise BadToken(Reason.CLAIM_TYPE, "id")
        return person


def _fields(data: str) -> dict[str, str]:
    """Return each field once. A line break in a value would let one signed text mean two things."""
    try:
        pairs = read_pairs(data, "fields") if len(data) <= LONGEST else []
    except Malformed:
        pairs = []
    found = dict(pairs)
    if not found or len(found) != len(pairs):
        raise BadToken(Reason.UNREADABLE)
    if any(not _NAME.fullmatch(name) or "\n" in value for name, value in pairs):
        raise BadToken(Reason.UNREADABLE)
    return found


def _time(text: str | None) -> datetime:
    if text is None or not re.fullmatch(r"[0-9]{1,10}", text):
        raise BadToken(Reason.CLAIM_TYPE, "auth_date")
    return datetime.fromtimestamp(int(text), UTC)
