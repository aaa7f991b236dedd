"""Imports: put in where their like stand, taken out once nobody needs them."""

import ast
import itertools

from powauth.cli.writing.items import of_import
from powauth.cli.writing.sources import Edit, Source, bound, imported

_ABOVE = (ast.Import, ast.ImportFrom, ast.Expr, ast.If, ast.Try)


def bring(source: Source, module: str, name: str) -> tuple[str, list[Edit]]:
    """Return what a name of another module is called here, and the edits that import it."""
    known = imported(source)
    local = next((local for local, meant in known.items() if meant == f"{module}.{name}"), None)
    if local:
        return local, []
    local = name if name not in bound(source) else f"Powauth{name}"
    words = f"{name} as {local}" if local != name else name
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == module and not node.level and node.names[0].name != "*":
            return local, of_import(source, node).insert(sum(a.name < name for a in node.names), words)
    return local, [_placed(source, module, f"from {module} import {words}")]


def drop(source: Source, local: str, *, besides: ast.AST) -> list[Edit]:
    """Return the edits that take an import out, if nothing but `besides` needs it."""
    inside = set(ast.walk(besides))
    if any(_names(node, local) for node in ast.walk(source.tree) if node not in inside):
        return []
    for node in source.tree.body:
        if isinstance(node, ast.ImportFrom):
            at = next((i for i, a in enumerate(node.names) if (a.asname or a.name) == local), None)
            if at is not None:
                return _without(source, node, at)
    return []


def _names(node: ast.AST, local: str) -> bool:
    if isinstance(node, ast.Constant):  # in __all__, or as a forward reference
        return isinstance(node.value, str) and node.value == local
    return isinstance(node, ast.Name) and node.id == local


def _without(source: Source, node: ast.ImportFrom, at: int) -> list[Edit]:
    if len(node.names) > 1:
        return of_import(source, node).remove(at)
    start, end = source.span(node)
    line, after = source.line_start(start), source.next_line(end - 1)
    alone = not source.data[line:start].strip() and not source.data[end:after].partition(b"#")[0].strip()
    return [Edit(line, after, "")] if alone else [Edit(start, end, "pass")]


def _placed(source: Source, module: str, words: str) -> Edit:
    """Return the edit that puts an import behind its like: of Powauth, or else of anybody."""
    body = _leading(source.tree) or [n for n in source.tree.body if _is_like(n, module)]
    like = [node for node in body if isinstance(node, ast.ImportFrom) and _top(node.module) == _top(module)]
    earlier = [node for node in like if not node.level and (node.module or "") < module]
    if like and not earlier:
        start = source.line_start(source.span(like[0])[0])
        return Edit(start, start, f"{words}\n")
    behind = earlier or body or _head(source.tree)
    if not behind:
        start = source.lines[source.tree.body[0].lineno - 1] if source.tree.body else source.lines[-1]
        return Edit(start, start, f"{words}\n\n")
    start = source.next_line(source.span(behind[-1])[1] - 1)
    is_open = start == len(source.data) and not source.data.endswith(b"\n")
    return Edit(start, start, ("\n" if is_open else "") + ("" if body else "\n") + f"{words}\n")


def _leading(tree: ast.Module) -> list[ast.stmt]:
    """Return the imports above everything else: what stands further down may come too late."""
    above = itertools.takewhile(lambda node: isinstance(node, _ABOVE), tree.body)
    return [node for node in above if isinstance(node, ast.Import | ast.ImportFrom)]


def _is_like(node: ast.stmt, module: str) -> bool:
    return isinstance(node, ast.ImportFrom) and _top(node.module) == _top(module)


def _head(tree: ast.Module) -> list[ast.stmt]:
    first = tree.body[:1]
    is_docstring = first and isinstance(first[0], ast.Expr) and isinstance(first[0].value, ast.Constant)
    return first if is_docstring else []


def _top(module: str | None) -> str:
    return (module or "").partition(".")[0]
