"""`powauth add`."""

from collections.abc import Sequence
from pathlib import Path

import click

from powauth.cli.apps import load, named_option
from powauth.cli.failures import Misused
from powauth.cli.output import Output, json_option
from powauth.cli.writing import migrations
from powauth.cli.writing.auths import made
from powauth.cli.writing.changes import Answer, Change
from powauth.cli.writing.kinds import Kind, kind, with_needed
from powauth.cli.writing.listing import Listing, kinds_of
from powauth.cli.writing.rehearsal import Drawn, rehearse
from powauth.cli.writing.reports import finish, write_options

TABLES = "its tables are {}: make them by your migrations, or by create_tables()"


@click.command("add")
@click.argument("names", nargs=-1, required=True, metavar="EXTENSION...")
@click.option("--setting", "settings", multiple=True, metavar="NAME=VALUE", help="A setting, as in Python.")
@write_options
@named_option
@json_option
def command(names: tuple[str, ...], *, settings: tuple[str, ...], answer: Answer, app: str, out: Output) -> None:
    """Add extensions to an application: import, list and migration, shown before they are written.

    Name one that ships, such as reset_password, or any other as package.module:Class. What it requires is added as
    well, and it is put where it has to stand. The application is tried with it first: what Auth would refuse is not
    written.

    With Alembic, its tables get a migration of their own, as they are in the metadata; no database is needed for that.
    """
    if settings and len(names) > 1:
        raise Misused("--setting is for one extension: add them one after the other", code="setting")
    root = Path.cwd()
    auth = load(app)
    before = Listing(made(auth, root), kinds_of(auth.extensions))
    wanted = [kind(name, settings) for name in names]
    after = _with(before, wanted)
    history = migrations.found(root)
    source = Change(after.source.path, before.source.data, after.source.data)
    draws = _news(before, after, wanted)
    drawn = rehearse(app, {source.path: after.source.data}, draws=draws, renders=bool(history))
    if history is None:
        tables = ", ".join(table.table for table in drawn)
        finish([source], root, answer, out, then=[TABLES.format(tables)] if tables else [])
        return
    migration = migration_of(history, drawn, names)
    then = ["then: alembic upgrade head"] if migration else []
    finish([*migration, source], root, answer, out, then=then)


def _with(listing: Listing, wanted: Sequence[Kind]) -> Listing:
    for one in wanted:
        if any(listed.name == one.name for listed in listing.listed):
            continue
        for added in with_needed(one, listing.listed):
            missing = added.missing()
            if missing:
                message = f"{added.name} needs {', '.join(missing)}: add it with --setting {missing[0]}=…"
                raise Misused(message, code="setting")
            listing = listing.plus(added)
    return listing


def _news(before: Listing, after: Listing, wanted: Sequence[Kind]) -> list[str]:
    """Return the extensions whose tables have to be there: what was added now, and what was asked for."""
    asked = {one.name for one in wanted}
    return [one.name for one in after.listed if one not in before.listed or one.name in asked]


def migration_of(history: migrations.Migrations, drawn: Sequence[Drawn], names: Sequence[str]) -> list[Change]:
    """Return the migration that makes the tables that no other makes yet; none if there are none."""
    known = {table for revision in history.revisions() for table in revision.tables}
    missing = [table for table in drawn if table.table not in known]
    if not missing:
        return []
    message = "add " + " ".join(name.rpartition(":")[2].rpartition(".")[2] for name in names)
    upgrade = "\n".join(table.upgrade for table in missing)
    downgrade = "\n".join(table.downgrade for table in reversed(missing))
    imports = sorted({line for table in missing for line in table.imports})
    return [history.written(message, upgrade, downgrade, imports)]
