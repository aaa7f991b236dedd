"""Moving: all accounts of another system, read twice: once for who claims which name, once to be written."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from powauth.cli.importing.claims import Claims
from powauth.cli.importing.fitting import Fitted, Fitting
from powauth.cli.importing.journal import Journal
from powauth.cli.importing.newcomer import LeftOut, Newcomer, Remark
from powauth.cli.importing.report import Report
from powauth.cli.importing.rows import Row, key_of
from powauth.cli.importing.source import Beside, Options, Source
from powauth.cli.importing.tables import LINE, Tables
from powauth.cli.importing.writing import Written

Page = list[Newcomer | Remark]
Advance = Callable[[int], None]
Write = Callable[[Sequence[Fitted]], Awaitable[Written]]
Late = Callable[[Sequence[Newcomer]], Awaitable[tuple[int, list[Remark]]]]


@dataclass(frozen=True, slots=True)
class Totals:
    """How an import ended."""

    read: int
    taken_over: int
    already: int
    """Taken over by an earlier run with the same journal."""
    left_out: int
    identities: int = 0
    """By which their owners can sign in here."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The newcomers of a source."""

    source: Source
    tables: Tables
    options: Options
    renamed: Mapping[str, str]
    """By the name that the source expects, the name of the column that there is."""
    proved: str | None
    """A column that proves an address, if the source knows of none."""
    size: int

    async def pages(self) -> AsyncIterator[Page]:
        """Yield newcomers in pages, and a remark for each row that is left out."""
        async for page in self.tables.pages(self.size):
            yield [self._read(row, beside) for row, beside in page]

    def _read(self, row: Row, beside: Beside) -> Newcomer | Remark:
        row = Row({**row, **{ours: row.get(theirs) for ours, theirs in self.renamed.items()}})
        key = self._key(row)
        try:
            newcomer = self.source.read(key, row, beside, self.options)
            if self.proved is not None and row.is_given(self.proved):
                return replace(newcomer, is_proved=True, proved_at=moment(row, self.proved))
            return newcomer
        except LeftOut as left:
            return Remark(left.code, left.says, "left_out", key)

    def _key(self, row: Row) -> str:
        if self.tables.accounts.key != LINE:
            return key_of(row[self.tables.accounts.key])
        named = row.get("id") or row.get("email") or row.get("username")
        return key_of(named) if named else f"line {row[LINE]}"


def moment(row: Row, column: str) -> datetime | None:
    """Return when an address was proved, if the column that proves it is a time."""
    try:
        return row.moment(column)
    except LeftOut:
        return None


async def claims_of(reading: Reading, advance: Advance) -> Claims:
    """Return who claims which name."""
    claims = Claims()
    async for page in reading.pages():
        claims.add([one for one in page if isinstance(one, Newcomer)])
        advance(len(page))
    claims.close_list()
    return claims


@dataclass(frozen=True, slots=True)
class Moving:
    """How accounts are taken over, or how it is found out what would become of them."""

    fitting: Fitting
    journal: Journal
    write: Write
    late: Late
    """What is done of those who were taken over before."""


async def move(reading: Reading, moving: Moving, report: Report, advance: Advance) -> Totals:
    """Take over all accounts."""
    totals = Totals(0, 0, 0, 0)
    async for page in reading.pages():
        known = [one for one in page if isinstance(one, Newcomer) and moving.journal.is_done(one.key)]
        fresh = [one for one in page if isinstance(one, Remark) or not moving.journal.is_done(one.key)]
        fitted, remarks = fit(moving.fitting, fresh)
        written = await moving.write(fitted)
        connected, said = await moving.late(known)
        of_made = [remark for one in written.made for remark in one.remarks]
        report.add([*remarks, *written.refused.values(), *of_made, *said])
        totals = Totals(
            read=totals.read + len(page),
            taken_over=totals.taken_over + len(written.made),
            already=totals.already + len(known),
            left_out=totals.left_out + len(fresh) - len(written.made),
            identities=totals.identities + connected + sum(len(one.identities) for one in written.made),
        )
        advance(len(page))
    return totals


def fit(fitting: Fitting, page: Sequence[Newcomer | Remark]) -> tuple[list[Fitted], list[Remark]]:
    """Return the accounts that can be made, and what is said of those that cannot."""
    fitted: list[Fitted] = []
    remarks: list[Remark] = []
    for one in page:
        if isinstance(one, Remark):
            remarks.append(one)
            continue
        try:
            fitted.append(fitting.fit(one))
        except LeftOut as left:
            remarks.append(Remark(left.code, left.says, "left_out", one.key))
    return fitted, remarks
