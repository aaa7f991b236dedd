"""Changes: files that are written anew, made or deleted, after somebody saw and wanted that."""

import difflib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from powauth.cli.failures import Failure, Misused
from powauth.cli.output import Output, shown

WRITABLE = 0o222


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it is, and as it shall be; `None` where there is none."""

    path: Path
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody wants to happen."""

    yes: bool
    only_diff: bool


def settle(changes: Sequence[Change], root: Path, answer: Answer, out: Output) -> bool:
    """Show the changes, ask whether they are wanted, and write them. Say whether that was done.

    Raises `Failure` when one leads out of `root`, or a file is another than what was shown.
    """
    wanted = [change for change in changes if change.before != change.after]
    for change in wanted:
        _check(change, root)
    for line in difference(wanted, root).splitlines():
        out.say_raw(line)
    if answer.only_diff or not wanted:
        return False
    if not answer.yes:
        _ask(out)
    write(wanted, root)
    return True


def _ask(out: Output) -> None:
    if out.as_json:
        raise Misused("a program has to say --yes or --diff: nobody is there to ask", code="unanswered")
    click.confirm("Write this?", abort=True)


def difference(changes: Sequence[Change], root: Path) -> str:
    """Return what would change, as a unified diff."""
    return "".join(_diff(change, root) for change in changes)


def _diff(change: Change, root: Path) -> str:
    name = named(change.path, root)
    lines = difflib.unified_diff(
        _lines(change.before),
        _lines(change.after),
        "/dev/null" if change.before is None else f"a/{name}",
        "/dev/null" if change.after is None else f"b/{name}",
        lineterm="",
    )
    return "".join("\t".join(map(shown, line.split("\t"))) + "\n" for line in lines)


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "replace").replace("\r\n", "\n").splitlines()


def named(path: Path, root: Path) -> str:
    """Return a path as people read it."""
    with suppress(ValueError):
        return path.resolve().relative_to(root.resolve()).as_posix()
    return str(path)


# ---- writing ----


def write(changes: Sequence[Change], root: Path) -> None:
    """Write all, or nothing: each file is written beside its place and then put there. Raises `Failure`."""
    for change in changes:
        _check(change, root)
    done: list[Change] = []
    try:
        for change in changes:
            _put(change.path.resolve(), change.after)
            done.append(change)
    except OSError as error:
        for change in reversed(done):
            _put(change.path.resolve(), change.before)
        raise Failure(f"{error.filename} cannot be written: {error.strerror}", code="unwritable") from error


def _check(change: Change, root: Path) -> None:
    path = change.path.resolve()  # a link may lead anywhere
    if not path.is_relative_to(root.resolve()):
        message = f"{change.path} leads to {path}, outside of {root.resolve()}: nothing was written"
        raise Failure(message, code="outside")
    try:
        now = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise Failure(f"{change.path} cannot be read: {error.strerror}", code="unreadable") from error
    if now != change.before:
        message = f"{change.path} was changed meanwhile" if change.before is not None else f"{change.path} stands there"
        raise Failure(f"{message}: nothing was written, try again", code="changed")
    if now is not None and not path.stat().st_mode & WRITABLE:
        raise Failure(f"{change.path} is read-only: nothing was written", code="unwritable")


def _put(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:  # cut off: what was there stays, and nothing lies about
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
