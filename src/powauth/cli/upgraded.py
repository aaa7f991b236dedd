"""What became of templates after an upgrade: shown, and brought into the copies that were made of them."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from powauth.cli.failures import Failure
from powauth.cli.output import Output, shown
from powauth.cli.writing.changes import Change, write
from powauth.jinja.eject import MEMORY, Origin, Original, base, body, headed, memory, outdated, version
from powauth.jinja.merging import Merged, Names, has_conflicts
from powauth.jinja.merging import merge as merged


def show_difference(known: tuple[Original, ...], into: Path, out: Output) -> None:
    """Show what changed in the originals of the copies since they were made. Raises `Failure` where nobody knows."""
    rows: list[dict[str, object]] = []
    for original, made in outdated(known, into):
        before = base(original, into)
        diff = None if before is None else _diff(before, original, made)
        rows.append({"name": original.name, "copied_from": made.version, "diff": diff})
    if out.as_json:
        out.json(rows)
    elif not rows:
        out.say("every copy is up to date")
    for row in rows:
        for line in str(row["diff"] or "").splitlines():
            out.say_raw("\t".join(map(shown, line.split("\t"))))
    _need([str(row["name"]) for row in rows if not row["diff"]], into)


def _diff(before: str, original: Original, made: Origin) -> str:
    names = (f"{original.name} ({made.version})", f"{original.name} ({version()})")
    lines = difflib.unified_diff(before.splitlines(), original.text.splitlines(), *names, lineterm="")
    return "\n".join(lines)


def merge(known: tuple[Original, ...], into: Path, out: Output) -> None:
    """Bring into the copies what changed in their originals. Raises `Failure` for conflicts, once all is written."""
    rows: list[dict[str, object]] = []
    left: list[str] = []
    waiting = [original.name for original, _ in outdated(known, into) if has_conflicts(_read(into / original.name))]
    if waiting:
        message = f"{', '.join(waiting)}: conflicts of an earlier merge are in it yet: choose there first"
        raise Failure(message, code="conflicts")
    for original, made in outdated(known, into):
        before = base(original, into)
        if before is None:
            left.append(original.name)
            continue
        result = _merge(original, made, before, into)
        rows.append({"name": original.name, "path": str(into / original.name), "conflicts": list(result.conflicts)})
    _report(rows, out)
    _need(left, into)
    if any(row["conflicts"] for row in rows):
        message = "where <<<<<<< stands, both sides changed the same: choose there, and take the marks out"
        raise Failure(message, code="conflicts")


def _merge(original: Original, made: Origin, before: str, into: Path) -> Merged:
    path = into / original.name
    yours = _read(path)
    names = Names("yours", f"Powauth {made.version}", f"Powauth {version()}")
    result = merged(before, body(yours), original.text, names)
    text = headed(original, result.text)
    if "\r\n" in yours:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    kept, remembered = into / MEMORY / "yours" / original.name, memory(original.name, original.digest, into)
    changed = Change(path, yours.encode(), text.encode())
    write([_written(kept, yours), _written(remembered, original.text), changed], into)
    memory(original.name, made.digest, into).unlink(missing_ok=True)
    return Merged(text, tuple(line + 1 for line in result.conflicts))  # below the line that says what it was made from


def _written(path: Path, text: str) -> Change:
    return Change(path, path.read_bytes() if path.is_file() else None, text.encode())


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is no UTF-8: change it by hand", code="unreadable") from error


def _report(rows: Sequence[dict[str, object]], out: Output) -> None:
    if out.as_json:
        out.json(rows)
    elif not rows:
        out.say("nothing to merge")
    for row in rows:
        conflicts = row["conflicts"]
        lines = f": conflicts at line {shown(conflicts)}" if conflicts else ""
        out.say(f"{row['path']}{lines}")


def _need(names: Sequence[str], into: Path) -> None:
    if names:
        message = (
            f"{', '.join(names)}: what it was made from is not in {into / MEMORY}: compare with a new copy, by --into"
        )
        raise Failure(message, code="forgotten")
