"""`powauth eject`."""

from pathlib import Path
from typing import Any

import click

from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.failures import Failure, Misused
from powauth.cli.output import Output, json_option
from powauth.cli.upgraded import merge, show_difference
from powauth.jinja.eject import Ejected, Original, eject, originals, outdated
from powauth.routing import FormPage, Get


@click.command("eject")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "all_", is_flag=True, help="Copy every one.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("templates"),
    show_default=True,
    help="The folder to copy to.",
)
@click.option("--force", is_flag=True, help="Overwrite what stands there already.")
@click.option("--outdated", "mode", flag_value="outdated", help="List the copies whose original changed since.")
@click.option("--diff", "mode", flag_value="diff", help="Show what changed in their originals since.")
@click.option("--merge", "mode", flag_value="merge", help="Bring that into the copies, beside what you changed.")
@app_option
@json_option
def command(
    names: tuple[str, ...], *, all_: bool, into: Path, force: bool, mode: str | None, auth: Auth[Any], out: Output
) -> None:
    """Copy templates into the application, to change them.

    Without a name, lists what can be copied. Name one or several, such as sign_in/new.html; a folder of them, such as
    sign_in; or say --all. Then give JinjaTemplates the folder: Auth(templates=JinjaTemplates("templates")).

    Each copy remembers what it was made from, and the folder .powauth beside them how that read: keep both. After an
    upgrade, --outdated lists the copies whose original has changed, --diff shows what changed there, and --merge
    brings it into them, line by line; of some copies, or of all. Where a line was changed on both sides, both stand in
    the copy between <<<<<<< and >>>>>>>, and the command exits with 1. A copy as it was before is kept in .powauth.
    """
    known = originals_of(auth)
    if mode:
        meant = chosen(known, names) if names else known
        {"outdated": list_outdated, "diff": show_difference, "merge": merge}[mode](meant, into, out)
    elif names or all_:
        copied = [eject(original, into, force=force) for original in (known if all_ else chosen(known, names))]
        report(copied, out)
    else:
        rows = [{"name": original.name, "ejected": (into / original.name).exists()} for original in known]
        out.rows(rows, ("name", "ejected"))


def originals_of(auth: Auth[Any]) -> tuple[Original, ...]:
    """Return all that an application can eject: the theme, and a template for each of its pages and mails."""
    pages = [bound.code for bound in auth.plan.pages.values() if isinstance(bound.page, (Get, FormPage))]
    return originals(auth.plan.folders, pages=pages, mails=list(auth.plan.mail_kinds))


def chosen(known: tuple[Original, ...], names: tuple[str, ...]) -> tuple[Original, ...]:
    """Return the originals of these names, or below them. Raises `Misused`."""
    unknown = [name for name in names if not any(_is_meant(original, name) for original in known)]
    if unknown:
        message = f"nothing is called {', '.join(unknown)}: `powauth eject` lists what can be copied"
        raise Misused(message, code="unknown_template")
    return tuple(original for original in known if any(_is_meant(original, name) for name in names))


def _is_meant(original: Original, name: str) -> bool:
    return original.name == name or original.name.startswith(f"{name.rstrip('/')}/")


def report(copied: list[Ejected], out: Output) -> None:
    """Say what became of each. Raises `Failure` if some stood there already."""
    rows = [{"name": one.original.name, "path": str(one.path), "is_new": one.is_new} for one in copied]
    if out.as_json:
        out.json(rows)
    for one in copied if not out.as_json else ():
        out.say(f"{one.path}" if one.is_new else f"{one.path} stands there already")
    if not all(one.is_new for one in copied):
        raise Failure("what stood there already was left alone: --force overwrites it", code="exists")


def list_outdated(known: tuple[Original, ...], into: Path, out: Output) -> None:
    """List the copies whose original changed since, and exit with 1 if there are any."""
    rows = [{"name": original.name, "copied_from": made.version} for original, made in outdated(known, into)]
    out.rows(rows, ("name", "copied_from"), empty="every copy is up to date")
    if rows:
        raise Failure("--diff shows what changed, --merge brings it into the copies", code="outdated")
