"""Row: what one row of another system says, whatever its database or file made of it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from powauth.cli.importing.newcomer import LeftOut

TRUE = frozenset({"1", "t", "true", "y", "yes"})
FALSE = frozenset({"", "0", "f", "false", "n", "no"})


class Row(Mapping[str, Any]):
    """Columns by name. A column that is missing reads as one that is empty."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  whatever the driver returns
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str) -> str | None:
        """Return what stands in a column as text, `None` if that is nothing."""
        value = self.get(name)
        if isinstance(value, bytes):
            try:
                value = value.decode()
            except UnicodeDecodeError as error:
                raise LeftOut("unreadable", f"{name} is not text") from error
        return None if value is None or value == "" else str(value)

    def moment(self, name: str) -> datetime | None:
        """Return a time; one without a zone is in UTC, as Rails, Ecto, Django and Flask-Security store it."""
        value = self.get(name)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        if not isinstance(value, datetime):
            value = read_moment(name, self.text(name))
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value

    def flag(self, name: str, *, missing: bool = False) -> bool:
        """Return whether a column is set; `missing` if there is no such column, or nothing in it."""
        text = (self.text(name) or "").strip().lower()
        if text in TRUE | FALSE:
            return text in TRUE if text else missing
        raise LeftOut("unreadable", f"{name} is neither true nor false")

    def is_given(self, name: str) -> bool:
        """Return whether something stands in a column that is a flag or a time."""
        text = (self.text(name) or "").strip().lower()
        return text not in FALSE


def read_moment(name: str, text: str | None) -> datetime | None:
    """Read a time as databases and programs write it (ISO 8601). Raises `LeftOut`."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    except ValueError as error:
        raise LeftOut("unreadable", f"{name} is not a time such as 2026-01-31T12:00:00Z") from error


def key_of(value: object) -> str:
    """Return a primary key as text."""
    return value.hex() if isinstance(value, bytes) else str(value)
