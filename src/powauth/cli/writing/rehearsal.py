"""Rehearsal: an application is loaded from files as they would be, in a process of its own, before they are written."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from powauth.auth import Auth
from powauth.cli.apps import find
from powauth.cli.failures import Failure
from powauth.errors import ConfigurationError

LONGEST = 60.0
"""Seconds that an application may take to be imported."""
RENDERING = "powauth.cli.writing.rendering"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table of an extension, and what a migration says to make and to drop it."""

    table: str
    record: str
    versions: str
    """The table that holds its version, under the name of the record."""
    upgrade: str = ""
    downgrade: str = ""
    imports: Sequence[str] = ()


def rehearse(
    app: str,
    sources: Mapping[Path, bytes],
    *,
    draws: Sequence[str] = (),
    renders: bool = False,
    start: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[Drawn]:
    """Load an application with these files in place of those on disk; return the tables of the extensions in `draws`.

    Raises `Failure` with the sentences of `Auth` when it is refused, or says why it cannot be imported.
    """
    with tempfile.TemporaryDirectory(prefix="powauth-") as folder:
        answer = Path(folder) / "answer.json"
        asked = {
            "app": app,
            "sources": {str(path.resolve()): data.decode("latin-1") for path, data in sources.items()},
            "draws": list(draws),
            "renders": renders,
            "answer": str(answer),
        }
        told = _started(asked, start or Path.cwd(), environment or {})
        if not answer.exists():
            raise Failure(f"{app} ended while it was tried: {told or 'it said nothing'}", code="rehearsal")
        said: dict[str, Any] = json.loads(answer.read_text())
    if "code" in said:
        raise Failure(*said["problems"], code=said["code"])
    drawn: list[dict[str, Any]] = said["drawn"]
    return [Drawn(**table) for table in drawn]


def _started(asked: Mapping[str, object], start: Path, variables: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", f"from {__name__} import main; main()"]
    paths = [str(start), *filter(None, sys.path)]
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(  # noqa: S603  ourselves
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=LONGEST,
            env=environment,
            cwd=start,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"importing {asked['app']} took longer than {LONGEST:.0f} s", code="rehearsal") from error
    return run.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]


# ---- in the process of its own ----


def main() -> None:
    """Load what standard input names, and write what came of it to the file that it names."""
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    sources = {path: text.encode("latin-1") for path, text in asked["sources"].items()}
    Path(asked["answer"]).write_text(json.dumps(_answer(asked, sources)))


def _answer(asked: Mapping[str, Any], sources: Mapping[str, bytes]) -> dict[str, object]:
    _instead(sources)
    try:
        auth = find(asked["app"])
        drawn = [table for name in asked["draws"] for table in _drawn(auth, name, renders=asked["renders"])]
    except ConfigurationError as error:
        return {"code": "configuration", "problems": list(error.problems)}
    except Failure as failure:
        return {"code": failure.code, "problems": list(failure.sentences)}
    return {"drawn": drawn}


def _instead(sources: Mapping[str, bytes]) -> None:
    """Let Python find these bytes where it would read files."""
    original = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        data = sources.get(str(Path(self.path).resolve()))
        if data is None:
            return original(self, fullname)
        return self.source_to_code(data, self.path)

    sys.meta_path.append(NotYetThere(frozenset(sources)))
    SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]  # this process ends right after


@dataclass(frozen=True, slots=True)
class NotYetThere:
    """Finds modules whose files will be written."""

    paths: frozenset[str]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002  the shape of a finder
    ) -> ModuleSpec | None:
        """Return where a module will be."""
        for entry in path or sys.path:
            place = str((Path(entry) / f"{fullname.rpartition('.')[2]}.py").resolve())
            if place in self.paths:
                return spec_from_file_location(fullname, place)
        return None


def _drawn(auth: Auth[Any], name: str, *, renders: bool) -> list[dict[str, object]]:
    module: Any = importlib.import_module(RENDERING)
    drawn: list[dict[str, object]] = module.drawn(auth, name, renders=renders)
    return drawn
