"""What commands that write have in common: the options to see and to agree, and what they say in the end."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from powauth.cli.output import Output
from powauth.cli.writing.changes import Answer, Change, difference, named, settle

C = TypeVar("C", bound=Callable[..., Any])


def write_options(command: C) -> C:
    """Give a command `--yes` and `--diff`, as its argument `answer`."""
    diff = click.option("--diff", "answer", is_flag=True, callback=_answer, help="Only show what would be written.")
    yes = click.option("--yes", is_flag=True, is_eager=True, expose_value=False, callback=_yes, help="Do not ask.")
    return yes(diff(command))


def _yes(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001, FBT001  the shape of a call-back
    ctx.meta[__name__] = value


def _answer(ctx: click.Context, param: click.Parameter, value: bool) -> Answer:  # noqa: ARG001, FBT001  the same
    return Answer(yes=bool(ctx.meta.get(__name__)), only_diff=value)


def finish(changes: Sequence[Change], root: Path, answer: Answer, out: Output, *, then: Sequence[str] = ()) -> None:
    """Show, ask and write; say what was written, and what is left to do by hand."""
    written = settle(changes, root, answer, out)
    wanted = [change for change in changes if change.before != change.after]
    if out.as_json:
        names = [named(change.path, root) for change in wanted]
        out.json({"written": written, "files": names, "diff": difference(wanted, root), "then": list(then)})
        return
    if not wanted:
        out.say("nothing to change")
    for change in wanted if written else ():
        out.say(f"{_done(change)} {named(change.path, root)}")
    for step in then:
        out.say(f"\n{step}" if "\n" in step else step)


def _done(change: Change) -> str:
    return "deleted" if change.after is None else "wrote" if change.before is None else "changed"
