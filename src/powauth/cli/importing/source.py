"""Source: how the tables of one system become newcomers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from powauth.cli.importing.newcomer import Newcomer, Remark
from powauth.cli.importing.rows import Row

Beside = Mapping[str, Sequence[Row]]
"""The rows of each further table that belong to one account, by the name of what they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a source may be told by whoever runs the import."""

    is_single_hash: bool = False
    """Flask-Security's SECURITY_PASSWORD_SINGLE_HASH."""


@dataclass(frozen=True, slots=True)
class Join:
    """A table of names behind a table of pairs: roles behind the roles of accounts."""

    table: str
    """The table of names."""
    to: str
    """The column of the pairs that points to it."""


@dataclass(frozen=True, slots=True)
class Further:
    """A table whose rows belong to accounts. It may be missing: its feature was not used."""

    table: str
    """Its name, in which `{table}` stands for that of the accounts."""
    owner: str
    """The column that points to the account; if there is none, the only other one of a table of pairs does."""
    join: Join | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One system that people move from."""

    name: str
    table: str
    """Where its accounts are, unless `--table` says otherwise."""
    needs: tuple[str, ...]
    """The columns without which it is some other table."""
    read: Callable[[str, Row, Beside, Options], Newcomer]
    """Makes a newcomer of a key and its rows. Raises `LeftOut`."""
    further: Mapping[str, Further] = field(default_factory=dict[str, Further])
    ignored: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tables that are not taken over if they are there, and what is said of each."""

    def remarks(self, tables: Sequence[str]) -> list[Remark]:
        """Return what is not taken over of anybody."""
        return [Remark("not_taken_over", says, "note") for table, says in self.ignored.items() if table in tables]
