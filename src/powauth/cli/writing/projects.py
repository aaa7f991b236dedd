"""A project that does not know Powauth yet: its application, its models, its engine, found without running it."""

import ast
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from powauth.cli.failures import Failure
from powauth.cli.writing.auths import MADE_BY, assignments, calls
from powauth.cli.writing.sources import Source, dotted, imported, read

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist", "tests", "test"})
MOST = 20_000
"""Files that are looked at: more is no project's folder."""
WORDS = (b"FastAPI", b"Starlette", b"eclarative", b"async_sessionmaker", b"create_async_engine", b"powauth", b"__table")

APPS = {
    "fastapi.FastAPI": "fastapi",
    "fastapi.applications.FastAPI": "fastapi",
    "starlette.applications.Starlette": "starlette",
}
INSTALLS = frozenset({"powauth.fastapi.install", "powauth.starlette.install"})
SESSIONS = frozenset({"sqlalchemy.ext.asyncio.async_sessionmaker"})
ENGINES = frozenset({"sqlalchemy.ext.asyncio.create_async_engine"})
BASES = frozenset({"sqlalchemy.orm.DeclarativeBase", "sqlalchemy.orm.DeclarativeBaseNoMeta"})
BASE_MAKERS = frozenset({"sqlalchemy.orm.declarative_base", "sqlalchemy.ext.declarative.declarative_base"})
COLUMNS = frozenset({"powauth.sqlalchemy.AccountColumns"})
USERS = frozenset({"User", "Account", "Member", "Person"})


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of the project's: where it stands, and what it is called there."""

    source: Source
    name: str
    node: ast.stmt
    kind: str = ""
    inside: str = ""
    """The function that makes it; empty at the top of a module."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found, each in the order of the files."""

    apps: tuple[Thing, ...]
    auths: tuple[Thing, ...]
    users: tuple[Thing, ...]
    """Models that have the columns of an account."""
    likely: tuple[Thing, ...]
    """Models that look like users, and have not."""
    bases: tuple[Thing, ...]
    sessions: tuple[Thing, ...]
    engines: tuple[Thing, ...]


def survey(root: Path) -> Survey:
    """Look at the files of a project. Those that cannot be read are passed over."""
    sources = list(_sources(root))
    made = [thing for source in sources for thing in made_in(source)]
    classes = [thing for source in sources for thing in _classes(source)]

    def of(kind: str, things: list[Thing]) -> tuple[Thing, ...]:
        return tuple(thing for thing in things if thing.kind == kind)

    return Survey(
        apps=tuple(thing for thing in made if thing.kind in APPS.values()),
        auths=of("auth", made),
        users=of("user", classes),
        likely=of("likely", classes),
        bases=(*of("base", classes), *of("base", made)),
        sessions=of("sessions", made),
        engines=of("engine", made),
    )


def installed(app: Thing) -> bool:
    """Say whether an application has an `Auth` installed, in the file that makes it."""
    found = [call for _, call in calls(app.source, INSTALLS)]
    return any(isinstance(arg, ast.Name) and arg.id == app.name for call in found for arg in call.args[:1])


def module_root(source: Source, root: Path) -> Path:
    """Return the folder that a file's imports begin in: what it imports says so, or else its packages."""
    folder = source.path.resolve().parent
    climbed = folder
    while climbed != root and (climbed / "__init__.py").is_file():
        climbed = climbed.parent
    nodes = list(ast.walk(source.tree))
    levels = [node.level for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    for _ in range(max(levels, default=0)):
        folder = folder if folder == root else folder.parent
    tops = {a.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for a in node.names}
    tops |= {(n.module or "").partition(".")[0] for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    for place in (place for place in source.path.resolve().parents if place.is_relative_to(root)):
        if any((place / f"{top}.py").is_file() or (place / top).is_dir() for top in tops if top):
            return place
    return min(folder, climbed, key=lambda each: len(each.parts)) if levels else climbed


def module_name(path: Path, start: Path) -> str:
    """Return what a file is imported as. Raises `Failure` for one that cannot be."""
    parts = path.resolve().relative_to(start).with_suffix("").parts
    if not all(part.isidentifier() for part in parts):
        raise Failure(f"{path} has a name that Python cannot import: put the lines in by hand", code="unplaceable")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _sources(root: Path) -> Iterator[Source]:
    count = 0
    for folder, folders, names in os.walk(root):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for path in (Path(folder, name) for name in sorted(names) if name.endswith(".py")):
            count += 1
            if count > MOST:
                raise Failure(f"{root} has more than {MOST} files: name the folder of the project", code="too_many")
            if any(word in path.read_bytes() for word in WORDS):
                try:
                    yield read(path)
                except Failure:
                    continue


def made_in(source: Source) -> Iterator[Thing]:
    """Give every name that is given an application, an `Auth`, an engine and so on."""
    names = imported(source)
    kinds = {**APPS, **dict.fromkeys(MADE_BY, "auth"), **dict.fromkeys(SESSIONS, "sessions")}
    kinds |= {**dict.fromkeys(ENGINES, "engine"), **dict.fromkeys(BASE_MAKERS, "base")}
    for inside, node in _statements(source.tree):
        target, value = _given(node)
        kind = kinds.get(dotted(value.func, names), "") if isinstance(value, ast.Call) else ""
        if kind and target and (not inside or kind in APPS.values()):
            yield Thing(source, target, node, kind, inside)


def _given(node: ast.stmt) -> tuple[str, ast.expr | None]:
    found = list(assignments(ast.Module([node], []))) if isinstance(node, ast.Assign | ast.AnnAssign) else []
    return found[0] if len(found) == 1 else ("", None)


def _statements(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Give the statements at the top of a module, and those in its functions."""
    for node in tree.body:
        yield "", node
        if isinstance(node, ast.FunctionDef):
            yield from ((node.name, inner) for inner in node.body)


def _classes(source: Source) -> Iterator[Thing]:
    names = imported(source)
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef):
            kind = _kind(node, names)
            if kind:
                yield Thing(source, node.name, node, kind)


def _kind(node: ast.ClassDef, names: Mapping[str, str]) -> str:
    bases = {dotted(base, names) for base in node.bases}
    if bases & COLUMNS:
        return "user"
    if bases & BASES:
        return "base"
    is_model = any(target == "__tablename__" for target, _ in assignments(ast.Module(node.body, [])))
    return "likely" if is_model and node.name in USERS else ""


def dependency(sessions: Thing) -> str:
    """Return the function beside the sessions that gives one to a request; empty without one."""
    functions = [node for node in sessions.source.tree.body if isinstance(node, ast.AsyncFunctionDef)]
    for node in functions:
        is_plain = not _asks(node.args) and not node.decorator_list
        if is_plain and any(_gives(inner, sessions.name) for inner in node.body):
            return node.name
    return ""


def _asks(args: ast.arguments) -> bool:
    return bool(args.posonlyargs or args.args or args.kwonlyargs or args.vararg or args.kwarg)


def _gives(node: ast.stmt, sessions: str) -> bool:
    """Say whether it is `async with sessions() as db:` with a `yield db` inside."""
    if not isinstance(node, ast.AsyncWith) or len(node.items) != 1:
        return False
    call, given = node.items[0].context_expr, node.items[0].optional_vars
    if not isinstance(call, ast.Call) or not isinstance(given, ast.Name) or call.args or call.keywords:
        return False
    yields = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Yield)]
    yields_it = [isinstance(value, ast.Name) and value.id == given.id for value in yields]
    return yields_it == [True] and isinstance(call.func, ast.Name) and call.func.id == sessions
