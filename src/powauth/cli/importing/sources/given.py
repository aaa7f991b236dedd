"""CSV and JSON in Powauth's own words, for systems that have no source of their own."""

import json
from typing import Any

from powauth.cli.importing.newcomer import Address, Identity, LeftOut, Newcomer
from powauth.cli.importing.rows import Row
from powauth.cli.importing.source import Beside, Options, Source
from powauth.cli.importing.sources.shared import refuse_deleted

LISTS = ("addresses", "identities", "roles")


def read(key: str, row: Row, beside: Beside, options: Options) -> Newcomer:  # noqa: ARG001  the shape of every source
    """Return an account that a file describes."""
    refuse_deleted(row)
    proved_at = row.moment("confirmed_at")
    return Newcomer(
        key=key,
        email=row.text("email"),
        username=row.text("username"),
        password_hash=row.text("password_hash"),
        is_proved=proved_at is not None,
        proved_at=proved_at,
        created_at=row.moment("created_at"),
        locked_at=row.moment("locked_at"),
        is_inactive=not row.flag("active", missing=True),
        addresses=tuple(Address(text(one, "email"), one.get("confirmed") is True) for one in objects(row, "addresses")),
        identities=tuple(
            Identity(text(one, "provider"), text(one, "subject"), text(one, "issuer") or None)
            for one in objects(row, "identities")
        ),
        roles=tuple(str(role) for role in listed(row, "roles")),
        values=row,
    )


def listed(row: Row, name: str) -> list[Any]:
    """Return a list: JSON, or for a short one the text between commas. Raises `LeftOut`."""
    text = row.text(name)
    if text is None:
        return []
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        found: list[Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LeftOut("unreadable", f"{name} is no list in JSON") from error
    return found


def objects(row: Row, name: str) -> list[dict[str, Any]]:
    """Return a list of objects. Raises `LeftOut`."""
    found = listed(row, name)
    if not all(isinstance(one, dict) for one in found):
        raise LeftOut("unreadable", f"{name} is no list of objects in JSON")
    return found


def text(one: dict[str, Any], name: str) -> str:
    """Return a field of an object as text."""
    value = one.get(name)
    return "" if value is None else str(value)


CSV = Source(name="csv", table="accounts", needs=(), read=read)
JSON = Source(name="json", table="accounts", needs=(), read=read)
