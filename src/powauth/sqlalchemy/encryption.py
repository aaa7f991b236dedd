"""Encryption: what seals the columns that nobody shall read in a dump."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast

from powauth.records import Column
from powauth.sqlalchemy.tables import RecordTable


class Encryption(Protocol):
    """Authenticated encryption, such as AES-GCM. `context` is associated data: what was sealed opens nowhere else."""

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Return the plain text, unreadable and bound to its context."""
        ...

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return the plain text; raise when it was changed, or sealed in another context."""
        ...


def place(table: RecordTable, column: str, tenant: str, key: Mapping[str, object]) -> bytes:
    """Return where a value stands: table, column, tenant and key, so that no value can be moved to another row."""
    return json.dumps([table.table.name, column, tenant, *(str(key[name]) for name in table.key)]).encode()


def to_plain(column: Column, value: object) -> bytes:
    """Return a value as bytes to be sealed."""
    return cast("bytes", value) if column.type == "bytes" else json.dumps(value).encode()


def from_plain(column: Column, plain: bytes) -> Any:  # noqa: ANN401  whatever the record's field holds
    """Return the value that `to_plain` was given."""
    return plain if column.type == "bytes" else json.loads(plain)
