"""Claims: what a provider says of a person, in the words and types of OpenID Connect (Core §5.1)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from powauth.oauth.errors import Malformed
from powauth.oauth.reading import as_object

LONGEST_SUBJECT = 255  # characters, OpenID Connect Core §2
LONGEST_CLAIM = 10_000  # characters; an address of a picture with a signature may have a thousand
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a provider says of a person. What it does not say is `None`; what no standard knows is in `extra`."""

    sub: str
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    nickname: str | None = None
    preferred_username: str | None = None
    profile: str | None = None
    picture: str | None = None
    website: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    gender: str | None = None
    birthdate: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    address: Mapping[str, object] | None = field(default=None, hash=False)
    updated_at: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)

    @classmethod
    def read(cls, said: Mapping[str, object]) -> "Claims":
        """Return claims with their types. Raises `Malformed` for a value that is none of its type."""
        values: dict[str, Any] = {}
        for name, cast in _CASTS.items():
            value = said.get(name)
            if value is not None:
                values[name] = cast(name, value)
        if "sub" not in values:
            raise Malformed("claim sub")
        extra = {name: value for name, value in said.items() if name not in _CASTS}
        return cls(**values, extra=extra)

    def plain(self) -> dict[str, object]:
        """Return what was said, `extra` included, as what JSON can hold."""
        named = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "extra"}
        return {**self.extra, **{name: value for name, value in named.items() if value is not None}}


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_CLAIM:
        raise Malformed(f"claim {name}")
    return _CONTROL.sub("", value)


def _identifier(name: str, value: object) -> str | None:
    """Return what somebody is found by, or nothing: what is left of a changed one may be another person's (S53)."""
    whole = _text(name, value)
    return whole if whole == value else None


def _subject(name: str, value: object) -> str:
    """Return whose this is: never changed, or two people might become one."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_SUBJECT or _CONTROL.search(text):
        raise Malformed(f"claim {name}")
    return text


def _truth(name: str, value: object) -> bool:
    known: Mapping[object, bool] = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value not in known:
        raise Malformed(f"claim {name}")
    return known[value]


def _number(name: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**15:
        raise Malformed(f"claim {name}")
    return int(value)


def _object(name: str, value: object) -> Mapping[str, object]:
    found = as_object(value)
    if found is None:
        raise Malformed(f"claim {name}")
    return found


_CASTS: Mapping[str, Callable[[str, object], object]] = {
    **{each.name: _text for each in fields(Claims) if each.name != "extra"},
    **dict.fromkeys(("email", "phone_number", "preferred_username"), _identifier),
    "sub": _subject,
    "email_verified": _truth,
    "phone_number_verified": _truth,
    "address": _object,
    "updated_at": _number,
}
