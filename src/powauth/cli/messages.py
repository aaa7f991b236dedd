"""`powauth messages`."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from powauth.auth import Auth
from powauth.catalogues import TAG
from powauth.cli.apps import app_option
from powauth.cli.failures import Misused
from powauth.cli.output import Output, Row, json_option
from powauth.languages import ENGLISH, Languages

WRITING = "powauth.cli.catalogues"
"""The module that writes catalogues; it needs Babel, and nothing else does."""


@click.command("messages")
@click.option("--gaps", is_flag=True, help="List only what lacks words; exit with 1 if anything does.")
@click.option(
    "--extract",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a catalogue there, or bring it up to date: FOLDER/it/LC_MESSAGES/powauth.po.",
)
@click.option(
    "--language", "named", multiple=True, metavar="TAG", help="In these languages; in those that it offers by default."
)
@app_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, named: Sequence[str], *, gaps: bool, extract: Path | None, auth: Auth[Any], out: Output
) -> None:
    """List an application's messages and their words in each language; write catalogues.

    Those of its extensions are among them. What has no words in a language is shown in English there. A catalogue holds
    a line for every code, with the English words as a comment. What is left empty says what it said before; what was
    translated stays, marked fuzzy if the English words are others now: until somebody takes that mark off it is not
    compiled. Afterwards compile it: pybabel compile -D powauth -d FOLDER, or msgfmt.
    """
    languages = auth.plan.languages
    asked = tuple(named) or languages.offered
    for tag in asked:
        if not TAG.fullmatch(tag):
            raise Misused(f"{tag!r} is no language: write it as de, or as pt-BR", code="usage")
    if extract is not None:
        _extract(languages, extract, tuple(tag for tag in asked if named or tag != ENGLISH), out)
        return
    rows = [row for row in listed(languages, asked) if not gaps or row["gaps"]]
    columns = ("code", "gaps") if gaps else ("code", *asked)
    out.rows(rows if out.as_json else [_flat(row) for row in rows], columns, empty="every message has words")
    if gaps and rows:
        ctx.exit(1)


def listed(languages: Languages, asked: Sequence[str]) -> list[Row]:
    """Return every code with its words in these languages; `None` where English stands in."""
    said = {tag: languages.said(tag) for tag in asked}
    return [
        {
            "code": code,
            "words": {tag: said[tag].get(code) for tag in asked},
            "gaps": [tag for tag in asked if code not in said[tag]],
        }
        for code in languages.codes
    ]


def _flat(row: Row) -> Row:
    words: Any = row["words"]
    return {**row, **words}


def _extract(languages: Languages, folder: Path, asked: Sequence[str], out: Output) -> None:
    try:
        writing = importlib.import_module(WRITING)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("powauth"):
            raise
        raise Misused(f"--extract needs {error.name}: pip install 'powauth[messages]'", code="usage") from error
    rows: list[Row] = [writing.extract(languages, folder, tag) for tag in asked]
    out.rows(rows, ("path", "codes", "missing", "unsure", "obsolete"))
