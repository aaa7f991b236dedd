"""What others wrote, read strictly: JSON, forms, base64url. Whatever comes, a value or `Malformed`."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from powauth.oauth.errors import Malformed

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
MOST_FIELDS = 100  # in a form; providers send about ten


def read_json(body: bytes, what: str) -> object:
    """Return what JSON says. No member twice, no NaN: two readers must not read two things."""
    try:
        return json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # ValueError: also bad UTF-8, and numbers of thousands of digits
        raise Malformed(what) from None


def read_object(body: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object."""
    value = as_object(read_json(body, what))
    if value is None:
        raise Malformed(what)
    return value


def as_object(value: object) -> dict[str, Any] | None:
    """Return a value of JSON if it is an object."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """Return a value of JSON if it is a list."""
    return [*cast("Iterable[Any]", value)] if isinstance(value, list) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_constant(_text: str) -> None:
    raise ValueError


def read_pairs(text: str, what: str) -> list[tuple[str, str]]:
    """Return the fields of a query or a form, in their order."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Malformed(what) from None


def read_form(body: bytes, what: str) -> dict[str, str]:
    """Return a form-encoded answer, each field once."""
    try:
        pairs = read_pairs(body.decode("ascii").strip(), what)
    except UnicodeDecodeError:
        raise Malformed(what) from None
    found = dict(pairs)
    if not found or len(found) != len(pairs):
        raise Malformed(what)
    return found


def read_base64url(text: str, what: str) -> bytes:
    """Return the bytes of base64url without padding (RFC 7515 §2), and of nothing that only looks like it."""
    if not _BASE64URL.fullmatch(text):
        raise Malformed(what)
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise Malformed(what) from None
    if write_base64url(decoded) != text:  # one value, one spelling
        raise Malformed(what)
    return decoded


def write_base64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def text_of(answer: Mapping[str, object], name: str, what: str | None = None) -> str | None:
    """Return a member that has to be text, `None` where there is none or null."""
    value = answer.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed(what or name)
    return value


def texts_of(answer: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    """Return a member that has to be a list of texts, `None` where there is none or null."""
    value = answer.get(name)
    if value is None:
        return None
    listed = as_list(value)
    if listed is None or not all(isinstance(each, str) for each in listed):
        raise Malformed(name)
    return tuple(str(each) for each in listed)
