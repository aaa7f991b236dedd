"""`powauth new-extension`."""

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template

import click

from powauth.cli.failures import Failure, Misused
from powauth.cli.output import Output, json_option
from powauth.cli.writing.changes import Change, write
from powauth.cli.writing.kinds import shipped
from powauth.problems import NAME

SKELETON = Path(__file__).parent / "skeleton"
LONGEST_NOTE = "2000"

_USED = re.compile(r"\b[A-Z]\w*")


@click.command("new-extension")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to put it in: the current one, or a package of yours.",
)
@json_option
def command(name: str, *, into: Path, out: Output) -> None:
    """Write a new extension of your own: a folder with everything in it, and its first tests.

    It has settings, a table, operations, a page with a form, a template, a mail and an event, and works as it is:
    change it into what you want. Then `powauth add package.name:Name` adds it to the application.
    """
    check_name(name)
    folder, package = into / name, package_of(into, name)
    if folder.exists() or folder.is_symlink():
        raise Failure(f"{folder} stands there already", code="exists")
    if package == name:
        _check_free(name, into)
    written = [Change(path, None, text.encode()) for path, text in files(folder, package, name)]
    write(written, into)
    kind = f"{package}:{class_name(name)}"
    if out.as_json:
        out.json({"package": package, "extension": kind, "files": [str(change.path) for change in written]})
    for change in written:
        out.say(str(change.path))
    out.say(f"then: python -m pytest {folder}, and powauth add {kind}")


def check_name(name: str) -> None:
    """Make sure that it can be an extension, a package and a table. Raises `Misused`."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        sentence = f"{name!r} is no name: use lower-case letters, digits and _, and no word of Python's"
        raise Misused(sentence, code="name")
    if not class_name(name).isidentifier():
        raise Misused(f"{name!r} is no name: no class can be called like that", code="name")
    if class_name(name) in _USED.findall("".join(path.read_text(encoding="utf-8") for path in SKELETON.rglob("*.txt"))):
        raise Misused(f"{class_name(name)} is used in what would be written: call yours something else", code="name")
    if name in shipped():
        raise Misused(f"{name} ships with Powauth: call yours something else", code="name")


def _check_free(name: str, into: Path) -> None:
    """Make sure that no module is hidden by it. Raises `Misused`."""
    hidden = name in sys.stdlib_module_names or (into / f"{name}.py").exists()
    if hidden or importlib.util.find_spec(name) is not None:
        sentence = f"a module is called {name} already: call yours something else, or put it --into a package"
        raise Misused(sentence, code="name")


def package_of(into: Path, name: str) -> str:
    """Return what it is imported as: below the packages that it stands in. Raises `Misused`."""
    parts, folder = [name], into.resolve()
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    odd = [part for part in parts if not part.isidentifier() or keyword.iskeyword(part)]
    if odd:
        raise Misused(f"{odd[0]} can be no package of Python's: put it into another folder", code="name")
    return ".".join(parts)


def class_name(name: str) -> str:
    """Return what the extension's class is called."""
    return "".join(part.capitalize() for part in name.split("_"))


def files(folder: Path, package: str, name: str) -> Iterator[tuple[Path, str]]:
    """Give the files, and what is in them."""
    words = {
        "name": name,
        "class": class_name(name),
        "package": package,
        "path": name.replace("_", "-"),
        "title": name.replace("_", " ").capitalize(),
        "folder": folder.as_posix(),
        "exports": ", ".join(f'"{each}"' for each in ("KEEP", "NOTE", *sorted(["Kept", "Note", class_name(name)]))),
        "most": LONGEST_NOTE,
    }
    for path in sorted(SKELETON.rglob("*.txt")):
        place = path.relative_to(SKELETON).with_suffix("").as_posix().replace("test_name", f"test_{name}")
        yield folder / place, Template(path.read_text(encoding="utf-8")).substitute(words)
