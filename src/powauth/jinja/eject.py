"""Copying templates into the application, where they may be changed; each copy remembers what it was made from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from powauth.jinja.templates import STATIC, THEME

_ORIGIN = re.compile(r"Copied from Powauth (?P<version>\S+), (?P<name>\S+), sha256 (?P<digest>[0-9a-f]{16})")
_COMMENTS = {".css": ("/* ", " */\n"), ".js": ("// ", "\n")}
MEMORY = ".powauth"
"""The folder beside the copies that remembers their originals: put it into version control with them."""
_TEMPLATE_COMMENT = ("{# ", " -#}\n")  # the minus keeps it out of the page, line end included


@dataclass(frozen=True, slots=True)
class Original:
    """A file that can be ejected: where it goes below the application's folder, and where it stands here."""

    name: str
    path: Path

    @property
    def digest(self) -> str:
        """What changes when a release changes the file."""
        return _digest(self.text)

    @property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a copy was made from."""

    version: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Ejected:
    """What became of one file: `is_new` is false where one stood already and was left alone."""

    original: Original
    path: Path
    is_new: bool


def originals(
    folders: Sequence[tuple[str, str]] = (), *, pages: Sequence[str] = (), mails: Sequence[str] = ()
) -> tuple[Original, ...]:
    """Return all that can be ejected, by name: templates of the theme, of extensions, and the files of `static`.

    `folders` are an `Auth`'s extensions with templates. A page `sign_in.new` named in `pages`, or a mail in `mails`,
    that has no template of its own is offered as a copy of the general one.
    """
    found = {path.name: path for path in _files(THEME)}
    found |= {f"static/{path.name}": path for path in _files(STATIC)}
    for extension, folder in folders:
        found |= {f"{extension}/{path.relative_to(folder).as_posix()}": path for path in _files(Path(folder))}
    for name in pages:
        found.setdefault(f"{name.replace('.', '/')}.html", THEME / "page.html")
    for name in mails:
        extension, _, mail = name.rpartition(".")
        for ending in ("txt", "html"):
            found.setdefault(f"{extension}/mails/{mail}.{ending}", THEME / f"mail.{ending}")
    return tuple(Original(name, path) for name, path in sorted(found.items()))


def eject(original: Original, into: Path, *, force: bool = False) -> Ejected:
    """Copy one file to its name below `into`. One that stands there already is only overwritten by `force`."""
    path = into / original.name
    if path.exists() and not force:
        return Ejected(original, path, is_new=False)
    for file, text in ((memory(original.name, original.digest, into), original.text), (path, headed(original))):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Ejected(original, path, is_new=True)


def eject_all(of: Sequence[Original], into: Path, *, force: bool = False) -> tuple[Ejected, ...]:
    """Copy every file to its name below `into`, and say what became of each."""
    return tuple(eject(original, into, force=force) for original in of)


def origin(path: Path) -> Origin | None:
    """Return what a copy was made from, or `None` for a file that was not ejected."""
    with path.open(encoding="utf-8") as file:
        found = _ORIGIN.search(file.readline())
    return Origin(**found.groupdict()) if found else None


def outdated(of: Sequence[Original], into: Path) -> tuple[tuple[Original, Origin], ...]:
    """Return the copies below `into` whose original has changed since: what to look at after an upgrade."""
    copies = ((original, into / original.name) for original in of)
    known = ((original, origin(path)) for original, path in copies if path.is_file())
    return tuple((original, made) for original, made in known if made and made.digest != original.digest)


# ---- what a copy was made from ----


def memory(name: str, digest: str, into: Path) -> Path:
    """Return where an original is kept as it was when it was copied. Its digest in the name: no upgrade replaces it."""
    return into / MEMORY / "originals" / f"{name}.{digest}"


def base(original: Original, into: Path) -> str | None:
    """Return what a copy was made from, word for word; `None` if that was not kept, or changed since."""
    made = origin(into / original.name)
    if made is None:
        return None
    if made.digest == original.digest:
        return original.text
    path = memory(original.name, made.digest, into)
    text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n") if path.is_file() else ""
    return text if _digest(text) == made.digest else None


def body(text: str) -> str:
    """Return a copy without the line that says what it was made from."""
    first, end, rest = text.partition("\n")
    return rest if end and _ORIGIN.search(first) else text


def headed(original: Original, text: str | None = None) -> str:
    """Return a copy with the line that says what it was made from; with another text where that was changed."""
    return _comment(original) + (original.text if text is None else text)


def version() -> str:
    """Return the version of what is installed."""
    try:
        return metadata.version("powauth")
    except metadata.PackageNotFoundError:  # run from a source tree
        return "0"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _comment(original: Original) -> str:
    before, after = _COMMENTS.get(original.path.suffix, _TEMPLATE_COMMENT)
    source = original.path.name if original.path.parent == THEME else original.name
    return f"{before}Copied from Powauth {version()}, {source}, sha256 {original.digest}{after}"
