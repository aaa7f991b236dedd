"""JinjaTemplates: pages and mails from the application's folder, then the extensions', then the theme."""

import mimetypes
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    select_autoescape,
)
from jinja2.bccache import Bucket

from powauth.errors import ConfigurationError
from powauth.jinja import helpers
from powauth.jinja.words import ThemeWords
from powauth.templates import MailView, PageView

THEME = Path(__file__).parent / "theme"
STATIC = Path(__file__).parent / "static"

_ASSET_NAME = re.compile(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)+")  # one file of one folder: no way up, nothing hidden
_PAGES_DRAWN = 256  # templates kept compiled; more than a house of extensions has


@dataclass(frozen=True)
class JinjaTemplates:
    """Makes pages and mails with Jinja.

    A page `sign_in.new` is looked for as `sign_in/new.html` in `folder`, then in the extension, and then drawn by
    `page.html`; a mail `reset_password.link` as `reset_password/mails/link.txt` and `.html`, and then by `mail.txt` and
    `mail.html`. A template in `folder` hides the one of the same name, and can still extend it as `powauth/<name>`.
    Files in `folder/static` are served beside the theme's: `theme.css` is linked after its style sheet, `logo.svg` or
    `logo.png` stands where the initial would.
    """

    folder: str | Path | None = None
    folders: tuple[tuple[str, str], ...] = ()
    """The templates of extensions: (name, folder)."""
    environment: Environment = field(init=False, repr=False, compare=False)
    """Where an application adds filters and globals for its templates, before it hands this to `Auth`."""
    _with: dict[tuple[tuple[str, str], ...], "JinjaTemplates"] = field(
        default_factory=dict[tuple[tuple[str, str], ...], "JinjaTemplates"], init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.folder is not None and not Path(self.folder).is_dir():
            raise ConfigurationError(f"JinjaTemplates: {self.folder} is no folder: make it, or leave it out")
        object.__setattr__(self, "environment", self._build())

    def with_folders(self, folders: Sequence[tuple[str, str]]) -> "JinjaTemplates":
        """Return the same that finds, after the application's own, the templates of extensions: (name, folder)."""
        wanted = tuple(folders)
        if wanted not in self._with:  # compiled templates are kept, however often one asks
            made = JinjaTemplates(self.folder, wanted)
            object.__setattr__(made, "environment", self.environment.overlay(loader=made.environment.loader))
            self._with[wanted] = made
        return self._with[wanted]

    def page(self, view: PageView) -> str:
        """Return the HTML of a page; a page without a template of its own gets the general one."""
        template = self._select(f"{_path(view.name)}.html", "page.html")
        return template.render(view=view, words=ThemeWords(view.words), url=view.url, asset=view.asset)

    def mail(self, view: MailView) -> tuple[str, str]:
        """Return the text and the HTML of a mail."""
        extension, _, name = view.kind.rpartition(".")
        own = f"{extension}/mails/{name}"
        words = ThemeWords(view.words)
        text = self._select(f"{own}.txt", "mail.txt").render(view=view, words=words)
        html = self._select(f"{own}.html", "mail.html").render(view=view, words=words)
        return text, html

    def asset(self, name: str) -> tuple[bytes, str] | None:
        """Return the bytes and the media type of a file of the theme, or of the application's `static` folder."""
        found = self._find_asset(name)
        return (found.body, found.type) if found else None

    def asset_version(self, name: str) -> str:
        """Return what changes when the file changes, fit for an address; empty for a file that is not there."""
        found = self._find_asset(name)
        return found.version if found else ""

    def extend(self, environment: Environment) -> None:
        """Give the application's own environment `sign_out_button(url, text)` and `acting_banner(banner)`."""
        ours: dict[str, Callable[..., Any]] = {
            "acting_banner": helpers.acting_banner,
            "sign_out_button": helpers.sign_out_button,
        }
        environment.globals.update(ours)

    def _build(self) -> Environment:
        environment = Environment(
            loader=self._loader(),
            autoescape=select_autoescape(("html",), default=False, default_for_string=True),
            undefined=StrictUndefined,
            bytecode_cache=_BYTECODE,
            cache_size=_PAGES_DRAWN,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters: dict[str, Callable[..., Any]] = {
            "ago": helpers.ago,
            "date": helpers.date,
            "device": helpers.device,
            "moment": helpers.moment,
        }
        names: dict[str, Callable[..., Any]] = {
            "acting_banner": helpers.acting_banner,
            "bad_fields": helpers.bad_fields,
            "described_by": helpers.described_by,
            "focus_of": helpers.focus_of,
            "has_asset": self._has_asset,
            "has_role": helpers.has_role,
            "id_of": helpers.id_of,
            "is_radio": helpers.is_radio,
            "owner_of": helpers.owner_of,
            "starts": helpers.starts,
            "ways_on": helpers.ways_on,
        }
        environment.filters.update(filters)
        environment.globals.update(names)
        return environment

    def _loader(self) -> BaseLoader:
        theme = FileSystemLoader(THEME)
        extensions = PrefixLoader({name: FileSystemLoader(folder) for name, folder in self.folders})
        ours = ChoiceLoader([extensions, theme])
        loaders: list[BaseLoader] = [PrefixLoader({"powauth": ours}), ours]
        if self.folder is not None:
            loaders.insert(0, FileSystemLoader(self.folder))
        return ChoiceLoader(loaders)

    def _select(self, own: str, general: str) -> Template:
        return self.environment.select_template((own, general))

    def _has_asset(self, name: str) -> bool:
        return self._find_asset(name) is not None

    def _find_asset(self, name: str) -> "_Asset | None":
        if not _ASSET_NAME.fullmatch(name):
            return None
        places = [STATIC] if self.folder is None else [Path(self.folder) / "static", STATIC]
        for place in places:
            path = place / name
            if path.is_file():
                stat = path.stat()
                return _read(path, stat.st_mtime_ns, stat.st_size)
        return None


def _path(name: str) -> str:
    """Return where the template of the page `extension.page` stands, without its ending."""
    extension, _, page = name.rpartition(".")
    return f"{extension}/{page}" if extension else page


# ---- what is kept ----


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    type: str
    version: str


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> _Asset:  # noqa: ARG001  they tell one state of the file from the next
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return _Asset(body, kind, sha256(body).hexdigest()[:16])


class _Bytecode(BytecodeCache):
    """Compiled templates by name and source, so that the second `Auth` of a process compiles nothing."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_BYTECODE = _Bytecode()
