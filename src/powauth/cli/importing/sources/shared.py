"""What the rows of several systems have in common."""

from collections.abc import Iterator

from powauth.cli.importing.newcomer import LeftOut, Remark
from powauth.cli.importing.rows import Row

DELETED = ("deleted_at", "discarded_at")
"""Where Rails, Ecto and their libraries (paranoia, discard) note that a row is gone although it is there."""


def refuse_deleted(row: Row) -> None:
    """Raise `LeftOut` for an account that its system takes as deleted."""
    for column in DELETED:
        if row.is_given(column):
            raise LeftOut("deleted", f"it was deleted: {column} is set")


def lost(row: Row, secrets: dict[str, str]) -> Iterator[Remark]:
    """Yield a remark for each column that holds something which is not taken over."""
    for column, says in secrets.items():
        if row.is_given(column):
            yield Remark("second_factor" if "factor" in says else "not_taken_over", says)
