"""`powauth remove`."""

from collections.abc import Sequence
from pathlib import Path

import click

from powauth.cli.apps import load, named_option
from powauth.cli.failures import Misused
from powauth.cli.output import Output, json_option
from powauth.cli.writing import migrations
from powauth.cli.writing.auths import made
from powauth.cli.writing.changes import Answer, Change
from powauth.cli.writing.listing import Listing, kinds_of
from powauth.cli.writing.migrations import Migrations, Revision
from powauth.cli.writing.rehearsal import Drawn, rehearse
from powauth.cli.writing.reports import finish, write_options
from powauth.extension import Extension

STAY = "{} stay as they are, with all that is in them: --drop-data writes a migration that drops them"

FORGET = "op.execute(\"DELETE FROM {table} WHERE name = '{record}'\")"  # or a table made anew would count as upgraded


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="EXTENSION...")
@click.option("--drop-data", is_flag=True, help="Write a migration that drops its tables, too.")
@write_options
@named_option
@json_option
def command(names: tuple[str, ...], *, drop_data: bool, answer: Answer, app: str, out: Output) -> None:
    """Take extensions out of an application again: what `powauth add` did, backwards.

    What others require cannot be taken out. Tables stay, with all that is in them: added again, the extension goes on
    with them. With --drop-data a migration is written that drops them. A migration that made them and that the
    database has not seen is deleted.
    """
    root = Path.cwd()
    auth = load(app)
    before = Listing(made(auth, root), kinds_of(auth.extensions))
    kinds = [_listed(name, before) for name in names]
    after = before
    for kind in kinds:
        after = after.minus(kind)
    history = migrations.found(root)
    drawn = rehearse(app, {}, draws=[kind.name for kind in kinds], renders=bool(history))
    rehearse(app, {after.source.path: after.source.data})
    source = Change(after.source.path, before.source.data, after.source.data)
    undone, then = _undone(history, drawn, [kind.name for kind in kinds], drop_data=drop_data)
    if drop_data and drawn:
        out.warn(f"all rows of {', '.join(table.table for table in drawn)} will be lost: make a copy first")
    finish([source, *undone], root, answer, out, then=then)


def _listed(name: str, listing: Listing) -> type[Extension]:
    last = name.rpartition(":")[2].rpartition(".")[2]
    found = [one for one in listing.listed if one.name == name or (last != name and last in {one.name, one.__name__})]
    if len(found) != 1:
        names = ", ".join(one.name for one in listing.listed)
        raise Misused(f"{name} is not enabled: {names or 'no extension is'}", code="no_extension")
    return found[0]


def _undone(
    history: Migrations | None, drawn: Sequence[Drawn], names: Sequence[str], *, drop_data: bool
) -> tuple[list[Change], list[str]]:
    """Return what becomes of the migrations, and what to say about it."""
    if not drawn:
        return [], []
    tables = {table.table for table in drawn}
    if history is None:
        return [], [f"{', '.join(sorted(tables))} stay as they are: drop them by hand, if nobody wants what is in them"]
    unseen = _unseen(history, tables)
    rest = [table for table in drawn if not any(table.table in revision.tables for revision in unseen)]
    changes = [Change(revision.path, revision.path.read_bytes(), None) for revision in unseen]
    if rest and drop_data:
        return [*changes, _dropping(history, rest, names)], ["then: alembic upgrade head"]
    stay = ", ".join(table.table for table in rest)
    return changes, [STAY.format(stay)] if stay else []


def _unseen(history: Migrations, tables: set[str]) -> list[Revision]:
    """Return the revisions that did nothing but make these tables, that nothing builds on and no database has seen."""
    heads = [one for one in history.revisions() if one.is_head and one.tables <= tables]
    candidates = [one for one in heads if one.only_makes(one.tables)]
    applied = history.applied() if candidates else None
    return [] if applied is None else [one for one in candidates if one.id not in applied]


def _dropping(history: Migrations, rest: Sequence[Drawn], names: Sequence[str]) -> Change:
    drops = [table.downgrade for table in reversed(rest)]
    forget = [FORGET.format(table=table.versions, record=table.record) for table in rest]
    makes = "\n".join(table.upgrade for table in rest)
    imports = sorted({line for table in rest for line in table.imports})
    return history.written(f"remove {' '.join(names)}", "\n".join([*drops, *forget]), makes, imports)
