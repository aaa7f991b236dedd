"""The options of the commands. Times are `2026-11-24`, `2026-11-24T09:30+01:00`, or ages: `7d`, `12h`, `30m`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from powauth.errors import FieldError, InvalidForm
from powauth.forms import Between, Choice, Form

_AGE = re.compile(r"([0-9]{1,5})([dhm])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


class SearchForm(Form):
    """Which rows are asked for."""

    account: str | None = None
    event: str | None = None
    since: str | None = None
    until: str | None = None
    client: str | None = None


class ListForm(SearchForm):
    """Which rows are listed."""

    actor: str | None = None
    limit: Annotated[int, Between(1, 10_000)] = 50


class ExportForm(SearchForm):
    """Which rows are exported, and how."""

    actor: str | None = None
    after: str | None = None
    format: Annotated[str, Choice("jsonl", "csv")] = "jsonl"


def read_time(text: str | None, field: str, *, now: datetime) -> datetime | None:
    """Return the time that somebody typed, in UTC where they named no zone. Raises `InvalidForm`."""
    if text is None:
        return None
    age = _AGE.fullmatch(text)
    if age:
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidForm({field: [FieldError("wrong_type")]}) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
