"""`powauth routes`."""

import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click

from powauth.auth import Auth
from powauth.cli.apps import app_option
from powauth.cli.output import Output, json_option
from powauth.limits import Limit
from powauth.pages import Page
from powauth.plan import Bound
from powauth.routing import ANYBODY, All, Requirement, as_post, methods, requirement

COLUMNS = ("methods", "path", "page", "requires", "limit", "marks")


@click.command("routes")
@app_option
@json_option
def command(auth: Auth[Any], out: Output) -> None:
    """List every page, what it asks of a session, and how often it may be used.

    Marks are what a page is besides: is_entrance, where people are sent who have to sign in; grants_bearer, whose JSON
    may ask for a token; is_dangerous, what cannot be undone; and every exception from the rules that hold for all. The
    page's name is extension.page, as in templates and messages.
    """
    mount = auth.plan.mount
    rows = [describe(bound, mount) for bound in auth.plan.pages.values()]
    out.rows(sorted(rows, key=lambda row: str(row["path"])), COLUMNS, empty="no extension serves a page")


def describe(bound: Bound, mount: str) -> dict[str, object]:
    """Return what is served."""
    page = bound.page
    post = as_post(page)
    limit = post.limit if post else None
    return {
        "methods": [method for method in ("GET", "POST") if method in methods(page)],
        "path": mount + page.path,
        "page": bound.code,
        "extension": bound.extension,
        "requires": required(requirement(page)),
        "limit": spoken(limit) if limit else None,
        "marks": list(marks(page)),
    }


def required(asked: Requirement) -> str:
    """Return in words what is asked of a session: `signed in`, `recent (age 0:05:00)`."""
    if isinstance(asked, All):
        return ", ".join(required(one) for one in asked.requirements) or "anybody"
    if asked == ANYBODY:
        return "anybody"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(asked).__name__).lower()
    values = [(field.name, getattr(asked, field.name)) for field in dataclasses.fields(asked)]
    settings = ", ".join(f"{name} {value}" for name, value in values if value not in ("", (), None))
    return f"{words} ({settings})" if settings else words


def spoken(limit: Limit) -> str:
    """Return a limit in words: `60 in 1 min by address`."""
    return f"{limit.times} in {span(limit.per)} by {limit.by}"


def span(time: timedelta) -> str:
    """Return a time in its largest unit that has no rest."""
    seconds = int(time.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def marks(page: Page) -> Iterator[str]:
    """Give the names of all that is true of a page and not of most: whatever is added to a kind of page shows here."""
    for field in dataclasses.fields(page):
        if getattr(page, field.name) is True:
            yield field.name
