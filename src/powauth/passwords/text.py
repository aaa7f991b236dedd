"""What text may be a password at all, and the one form in which it is hashed."""

import unicodedata
from itertools import groupby
from typing import Literal

MAX_BYTES = 4096
"""UTF-8 bytes after NFC: far more than anybody types, little enough to hash for strangers."""

MAX_POINTS = MAX_BYTES * 3 // 2  # NFC makes at most three code points into two bytes (U+03B0)
MAX_MARKS = 30  # UAX #15 §13, stream-safe text; a longer run makes normalising quadratic: 70 ms for 8 KiB

Fault = Literal["too_long", "has_nul", "unreadable"]
"""Why a text cannot be a password: too many bytes, a NUL, or no text that Unicode can write."""


def normalise(password: str) -> str:
    """Return the password in NFC, so that é is one password on every keyboard (NIST SP 800-63B-4 §3.1.1.2)."""
    return unicodedata.normalize("NFC", password)


def fault(password: str) -> Fault | None:
    """Return why this cannot be a password, or `None`. Its cost is bounded for whatever a stranger sends."""
    if len(password) > MAX_POINTS:
        return "too_long"
    if "\0" in password:
        return "has_nul"
    if not is_readable(password):
        return "unreadable"
    if len(normalise(password).encode()) > MAX_BYTES:
        return "too_long"
    return None


def is_readable(password: str) -> bool:
    """Tell whether it can be written as UTF-8 and has no more marks in a row than a language would."""
    if password.isascii():
        return True
    if any("\ud800" <= point <= "\udfff" for point in password):  # half a pair, as JSON's \ud800 gives
        return False
    runs = groupby(password, key=is_mark)
    return all(sum(1 for _ in run) <= MAX_MARKS for marks, run in runs if marks)


def is_mark(point: str) -> bool:
    """Tell whether a code point, taken apart, begins with a combining mark."""
    return unicodedata.combining(unicodedata.normalize("NFD", point)[0]) > 0
