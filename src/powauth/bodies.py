"""Bodies: what a client sent, as names and values. URL-encoded and multipart forms, JSON objects, nothing else."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import parse_qsl

from powauth.errors import TooLarge, Unreadable, UnsupportedMedia
from powauth.http import RawRequest

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JSON = "application/json"

MAX_BODY = 64 * 1024  # bytes; a dozen of the longest passwords
MAX_FIELDS = 200  # ten times the longest form that a person fills in
MAX_DEPTH = 16  # forms are flat; far below what the parser's recursion bears
_MAX_DIGITS = 100  # past every field's range, below the least limit that Python lets one set for int()


@dataclass(frozen=True, slots=True)
class Body:
    """The names and values of a form or of a JSON object. A name that a form repeats keeps its first value."""

    data: Mapping[str, object] = field(repr=False)
    is_json: bool
    sent: frozenset[str]
    """The names that the body had, whatever their values."""


async def read_body(raw: RawRequest, *, most: int = MAX_BODY) -> Body:
    """Return what was sent, of at most so many bytes. Raises `TooLarge`, `UnsupportedMedia`, `Unreadable`.

    Files in a multipart form are left out: no form of ours has any.
    """
    kind = essence(raw)
    _refuse_encoded(raw)
    _refuse_long(raw, most)
    content = await raw.body(most)
    if len(content) > most:
        raise TooLarge
    data = _parsed(raw, kind, content) if content else {}
    return Body(data, is_json=kind == JSON, sent=frozenset(data))


async def read_form_text(raw: RawRequest, *, most: int) -> str:
    """Return a URL-encoded form as it was sent, unread. Raises `TooLarge`, `UnsupportedMedia`, `Unreadable`."""
    _refuse_encoded(raw)
    _refuse_long(raw, most)
    if essence(raw) != FORM:
        raise UnsupportedMedia
    content = await raw.body(most)
    if len(content) > most:
        raise TooLarge
    with suppress(UnicodeDecodeError):
        return content.decode("ascii")  # what is encoded has nothing else (URL standard, 5.2)
    raise Unreadable


def essence(raw: RawRequest) -> str | None:
    """Return the media type in lower case, without parameters. Raises `Unreadable` if there are two of them."""
    values = raw.header_values("content-type")
    if len(values) > 1:  # a form for whoever checks the first, JSON for whoever reads the second
        raise Unreadable
    return values[0].partition(";")[0].strip(" \t").lower() if values else None


def _refuse_encoded(raw: RawRequest) -> None:
    for value in raw.header_values("content-encoding"):
        if any(coding.strip(" \t").lower() not in {"", "identity"} for coding in value.split(",")):
            raise UnsupportedMedia  # a few packed bytes may unpack to any number


def _refuse_long(raw: RawRequest, most: int) -> None:
    sizes = {size.strip(" \t") for value in raw.header_values("content-length") for size in value.split(",")}
    if len(sizes) > 1 or not all(size.isascii() and size.isdigit() for size in sizes):
        raise Unreadable
    for size in sizes:
        digits = size.lstrip("0") or "0"
        if len(digits) > len(str(most)) or int(digits) > most:
            raise TooLarge


def _parsed(raw: RawRequest, kind: str | None, content: bytes) -> dict[str, object]:
    if kind == FORM:
        return _first_of_each(_urlencoded(content))
    if kind == MULTIPART:
        return _first_of_each(_multipart(content, _boundary(raw)))
    if kind == JSON:
        return _json(content)
    raise UnsupportedMedia


def _first_of_each(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    data: dict[str, object] = {}
    for name, value in pairs:
        if name != "_charset_":  # HTML, "Naming form controls": browsers fill it in; we read UTF-8 only
            data.setdefault(name, value)
    return data


def _urlencoded(content: bytes) -> list[tuple[str, str]]:
    # (Raised outside the block: the decoder's error would carry the body, passwords included, into logs.)
    with suppress(ValueError):
        return parse_qsl(content.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    raise Unreadable


# ---- multipart (RFC 7578) ----
# Cut by hand: the standard library's parser is made for mail, follows nested parts until the stack is full, guesses
# charsets and mends what is broken. A form's parts are never nested.

_PARAMETER = re.compile(r';[ \t]*([^=;\s]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*+)"|([^;]*))')
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046 §5.1.1
_PLAIN_CODINGS = frozenset({"", "7bit", "8bit", "binary"})


def _parameters(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(header):
        found.setdefault(name.lower(), quoted or bare.strip(" \t"))
    return found


def _boundary(raw: RawRequest) -> bytes:
    boundary = _parameters(raw.header("content-type") or "").get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Unreadable
    return boundary.encode("ascii")


def _multipart(content: bytes, boundary: bytes) -> list[tuple[str, str]]:
    _, *parts = (b"\r\n" + content).split(b"\r\n--" + boundary, MAX_FIELDS + 2)
    if not parts or len(parts) > MAX_FIELDS + 1 or parts.pop().partition(b"\r\n")[0] != b"--":  # cut off
        raise Unreadable
    with suppress(UnicodeDecodeError):
        return [pair for part in parts for pair in _fields(part)]
    raise Unreadable


def _fields(part: bytes) -> Iterator[tuple[str, str]]:
    head, separator, content = part.partition(b"\r\n\r\n")
    if not separator or not part.startswith(b"\r\n"):
        raise Unreadable
    headers = _part_headers(head.decode())
    disposition = headers.get("content-disposition", "")
    parameters = _parameters(disposition)
    if disposition.partition(";")[0].strip().lower() != "form-data" or "name" not in parameters:
        raise Unreadable
    if headers.get("content-transfer-encoding", "").lower() not in _PLAIN_CODINGS:
        raise Unreadable
    if not {"filename", "filename*"} & parameters.keys():
        yield parameters["name"], content.decode()


def _part_headers(head: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.split("\r\n")[1:]:
        name, separator, value = line.partition(":")
        key = name.lower()
        if not separator or key in headers:
            raise Unreadable
        headers[key] = value.strip(" \t")
    return headers


# ---- JSON (RFC 8259) ----

_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)  # an open one ends with the text, so that this stays linear
_BRACKET = re.compile(r"[\[\]{}]")


def _json(content: bytes) -> dict[str, object]:
    with suppress(ValueError):
        text = content.decode()
        _refuse_deep(text)
        found: object = _DECODER.decode(text)
        if isinstance(found, _Object) and len(found) <= MAX_FIELDS:
            return found
    raise Unreadable


def _refuse_deep(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise Unreadable


class _Object(dict[str, object]):
    """A JSON object, told from other dicts without a cast."""


def _object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):  # RFC 8259 §4: readers disagree about which one counts
        raise Unreadable
    return found


def _int(text: str) -> int | Decimal:
    # No field takes a Decimal, so it becomes one bad field among others.
    return int(text) if len(text) <= _MAX_DIGITS else Decimal(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # 1e999
        raise Unreadable
    return number


def _constant(name: str) -> object:
    raise Unreadable(name)  # NaN, Infinity: not JSON


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_int, parse_float=_float, parse_constant=_constant)
