"""Starting: the lines that bring sign-in into a project, and what is left for its owner to do."""

import ast
import importlib.util
import keyword
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from powauth.cli.drafts import drafted
from powauth.cli.failures import Failure, Misused
from powauth.cli.writing import migrations
from powauth.cli.writing.auths import assignments
from powauth.cli.writing.changes import Change, named
from powauth.cli.writing.imports import bring
from powauth.cli.writing.items import of_call
from powauth.cli.writing.projects import Survey, Thing, installed, made_in, module_name, module_root
from powauth.cli.writing.sources import Edit, Source, bound, read
from powauth.sqlalchemy.columns import RESERVED


@dataclass(frozen=True, slots=True)
class Start:
    """What would be written, and what is left."""

    app: str
    folder: Path
    """Where imports begin."""
    changes: tuple[Change, ...]
    left: tuple[str, ...]
    """What could not be placed: the file, and the lines."""
    then: tuple[str, ...]


def begun(app: Thing, found: Survey, root: Path, module: str) -> Start:
    """Return what brings sign-in into a project. Raises `Failure` where its owner has to decide first."""
    folder = module_root(app.source, root)
    history = migrations.found(root)
    path, is_new = _auth_file(app, found, module)
    name, auth = module_name(path, folder), "auth" if is_new else found.auths[0].name
    has_lifespan = _has_lifespan(app)
    makes_tables = is_new and history is None and not has_lifespan
    changes: list[Change] = []
    if is_new:
        changes.append(Change(path, None, drafted(app, found, folder, makes_tables=makes_tables).encode()))
    changes += [*_user(found), _installed(app, name, auth, with_lifespan=makes_tables)]
    more, left, then = _tables(history, found, root, name, auth, is_left=is_new and has_lifespan)
    entry = f"{module_name(app.source.path, folder)}:{app.inside or app.name}"
    after = [*_packages(app, found), *(then if is_new or any(c.before != c.after for c in more) else ())]
    return Start(entry, folder, _together([*changes, *more]), (*left, *_rows(found)), tuple(after))


def _together(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes. Raises `Failure` where two of them are of one file."""
    wanted = [change for change in changes if change.before != change.after]
    if len({change.path for change in wanted}) != len(wanted):
        message = f"{wanted[-1].path} holds both the model and the application: add AccountColumns to the model by hand"
        raise Failure(message, code="unplaceable")
    return tuple(wanted)


def _auth_file(app: Thing, found: Survey, module: str) -> tuple[Path, bool]:
    """Return the file that makes the `Auth`, and whether it has to be written."""
    if len(found.auths) > 1:
        places = ", ".join(f"{auth.source.path.name}, line {auth.node.lineno}" for auth in found.auths)
        message = f"there are several Auths ({places}): install() the one that is meant by hand"
        raise Failure(message, code="unplaceable")
    if found.auths:
        return found.auths[0].source.path, False
    if not module.isidentifier() or keyword.iskeyword(module):
        raise Misused(f"--module {module}: that is no name of a module", code="name")
    path = app.source.path.parent / f"{module}.py"
    if path.exists() or path.is_symlink() or path.with_suffix("").is_dir():
        message = f"{path.name} stands there already, and makes no Auth: say --module with another name"
        raise Misused(message, code="exists")
    return path, True


# ---- files that are there ----


def _user(found: Survey) -> list[Change]:
    """Return the change that gives the project's own user the columns of an account. Raises `Failure` if they clash."""
    if found.users or not found.likely or found.auths:
        return []
    user = found.likely[0]
    node = user.node
    own = {n.target.id for n in ast.walk(node) if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
    own |= {t.id for n in ast.walk(node) if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    clash = sorted(own & RESERVED)
    if not isinstance(node, ast.ClassDef) or not node.bases or clash:
        message = (
            f"{user.source.path}, line {node.lineno}: {user.name} has columns of its own that AccountColumns brings "
            f"({', '.join(clash)}). Write class {user.name}(AccountColumns, …) there, take those out or rename them, "
            "and migrate their rows; then run this again"
        )
        raise Failure(message, code="unplaceable")
    local, edits = bring(user.source, "powauth.sqlalchemy", "AccountColumns")
    at = user.source.span(node.bases[0])[0]
    after = user.source.edited([*edits, Edit(at, at, f"{local}, ")])
    return [Change(user.source.path, user.source.data, after.data)]


def _installed(app: Thing, module: str, auth: str, *, with_lifespan: bool) -> Change:
    """Return the application's file with `install` behind the application."""
    source = app.source
    if installed(app):
        return Change(source.path, source.data, source.data)
    wanted = [(f"powauth.{app.kind}", "install"), *([] if _is_here(app, auth) else [(module, auth)])]
    wanted += [(module, "lifespan")] if with_lifespan else []
    names = {auth: auth}
    for each in wanted:
        names[each[1]], edits = bring(source, *each)
        source = source.edited(edits)
    line = f"{names['install']}({app.name}, {names[auth]})"
    edits = [_behind(source, _again(source, app).node, line)]
    if with_lifespan:
        items = of_call(source, _call(_again(source, app)))
        edits += items.insert(len(items.spans), f"lifespan={names['lifespan']}")
    return Change(source.path, app.source.data, source.edited(edits).data)


def _is_here(app: Thing, auth: str) -> bool:
    return any(target == auth for target, _ in assignments(app.source.tree))


def _behind(source: Source, node: ast.stmt, line: str) -> Edit:
    start, end = source.span(node)
    indent = source.data[source.line_start(start) : start].decode()
    at = source.next_line(end - 1)
    lead = "\n" if at == len(source.data) and not source.data.endswith(b"\n") else ""
    return Edit(at, at, f"{lead}{indent}{line}\n")


def _again(source: Source, app: Thing) -> Thing:
    """Return the same application in a file that was edited above it."""
    meant = (app.name, app.kind, app.inside)
    return next(each for each in made_in(source) if (each.name, each.kind, each.inside) == meant)


def _call(app: Thing) -> ast.Call:
    return next(node for node in ast.walk(app.node) if isinstance(node, ast.Call))


def _has_lifespan(app: Thing) -> bool:
    given = {keyword.arg for keyword in _call(app).keywords}
    return bool(given & {"lifespan", "on_startup", None}) or "lifespan" in bound(app.source)


# ---- tables ----


def _tables(
    history: migrations.Migrations | None, found: Survey, root: Path, module: str, auth: str, *, is_left: bool
) -> tuple[list[Change], list[str], list[str]]:
    """Return what makes the tables: changes, what could not be placed, and what to do afterwards."""
    if history is None:
        lines = f"from {module} import database\n    await database.create_tables()  # before the yield"
        return [], [f"in your lifespan:\n    {lines}"] if is_left else [], []
    env = read(Path(history.script.env_py_location))
    _, edits = bring(env, module, auth)
    changes = [Change(env.path, env.data, env.edited([_kept(edit) for edit in edits]).data)]
    left = []
    if any(name == "target_metadata" and _is_none(value) for name, value in assignments(env.tree)):
        base = found.bases[0].name if found.bases else "Base"
        left = [f"{named(env.path, root)}, or no migration knows the tables:\n    target_metadata = {base}.metadata"]
    return changes, left, ["then: alembic revision --autogenerate -m accounts", "then: alembic upgrade head"]


def _kept(edit: Edit) -> Edit:
    """Return an import for its effect with the mark that keeps linters from taking it out, and the tables with it."""
    is_line = edit.text.lstrip().startswith("from ")
    return replace(edit, text=edit.text.replace("\n", "  # noqa: F401\n", 1)) if is_line else edit


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _rows(found: Survey) -> list[str]:
    """Return what is to be thought of where a table of users is there already."""
    if found.users or not found.likely or found.auths:
        return []
    name = found.likely[0].name
    says = f"rows of {name} that are there already need values in the new columns: write them into the migration"
    return [f"{says}; the handle is powauth.accounts.new_handle(), another for each row"]


def _packages(app: Thing, found: Survey) -> list[str]:
    """Return what has to be installed yet."""
    needed = {"jinja2": app.kind, **({} if found.sessions or found.engines else {"aiosqlite": "sqlite"})}
    missing = [extra for module, extra in needed.items() if importlib.util.find_spec(module) is None]
    return [f'then: pip install "powauth[{",".join(missing)}]"'] if missing else []
