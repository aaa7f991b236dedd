"""Output: what a command says, as tables for people or as JSON for programs."""

import json
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from powauth.cli.failures import JSON

WIDE = 200  # columns, where no terminal says how many it has

C = TypeVar("C", bound=Callable[..., Any])

Row = Mapping[str, object]


class Output:
    """Writes to standard output what was asked for, and to standard error what is beside it."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def rows(self, rows: Sequence[Row], columns: Sequence[str], *, title: str = "", empty: str = "none") -> None:
        """Write rows: a list of objects, or a table with these columns of them."""
        if self.as_json:
            self.json(rows)
        elif rows:
            self.table(rows, columns, title=title)
        else:
            click.echo(empty)

    def table(self, rows: Sequence[Row], columns: Sequence[str], *, title: str = "") -> None:
        """Write a table for people."""
        table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(Text(shown(row.get(column))) for column in columns))
        _console().print(table)

    def fields(self, data: Row) -> None:
        """Write one thing: an object, or a line for each of its fields."""
        if self.as_json:
            self.json(data)
            return
        widest = max(map(len, data), default=0)
        for name, value in data.items():
            click.echo(f"{name.replace('_', ' '):<{widest}}  {shown(value)}".rstrip())

    def done(self, data: Row, sentence: str) -> None:
        """Write what was done: an object, or a sentence."""
        if self.as_json:
            self.json(data)
        else:
            click.echo(shown(sentence))

    def json(self, data: object) -> None:
        """Write data as JSON."""
        click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))

    def say(self, text: str = "") -> None:
        """Write a line for people; programs are spared it."""
        if not self.as_json:
            click.echo(shown(text))

    def say_raw(self, line: str) -> None:
        """Write a line for people that was made harmless already, its tabs as they are."""
        if not self.as_json:
            click.echo(line)

    def warn(self, text: str) -> None:
        """Write a line beside what was asked for."""
        click.echo(f"Warning: {shown(text)}", err=True)

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """Show on a terminal how far long work is, of a total if it is known; the call-back adds to what is done."""
        console = Console(stderr=True)
        if not console.is_terminal:
            yield lambda _: None
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda count: progress.advance(task, count)


def json_option(command: C) -> C:
    """Give a command its `Output`, as its argument `out`."""
    option = click.option("--json", "out", is_flag=True, is_eager=True, callback=_output, help="Write JSON.")
    return option(command)


def _output(ctx: click.Context, param: click.Parameter, value: bool) -> Output:  # noqa: ARG001, FBT001  the shape of a call-back
    ctx.meta[JSON] = value
    return Output(as_json=value)


def shown(value: object) -> str:
    """Return a value as people read it. What would steer their terminal is made visible."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, _things(value))) or "-"
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in str(value))


def _console() -> Console:
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False)


def _things(values: Any) -> list[object]:  # noqa: ANN401  a list of anything
    return list(values)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(value)
