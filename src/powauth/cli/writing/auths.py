"""Where an application makes its `Auth`: the file, the call, and the list of extensions in it."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from powauth.auth import Auth
from powauth.cli.failures import Failure
from powauth.cli.writing.changes import named
from powauth.cli.writing.items import Items, of_call, of_list
from powauth.cli.writing.sources import Edit, Source, dotted, imported, read

MADE_BY = frozenset({"powauth.Auth", "powauth.auth.Auth", "powauth.Auth.from_env", "powauth.auth.Auth.from_env"})
FOREIGN = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True, slots=True)
class Made:
    """A call that makes an `Auth`, and the name that it is given."""

    source: Source
    call: ast.Call
    name: str

    @property
    def place(self) -> str:
        """File and line, as people read them."""
        return f"{named(self.source.path, Path.cwd())}, line {self.call.lineno}"

    def listed(self) -> ast.List | ast.Tuple | None:
        """Return its list of extensions; `None` if it names none. Raises `Failure` for one that is no plain list."""
        given = next((k.value for k in self.call.keywords if k.arg == "extensions"), None)
        if given is None:
            if any(k.arg is None for k in self.call.keywords):
                raise self.unplaceable("its settings come by **, so its list of extensions is not to be seen there")
            return None
        if isinstance(given, ast.Name):
            given = self._assigned(given.id) or given
        if not isinstance(given, ast.List | ast.Tuple):
            raise self.unplaceable("its extensions are no list that is written there")
        return given

    def items(self, node: ast.List | ast.Tuple) -> Items:
        """Return the extensions as they are written."""
        return of_list(self.source, node)

    def first(self, text: str) -> list[Edit]:
        """Return the edits that give it a list of extensions."""
        arguments = of_call(self.source, self.call)
        return arguments.insert(len(arguments.spans), f"extensions=[{text}]")

    def unplaceable(self, why: str) -> Failure:
        """Return the failure to change it."""
        return Failure(f"{self.place}: {why}: change it by hand", code="unplaceable")

    def _assigned(self, name: str) -> ast.expr | None:
        found = [value for target, value in assignments(self.source.tree) if target == name and value is not None]
        return found[0] if len(found) == 1 else None


def assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Give every name that is assigned to, wherever in a module, and what it is given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def calls(source: Source, makers: frozenset[str]) -> Iterator[tuple[str, ast.Call]]:
    """Give every call of one of these, and the name that its result is given; empty if none."""
    names = imported(source)
    given = {value: target for target, value in assignments(source.tree) if value is not None}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _called(node.func, names) in makers:
            yield given.get(node, ""), node


def _called(function: ast.expr, names: Mapping[str, str]) -> str:
    inner = function.value if isinstance(function, ast.Subscript) else function  # Auth[User](...)
    return dotted(inner, names)


def made(auth: Auth[Any], root: Path) -> Made:
    """Return where a loaded `Auth` is made, among the files below `root`. Raises `Failure`."""
    loaded = _loaded(root)
    found = [(module, Made(source, call, name)) for module, source in loaded for name, call in calls(source, MADE_BY)]
    certain = [one for module, one in found if one.name and getattr(module, one.name, None) is auth]
    chosen = certain or [one for _, one in found]
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise Failure(f"no file below {root} makes this Auth with Auth(...): change it by hand", code="unplaceable")
    places = ", ".join(sorted(one.place for one in chosen))
    raise Failure(f"which Auth(...) is it? {places}: change it by hand", code="unplaceable")


def _loaded(root: Path) -> Iterator[tuple[object, Source]]:
    for module in list(sys.modules.values()):
        path = Path(getattr(module, "__file__", None) or "")
        if path.suffix == ".py" and is_own(path, root):
            source = read(path)
            if b"Auth" in source.data:
                yield module, source


def is_own(path: Path, root: Path) -> bool:
    """Say whether a file is the project's own: below its folder, and not installed there."""
    path = path.absolute()
    if not path.is_relative_to(root):
        return False
    return not FOREIGN.intersection(path.relative_to(root).parts)
