"""The list of extensions in an application's file, with some put in or taken out."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from powauth.cli.writing.auths import MADE_BY, Made, calls
from powauth.cli.writing.imports import bring, drop
from powauth.cli.writing.kinds import Kind, place
from powauth.cli.writing.sources import Edit, Source, bound, imported
from powauth.extension import Extension

DELTA = "timedelta"


@dataclass(frozen=True, slots=True)
class Listing:
    """Where the list stands, and the kinds of what is in it, in order."""

    made: Made
    listed: tuple[type[Extension], ...]

    @property
    def source(self) -> Source:
        """The file."""
        return self.made.source

    def plus(self, kind: Kind) -> "Listing":
        """Return the same with an extension put in, and imported. Raises `Failure` where it cannot be placed."""
        return self._in(self._imported(kind)).with_call(kind)

    def with_call(self, kind: Kind) -> "Listing":
        """Return the same with an extension put in that is imported already."""
        local = bring(self.source, kind.module, kind.type.__name__)[0]
        text = f"{local}({', '.join(f'{name}={value}' for name, value in kind.settings.items())})"
        node, index = self.made.listed(), place(kind.type, self.listed)
        edits = self.made.first(text) if node is None else self._inserted(node, index, text)
        listed = (*self.listed[:index], kind.type, *self.listed[index:])
        return replace(self._in(self.source.edited(edits)), listed=listed)

    def _imported(self, kind: Kind) -> Source:
        source = self.source
        nodes = [node for value in kind.settings.values() for node in ast.walk(ast.parse(value))]
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        if DELTA in names and DELTA not in bound(source):
            source = source.edited(bring(source, "datetime", DELTA)[1])
        return source.edited(bring(source, kind.module, kind.type.__name__)[1])

    def _inserted(self, node: ast.List | ast.Tuple, index: int, text: str) -> list[Edit]:
        if len(node.elts) != len(self.listed):  # something is unpacked there: only the end is certain
            index = len(node.elts)
        return self.made.items(node).insert(index, text)

    def minus(self, kind: type[Extension]) -> "Listing":
        """Return the same with an extension taken out. Raises `Failure` where it is not to be seen."""
        node = self.made.listed()
        if node is None or len(node.elts) != len(self.listed):
            raise self.made.unplaceable(f"{kind.name} is not to be seen in its list of extensions")
        index = next(i for i, one in enumerate(self.listed) if one is kind)
        element = node.elts[index]
        edits = self.made.items(node).remove(index)
        local = element.func.id if isinstance(element, ast.Call) and isinstance(element.func, ast.Name) else ""
        if local in imported(self.source):
            edits += drop(self.source, local, besides=element)
        listed = (*self.listed[:index], *self.listed[index + 1 :])
        return replace(self._in(self.source.edited(edits)), listed=listed)

    def _in(self, source: Source) -> "Listing":
        """Return the same call in a file that was edited."""
        before = [call for _, call in calls(self.source, MADE_BY)]
        after = list(calls(source, MADE_BY))
        name, call = after[before.index(self.made.call)]
        return replace(self, made=Made(source, call, name))


def kinds_of(extensions: Sequence[Extension]) -> tuple[type[Extension], ...]:
    """Return what kinds of extensions these are."""
    return tuple(type(extension) for extension in extensions)
