"""Items: what stands in brackets, put in and taken out as a person would, in the manner of what is there."""

import ast
from dataclasses import dataclass

from powauth.cli.failures import Failure
from powauth.cli.writing.sources import Edit, Source

INDENT = "    "


@dataclass(frozen=True, slots=True)
class Items:
    """The items between an opening bracket and its closing one."""

    source: Source
    open: int
    """Behind the opening bracket."""
    close: int
    """Before the closing one."""
    spans: tuple[tuple[int, int], ...]
    is_tuple: bool = False

    def insert(self, index: int, text: str) -> list[Edit]:
        """Return the edits that put an item before the one with this index, or at the end."""
        if not self.spans:
            return [self._only(text)]
        is_last = index == len(self.spans)
        before = self.spans[index - 1][1] if index else self.open
        beside = self.spans[index - 1 if is_last else index][0]
        comma = self._comma(before, self.close if is_last else beside) if index else None
        follows = before if comma is None else comma + 1
        if self._stands_alone(beside) and self._ends_line(follows):
            indent = self.source.data[self.source.line_start(beside) : beside].decode()
            at = self.source.next_line(follows)
            if is_last and comma is None:
                return [Edit(before, before, ","), Edit(at, at, f"{indent}{text}\n")]
            return [Edit(at, at, f"{indent}{text},\n")]
        if not is_last:
            return [Edit(beside, beside, f"{text}, ")]
        return [Edit(before, before, f", {text}")] if comma is None else [Edit(follows, follows, f" {text},")]

    def remove(self, index: int) -> list[Edit]:
        """Return the edits that take an item out."""
        return [*self._without(index), *self._kept_tuple(index)]

    def _kept_tuple(self, index: int) -> list[Edit]:
        """Return the comma without which a tuple with one item left is none."""
        if not self.is_tuple or len(self.spans) != 2 or self._comma(self.spans[1][1], self.close) is not None:
            return []
        alone = self._stands_alone(self.spans[index][0])  # then the comma behind the first stays as it is
        at = self.spans[1][1]
        return [] if index and alone and self._ends_line(at) else [Edit(at, at, ",")]

    def _without(self, index: int) -> list[Edit]:
        start, end = self.spans[index]
        is_last = index == len(self.spans) - 1
        comma = self._comma(end, self.close if is_last else self.spans[index + 1][0])
        follows = end if comma is None else comma + 1
        if self._stands_alone(start) and self._ends_line(follows):
            edits = [Edit(self.source.line_start(start), self.source.next_line(follows), "")]
            before = self._comma(self.spans[index - 1][1], start) if index else None
            if is_last and comma is None and before is not None and not (self.is_tuple and index == 1):
                edits.append(Edit(before, before + 1, ""))
            return edits
        if not is_last:
            return [Edit(start, self.spans[index + 1][0], "")]
        if not index:
            return [Edit(start, follows, "")]
        return [Edit(self.spans[index - 1][1], end, "")]

    def _only(self, text: str) -> Edit:
        line = self.source.line_start(self.close)
        if line > self.open and self._stands_alone(self.close):
            indent = self.source.data[line : self.close].decode()
            return Edit(line, line, f"{indent}{INDENT}{text},\n")
        return Edit(self.close, self.close, f"{text}," if self.is_tuple else text)

    def _stands_alone(self, at: int) -> bool:
        """Say whether nothing stands before it in its line."""
        return not self.source.data[self.source.line_start(at) : at].strip()

    def _ends_line(self, at: int) -> bool:
        """Say whether nothing but a comment follows in the line, and the bracket closes further down."""
        end = self.source.next_line(at)
        rest = self.source.data[at:end].strip()
        return end <= self.close and (not rest or rest.startswith(b"#"))

    def _comma(self, start: int, end: int) -> int | None:
        """Return where the comma stands between two items. Raises `Failure` when there is more than that."""
        found, at, data = None, start, self.source.data
        while at < end:
            if data[at : at + 1] == b"#":
                at = self.source.next_line(at)
                continue
            if data[at : at + 1] == b"," and found is None:
                found = at
            elif data[at : at + 1].strip() and data[at : at + 1] != b"\\":
                raise Failure(f"{self.source.path}: this list is too unusual: change it by hand", code="unplaceable")
            at += 1
        return found


def of_list(source: Source, node: ast.List | ast.Tuple) -> Items:
    """Return the items of a list, or of a tuple in parentheses. Raises `Failure` for one without."""
    start, end = source.span(node)
    if source.data[start : start + 1] not in {b"[", b"("} or source.data[end - 1 : end] not in {b"]", b")"}:
        raise Failure(f"{source.path}, line {node.lineno}: put this tuple into parentheses", code="unplaceable")
    spans = tuple(source.span(item) for item in node.elts)
    return Items(source, start + 1, end - 1, spans, is_tuple=isinstance(node, ast.Tuple))


def of_call(source: Source, node: ast.Call) -> Items:
    """Return the arguments of a call."""
    end = source.span(node)[1]
    opening = source.data.index(b"(", source.span(node.func)[1])
    spans = [*map(source.span, node.args), *map(source.span, node.keywords)]
    return Items(source, opening + 1, end - 1, tuple(sorted(spans)))


def of_import(source: Source, node: ast.ImportFrom) -> Items:
    """Return the names that an import brings."""
    end = source.span(node)[1]
    spans = tuple(source.span(item) for item in node.names)
    has_brackets = source.data[end - 1 : end] == b")"
    opening = source.data.rindex(b"(", source.span(node)[0], spans[0][0]) + 1 if has_brackets else spans[0][0]
    return Items(source, opening, end - has_brackets, spans)
