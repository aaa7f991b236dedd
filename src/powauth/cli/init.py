"""`powauth init`."""

import os
import secrets
from collections import Counter
from pathlib import Path

import click

from powauth.cli.failures import Failure, Misused
from powauth.cli.output import Output, json_option
from powauth.cli.starting import Start, begun
from powauth.cli.writing.changes import Answer
from powauth.cli.writing.projects import Survey, Thing, module_name, module_root, survey
from powauth.cli.writing.rehearsal import rehearse
from powauth.cli.writing.reports import finish, write_options

SECRET = "AUTH_SECRET"


@click.command("init")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path())
@click.option("--app", metavar="MODULE:NAME", help="The application, where there are several.")
@click.option("--module", default="auth", show_default=True, help="What the new file is called, without .py.")
@click.option("--untried", is_flag=True, help="Write even if the application cannot be imported here.")
@write_options
@json_option
def command(path: Path, *, app: str | None, module: str, untried: bool, answer: Answer, out: Output) -> None:
    """Put sign-up and sign-in into an existing FastAPI or Starlette project.

    Writes one new file with the Auth, beside the application's, and puts install() behind the application. The
    project's own base class, user model and sessions are used where it has them. Nothing is run to find them.

    All is shown before it is written, and the application is tried with it first. What is there already stays as it
    is, so a second run changes nothing. What could not be placed is printed, with the file where it belongs. No secret
    is written: it comes from the environment.
    """
    root = path.resolve()
    found = survey(root)
    chosen = _chosen(found, app, root)
    start = begun(chosen, found, root, module)
    if not untried:
        _try(start)
    finish(start.changes, root, answer, out, then=[*start.left, *_secret(), *start.then])


def _chosen(found: Survey, app: str | None, root: Path) -> Thing:
    short = Counter(_named(thing, root) for thing in found.apps)
    names = {_named(thing, root, whole=short[_named(thing, root)] > 1): thing for thing in found.apps}
    if not names:
        message = f"there is no FastAPI() or Starlette() in {root}: name the folder where the application is made"
        raise Misused(message, code="no_app")
    if app is not None and app not in names:
        raise Misused(f"{app} is no application here: {', '.join(names)}", code="no_app")
    if app is None and len(names) > 1:
        raise Misused(f"which application? Say --app with one of {', '.join(names)}", code="no_app")
    return names[app or next(iter(names))]


def _named(app: Thing, root: Path, *, whole: bool = False) -> str:
    module = module_name(app.source.path, root if whole else module_root(app.source, root))
    return f"{module}:{app.inside or app.name}"


def _try(start: Start) -> None:
    """Load the application with what would be written. Raises `Failure` with what speaks against it."""
    environment = {} if os.environ.get(SECRET) else {SECRET: secrets.token_urlsafe(32)}  # for this try alone
    sources = {change.path: change.after for change in start.changes if change.after is not None}
    try:
        rehearse(start.app, sources, start=start.folder, environment=environment)
    except Failure as failure:
        if failure.code == "configuration":
            raise
        more = "nothing was written: mend that, or set the variables that it needs; --untried writes all the same"
        raise Failure(*failure.sentences, more, code=failure.code) from failure


def _secret() -> list[str]:
    return [] if os.environ.get(SECRET) else [f'then: export {SECRET}="$(powauth secret)"']
