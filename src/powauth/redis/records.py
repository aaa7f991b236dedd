"""How an entry stands in a hash: a header of fixed length, then the value as it is. Nothing of it is ever run."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from struct import Struct

from powauth.errors import StoreUnavailable
from powauth.stores import Entry, from_microseconds, to_microseconds

FORMAT = 1
HEADER = Struct(">BQq")
"""Format, version, and when it ends, in microseconds since 1970. `scripts` reads them at the same places."""

MARGIN = timedelta(minutes=1)
"""How much longer the server keeps a hash: clocks of processes differ, and ours decide what has ended."""


def pack(value: bytes, expires_at: datetime) -> bytes:
    """Return what is stored, with a version that no state of any entry has borne."""
    return HEADER.pack(FORMAT, secrets.randbits(63), to_microseconds(expires_at)) + value


def unpack(record: bytes) -> Entry:
    """Return what is stored. Raises `StoreUnavailable` for what is none of ours: then nothing is known."""
    if len(record) < HEADER.size or record[0] != FORMAT:
        raise StoreUnavailable
    _, version, ends = HEADER.unpack_from(record)
    try:
        return Entry(record[HEADER.size :], version, from_microseconds(ends))
    except OverflowError:  # a time that no calendar has
        raise StoreUnavailable from None


def version_bytes(version: int) -> bytes:
    """Return a version as it stands in a header; for one that none can bear, what none bears."""
    return version.to_bytes(8, "big") if 0 <= version < 2**64 else b""


def lifetime(expires_at: datetime, now: datetime) -> int:
    """Return for how many milliseconds the server has to keep this; told as a span, its clock need not be right."""
    return max(0, (expires_at - now) // timedelta(milliseconds=1)) + MARGIN // timedelta(milliseconds=1)


def dead(fields: Sequence[bytes], before: int) -> list[bytes]:
    """Return the ids of what has ended by then, of a list of ids and records in turn."""
    return [
        id
        for id, record in zip(fields[::2], fields[1::2], strict=True)
        if len(record) >= HEADER.size and record[0] == FORMAT and HEADER.unpack_from(record)[2] <= before
    ]
