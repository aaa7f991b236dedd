"""Source: a Python file that is edited in place: everything that is not meant keeps its bytes."""

import ast
import io
import tokenize
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from powauth.cli.failures import Failure

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes from `start` to `end` that become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and what it says."""

    path: Path
    data: bytes
    tree: ast.Module
    lines: tuple[int, ...]
    """Where each line starts, and where the last one ends."""

    @property
    def newline(self) -> str:
        """What its lines end with."""
        return "\r\n" if b"\r\n" in self.data else "\n"

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> tuple[int, int]:
        """Return where a node starts and ends, in bytes."""
        return (
            self.lines[node.lineno - 1] + node.col_offset,
            self.lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0),
        )

    def line_start(self, at: int) -> int:
        """Return where the line starts that something stands in."""
        return max(start for start in self.lines if start <= at)

    def next_line(self, at: int) -> int:
        """Return where the line after it starts; the end of the file, if there is none."""
        return min((start for start in self.lines if start > at), default=len(self.data))

    def edited(self, edits: Iterable[Edit]) -> "Source":
        """Return the same with these edits. Raises `Failure` when it would not compile any more."""
        data, last = self.data, len(self.data)
        for edit in sorted(edits, key=lambda each: each.start, reverse=True):
            if edit.end > last:
                raise Failure(f"{self.path}: two changes would overlap: make them by hand", code="unplaceable")
            data = data[: edit.start] + edit.text.replace("\n", self.newline).encode() + data[edit.end :]
            last = edit.start
        _compile(self.path, data)
        return parsed(self.path, data)


def read(path: Path) -> Source:
    """Return a file as it is. Raises `Failure` when it is no Python, or in an encoding other than UTF-8."""
    try:
        return parsed(path, path.read_bytes())
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}", code="unreadable") from error


def parsed(path: Path, data: bytes) -> Source:
    """Return bytes as a file of Python. Raises `Failure`."""
    skipped = len(BOM) if data.startswith(BOM) else 0
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        data.decode("utf-8")
    except (SyntaxError, UnicodeDecodeError) as error:
        raise _foreign(path) from error
    if encoding not in {"utf-8", "utf-8-sig"} or b"\r" in data.replace(b"\r\n", b""):
        raise _foreign(path)
    try:
        tree = ast.parse(data[skipped:])
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Failure(f"{path} is no Python that can be read: {error}", code="unreadable") from error
    starts = [skipped]
    for line in data[skipped:].splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return Source(path, data, tree, tuple(starts))


def _foreign(path: Path) -> Failure:
    return Failure(f"{path} is not UTF-8 with lines that end as usual: change it by hand", code="unreadable")


def _compile(path: Path, data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(data, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            message = f"{path}: what would be written is no Python ({error}), so nothing was: change it by hand"
            raise Failure(message, code="unplaceable") from error


# ---- names ----


def imported(source: Source) -> Mapping[str, str]:
    """Return what each name of the module stands for that an import brought: `Auth` is `powauth.Auth`."""
    found: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            tops = [a.name.partition(".")[0] for a in node.names if not a.asname]
            found |= {a.asname: a.name for a in node.names if a.asname} | dict(zip(tops, tops, strict=True))
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {a.asname or a.name: f"{module}.{a.name}" for a in node.names}
    return found


def dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    """Return what a name, or names with dots, stand for; nothing for any other expression."""
    if isinstance(node, ast.Name):
        starred = "powauth." if names.get("*") == "powauth.*" and node.id not in names else ""
        return names.get(node.id, starred + node.id)
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""


def bound(source: Source) -> set[str]:
    """Return every name that the module binds or uses, wherever in it."""
    found = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    found |= set(imported(source))
    nodes = list(ast.walk(source.tree))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return found | functions | {node.name for node in nodes if isinstance(node, ast.ClassDef)}
