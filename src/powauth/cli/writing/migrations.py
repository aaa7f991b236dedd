"""Migrations: the history of a project's tables, as Alembic keeps it. Imported where there is one."""

import ast
import contextlib
import importlib
import tempfile
import textwrap
import tomllib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from powauth.cli.failures import Failure
from powauth.cli.writing.changes import Change

INI = "alembic.ini"
PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Revision:
    """A file of the history, and the tables that are there after it because of it."""

    id: str
    path: Path
    tables: frozenset[str]
    is_head: bool

    def only_makes(self, tables: frozenset[str]) -> bool:
        """Say whether these tables, and their indexes, are all that it makes."""
        tree = ast.parse(self.path.read_bytes())
        upgrade = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
        does = [step.value if isinstance(step, ast.Expr) else step for node in upgrade for step in node.body]
        return all(_makes(step, tables) for step in does if not isinstance(step, ast.Constant))  # a docstring


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of a project."""

    alembic: Any
    config: Any
    script: Any

    def revisions(self) -> list[Revision]:
        """Return the revisions that made the tables that are there in the end, the oldest first."""
        owners: dict[str, Any] = {}
        for script in reversed(list(self.script.walk_revisions())):
            for what, name, to in _effects(Path(script.path)):
                owner = owners.pop(name, script)
                if what != "drop":
                    owners[to] = script if what == "create" else owner
        return [self._described(script, owners) for script in dict.fromkeys(owners.values())]

    def _described(self, script: Any, owners: dict[str, Any]) -> Revision:  # noqa: ANN401  Alembic's
        tables = frozenset(name for name, owner in owners.items() if owner is script)
        return Revision(str(script.revision), Path(script.path), tables, bool(script.is_head))

    def applied(self) -> frozenset[str] | None:
        """Return the ids that the database has behind it; `None` when it cannot be asked."""
        seen: list[str] = []

        def look(heads: tuple[str, ...], context: object) -> list[object]:  # noqa: ARG001  the shape of a call-back
            for head in heads:
                seen.extend(str(each.revision) for each in self.script.iterate_revisions(head, "base"))
            return []

        try:
            runtime: Any = importlib.import_module("alembic.runtime.environment")
            with runtime.EnvironmentContext(self.config, self.script, fn=look, dont_mutate=True):
                self.script.run_env()
        except Exception:  # noqa: BLE001  an env.py can raise whatever it likes: no server, no variable, no driver
            return None
        return frozenset(seen)

    def written(self, message: str, upgrade: str, downgrade: str, imports: Sequence[str] = ()) -> Change:
        """Return the file of a new revision, as Alembic writes it from the project's own template."""
        with tempfile.TemporaryDirectory(prefix="powauth-") as folder, self._refusing():
            final = self._folder()
            draft = self._beside(Path(folder))
            made = draft.generate_revision(
                self.alembic.util.rev_id(),
                message,
                version_path=folder,
                upgrades=_indented(upgrade),
                downgrades=_indented(downgrade),
                imports="\n".join(imports),
            )
            path = Path(made.path)
            return Change(final / path.relative_to(Path(folder).resolve()), None, path.read_bytes())

    def _folder(self) -> Path:
        """Return where the next revision goes, as Alembic decides it."""
        places = [Path(place) for place in self.script._version_locations]  # noqa: SLF001  it has no other name
        if len(places) == 1:
            return places[0]
        head = self.script.get_revision("head")
        return Path(head.path).parent if head else places[0]

    def _beside(self, folder: Path) -> Any:  # noqa: ANN401  Alembic's
        """Return the same history, which can also write into a folder that is thrown away."""
        script = self.script
        places = [str(place) for place in script._version_locations]  # noqa: SLF001  the same
        return type(script)(
            script.dir,
            file_template=script.file_template,
            truncate_slug_length=script.truncate_slug_length,
            version_locations=[*places, str(folder.resolve())],
            sourceless=script.sourceless,
            output_encoding=script.output_encoding,
            timezone=script.timezone,
            hooks=script.hooks,
            recursive_version_locations=script.recursive_version_locations,
            messaging_opts={"quiet": True},
        )

    @contextlib.contextmanager
    def _refusing(self) -> Generator[None]:
        try:
            yield
        except self.alembic.util.CommandError as error:
            raise Failure(f"Alembic writes no migration: {error}", code="alembic") from error


def found(root: Path) -> Migrations | None:
    """Return the migrations of the project in a folder; `None` if it has none. Raises `Failure` without Alembic."""
    names = {"file_": str(root / INI)} if (root / INI).is_file() else _of_pyproject(root / PYPROJECT)
    if names is None:
        return None
    try:
        alembic: Any = importlib.import_module("alembic")
        config: Any = importlib.import_module("alembic.config").Config(**names)
        script: Any = importlib.import_module("alembic.script").ScriptDirectory.from_config(config)
    except ModuleNotFoundError as error:
        raise Failure("this project has migrations, and Alembic is not installed: pip install alembic") from error
    except Exception as error:  # its settings can be wrong in many ways
        raise Failure(f"the settings of Alembic cannot be read: {error}", code="alembic") from error
    return Migrations(alembic, config, script)


def _of_pyproject(path: Path) -> dict[str, str] | None:
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return {"toml_file": str(path)} if "alembic" in settings.get("tool", {}) else None


def _indented(code: str) -> str:
    return textwrap.indent(code, "    ").lstrip()


# ---- what a revision does ----


def _effects(path: Path) -> Iterator[tuple[str, str, str]]:
    """Give what a revision does with whole tables: create, drop or rename, in the order of its lines."""
    tree = ast.parse(path.read_bytes())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("upgrade"):
            calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
            for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
                yield from _effect(call)


def _makes(call: ast.AST, tables: frozenset[str]) -> bool:
    """Say whether a step makes one of the tables, or an index on one; anything else is work of the project's own."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    return call.func.attr in {"create_table", "create_index"} and not tables.isdisjoint(_names(call))


def _names(call: ast.Call) -> list[str]:
    """Return the texts that a call is given, with the database schema that it names before each."""
    texts = [str(each.value) for each in call.args if isinstance(each, ast.Constant)]
    given = [k.value.value for k in call.keywords if k.arg == "schema" and isinstance(k.value, ast.Constant)]
    schema = f"{given[0]!s}." if given and given[0] else ""
    return [f"{schema}{text}" for text in texts]


def _effect(call: ast.Call) -> Iterator[tuple[str, str, str]]:
    what = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    names = _names(call)
    if what in {"create_table", "drop_table"} and names:
        yield what.partition("_")[0], names[0], names[0]
    elif what == "rename_table" and len(names) > 1:
        yield "rename", names[0], names[1]
