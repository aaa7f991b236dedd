"""The reference and the code say the same, both ways: nothing is left out, and nothing is named that is not there."""

import dataclasses
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest

import powauth
from powauth import AuthError, Event, Extension
from powauth.accounts import Changes, NewAccount
from powauth.cli import COMMANDS
from powauth.errors import PowauthError
from powauth.http_breaches import PwnedPasswords
from powauth.http_mail import HttpMailer
from powauth.messages import CORE_MESSAGES
from powauth.oauth import ProviderError
from powauth.routing import FormPage, Get, Post
from powauth.settings import Settings
from powauth.smtp import SMTPMailer
from powauth.sqlalchemy import AccountColumns
from powauth.stores import Store
from powauth.telemetry import Watched
from tests.docs.pages import DOCS, ROOT, blocks, named, pages, rows

REFERENCE = DOCS / "reference"
ADAPTERS = (
    "asgi", "bcrypt", "cli", "demo", "encryption", "fastapi", "http_breaches", "http_mail", "jinja", "oauth",
    "opentelemetry", "passwords", "providers", "redis", "smtp", "sqlalchemy", "sqlite", "starlette", "testing",
)  # fmt: skip
SETTINGS: dict[str, type[Any]] = {
    "## Auth": Settings,
    "## Paths": powauth.Paths,
    "## SessionSettings": powauth.SessionSettings,
    "## Passwords": powauth.Passwords,
    "## Pepper": powauth.Pepper,
    "## Cookies": powauth.Cookies,
    "## Backoff": powauth.Backoff,
    "## Limit": powauth.Limit,
    "## Tenant": powauth.Tenant,
    "## SMTPMailer": SMTPMailer,
    "## HttpMailer": HttpMailer,
    "## PwnedPasswords": PwnedPasswords,
}


def below(kind: type[Any]) -> Iterator[type[Any]]:
    """Give all subclasses that ship."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("powauth."):
            yield each
        yield from below(each)


def extensions() -> dict[str, Extension]:
    """Return every extension that ships, by name."""
    for folder in sorted((ROOT / "src/powauth/extensions").iterdir()):
        if (folder / "__init__.py").exists():
            importlib.import_module(f"powauth.extensions.{folder.name}")
    shipped = [kind for kind in below(Extension) if kind.__module__ == f"powauth.extensions.{kind.name}"]
    return {kind.name: kind() for kind in shipped}


def fields(kind: type[Any]) -> set[str]:
    """Return the names of what a dataclass is made with."""
    return {field.name for field in dataclasses.fields(kind) if field.init}


# ---- pages that are written from the code ----


def test_no_table_is_stale() -> None:
    run = subprocess.run(
        [sys.executable, "docs/reference/generate.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_a_stale_table_would_be_found() -> None:
    spec = importlib.util.spec_from_file_location("generate", REFERENCE / "generate.py")
    assert spec
    assert spec.loader
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    page = (REFERENCE / "errors.md").read_text()
    assert generate.rendered(page.replace("`invalid_token`", "`invalid_link`")) == page


# ---- both ways ----


@pytest.mark.parametrize("adapter", ["", *ADAPTERS])
def test_every_public_name_is_documented_and_every_documented_name_is_public(adapter: str) -> None:
    path = f"powauth.{adapter}" if adapter else "powauth"
    listed = set(importlib.import_module(path).__all__)
    assert named(REFERENCE / "names.md", f"## {path}") == listed
    assert all(hasattr(importlib.import_module(path), name) for name in listed)


def test_every_package_with_public_names_has_its_place() -> None:
    packages = {path.parent.name for path in (ROOT / "src/powauth").glob("*/__init__.py")}
    public = {name for name in packages if hasattr(importlib.import_module(f"powauth.{name}"), "__all__")}
    assert public - {"operations"} == set(ADAPTERS)  # a part of core, documented with it


@pytest.mark.parametrize("heading", SETTINGS)
def test_every_setting_is_documented_and_every_documented_setting_exists(heading: str) -> None:
    assert named(REFERENCE / "settings.md", heading) == fields(SETTINGS[heading])


def test_every_setting_says_what_it_is_for() -> None:
    silent = [
        (heading, row)
        for heading in SETTINGS
        for row in rows_of(REFERENCE / "settings.md", heading)
        if not row[-1] and row[0].strip("`") not in UNDERSTOOD
    ]
    assert silent == []


UNDERSTOOD = {
    *("after_sign_in", "after_sign_up", "after_sign_out", "after_close", "home"),
    *("paths", "sessions", "passwords", "cookies", "clock"),  # a type of their own says it, on the same page
    *("free", "first", "password", "longest", "times", "per", "id", "secret", "base_url", "schema"),
}


def rows_of(page: Path, heading: str) -> list[list[str]]:
    """Return the rows of a table without its head."""
    return [row for row in rows(page, heading) if row[0].startswith("`")]


def test_every_event_is_documented_and_every_documented_event_exists() -> None:
    extensions()
    assert named(REFERENCE / "events.md") == {kind.__name__ for kind in below(Event)}


def test_every_error_code_is_documented_with_its_status() -> None:
    documented = {(row[0], row[1], row[2]) for row in rows_of(REFERENCE / "errors.md", HEADING_OF_OUTCOMES)}
    raised = {(f"`{kind.code}`", str(kind.status), f"`{kind.__name__}`") for kind in below(AuthError)}
    assert documented == raised


HEADING_OF_OUTCOMES = "## Outcomes that a visitor may see"


def test_every_error_for_programmers_is_documented() -> None:
    kinds = {kind.__name__ for kind in {*PowauthError.__subclasses__(), ProviderError}} - {"AuthError"}
    assert named(REFERENCE / "errors.md", "## Errors for programmers") == kinds


def test_every_error_of_a_field_has_its_words_in_the_page() -> None:
    codes = {code for code in CORE_MESSAGES if code.startswith("error.")}
    assert named(REFERENCE / "errors.md", "## Errors of fields") == codes


def test_every_word_is_documented() -> None:
    documented = named(REFERENCE / "templates.md", "## Words")
    assert documented == {code for code in CORE_MESSAGES if not code.startswith(("error.", "problem."))}


def test_every_extension_has_its_section() -> None:
    text = (REFERENCE / "extensions.md").read_text()
    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == set(extensions())


@pytest.mark.parametrize("name", sorted(extensions()))
def test_every_setting_page_mail_and_word_of_an_extension_is_documented(name: str) -> None:
    extension = extensions()[name]
    manifest = extension.manifest()
    served = manifest.served()
    expected = set(fields(type(extension)))
    expected |= {verb for route in served for verb in verbs(route.page)}
    expected |= {f"{name}.{mail.name}" for mail in manifest.mails}
    expected |= {f"{name}.{code}" for code in manifest.messages}
    assert named(REFERENCE / "extensions.md", f"## {name}") == expected
    assert named(REFERENCE / "extensions.md", f"## {name}", 1) >= {route.page.path for route in served}


def verbs(page: object) -> set[str]:
    """Return the methods of a page as the tables name them."""
    if isinstance(page, FormPage):
        return {"GET", "POST"}
    return {"POST"} if isinstance(page, Post) else {"GET"}


def test_every_route_is_documented_and_every_documented_route_is_served() -> None:
    served = {route.page.path for one in extensions().values() for route in one.manifest().served()}
    listed = [row for row in rows_of(REFERENCE / "http.md", "") if row[0].startswith(("`GET", "`POST"))]
    documented = {row[1].strip("`") for row in listed}
    assert documented == served


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    text = (REFERENCE / "commands.md").read_text()
    expected = set()
    for lazy in COMMANDS:
        expected.add(f"powauth {lazy.name}")
        command = lazy.load()
        if isinstance(command, click.Group):
            expected |= {f"powauth {lazy.name} {name}" for name in command.commands}
    assert set(re.findall(r"^###? (powauth .+)$", text, re.MULTILINE)) == expected


def test_every_verb_of_a_store_is_documented() -> None:
    promised = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    written = named(REFERENCE / "stores.md", "## Store")
    assert {re.sub(r"^await (\w+)\(.*", r"\1", text) for text in written if "(" in text} == promised


@pytest.mark.parametrize(("heading", "kind"), [("### NewAccount", NewAccount), ("### Changes", Changes)])
def test_every_field_of_an_account_to_be_is_documented(heading: str, kind: type[Any]) -> None:
    assert named(REFERENCE / "databases.md", heading) == fields(kind)


def test_every_column_of_an_account_is_documented() -> None:
    assert named(REFERENCE / "databases.md", "## AccountColumns") == set(AccountColumns.__annotations__)


@pytest.mark.parametrize("kind", [Get, Post, FormPage])
def test_every_field_of_a_page_is_documented(kind: type[Any]) -> None:
    own = named(REFERENCE / "building.md", f"### {kind.__name__}")
    inherited = {field for base in kind.__mro__[1:] if dataclasses.is_dataclass(base) for field in fields(base)}
    assert own | inherited == fields(kind)


def test_every_sentence_that_is_called_met_is_named_by_a_test() -> None:
    met = {row[0] for row in rows(DOCS / "security.md", "## Sentences") if row[2].startswith("Met")}
    shown = {row[0] for row in rows(DOCS / "security.md", "## Which tests")}
    assert met - shown == set()


def test_every_sentence_has_its_row() -> None:
    numbers: list[int] = []
    for row in rows(DOCS / "security.md", "## Sentences")[1:]:
        first, _, last = row[0].replace("S", "").partition("–")
        numbers += range(int(first), int(last or first) + 1)
    assert numbers == list(range(1, 71))


# ---- whatever a page names ----

DOTTED = re.compile(r"`(powauth(?:\.\w+)+)`")
IMPORTED = re.compile(r"^\s*from (powauth[\w.]*) import (?:\(([^)]*)\)|([^\n(]+))$", re.MULTILINE)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_whatever_a_page_names_of_powauth_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [path for path in DOTTED.findall(text) if path not in measured() and not exists(path)] == []
    for block in blocks(page):
        for module, many, few in IMPORTED.findall(block.text):
            listed = re.sub(r"#.*", "", many or few).replace("\n", " ").split(",")
            for name in filter(None, (part.strip().split(" as ")[0] for part in listed)):
                assert exists(f"{module}.{name}"), f"{block}: {module} has no {name}"


MEASURED = re.compile(r'"(powauth\.[a-z_.]+)"')


def measured() -> set[str]:
    """Return the names of spans and metrics, and of what is said of them."""
    sources = (ROOT / "src/powauth" / name for name in ("telemetry.py", "watching.py", "edge.py"))
    names = {name for source in sources for name in MEASURED.findall(source.read_text(encoding="utf-8"))}
    return names | {f"{name}.duration" for name in get_args(Watched)}


def test_whatever_is_measured_has_its_place_in_the_guide() -> None:
    guide = (DOCS / "guides/watch-it-run.md").read_text(encoding="utf-8")
    assert {name for name in measured() if f"`{name}`" not in guide} == set()


def exists(path: str) -> bool:
    """Say whether a dotted path leads to something, or is the name of a logger, table or cookie in the reference."""
    module, _, name = path.rpartition(".")
    try:
        importlib.import_module(path)
    except ModuleNotFoundError:
        try:
            return hasattr(importlib.import_module(module), name)
        except ModuleNotFoundError:
            outer, _, middle = module.rpartition(".")
            return hasattr(getattr(importlib.import_module(outer), middle, None), name)
    return True
