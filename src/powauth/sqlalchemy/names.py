"""Names of tables and constraints: stable, and short enough for every engine."""

import hashlib

LONGEST = 60  # PostgreSQL cuts at 63 bytes, MariaDB refuses more than 64


def constraint_name(kind: str, table: str, *columns: str) -> str:
    """Return the same name for the same constraint, for ever."""
    return shortened("_".join((kind, table, *columns)))


def shortened(name: str) -> str:
    """Return the name, or its beginning and a hash of all of it where it is too long."""
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}_{digest}"
