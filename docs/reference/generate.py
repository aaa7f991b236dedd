"""Writes the tables of the reference from the code, so that they cannot drift: `python docs/reference/generate.py`.

A table stands in a page between `<!-- table: what -->` and `<!-- end -->`; everything around it is written by hand.
With `--check` nothing is written: it says which pages are stale, and exits with 1 if any is.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import powauth
import powauth.extensions
import powauth.oauth
from powauth import errors, events, records
from powauth.cli import COMMANDS, main
from powauth.cli.routes import describe
from powauth.cli.standards import DEMANDS
from powauth.extension import Extension, Manifest
from powauth.forms import asked
from powauth.messages import CORE_MESSAGES
from powauth.pages import Page
from powauth.plan import Bound
from powauth.providers import Google
from powauth.routing import form_of
from powauth.sqlalchemy import AccountColumns, SQLAlchemyDatabase
from powauth.testing import Outbox

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PAGES = (*sorted(FOLDER.glob("*.md")), FOLDER.parent / "security.md", FOLDER.parent / "supported.md")
SOURCE = Path(powauth.__file__).parent
BLOCK = re.compile(r"(<!-- table: (?P<what>[^>]*?) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)

Rows = Iterator[Sequence[str]]


def main_() -> int:
    """Write every page, or with `--check` only say which are stale."""
    stale = [path for path in PAGES if path.read_text() != rendered(path.read_text())]
    for path in stale:
        if "--check" in sys.argv:
            print(f"{path.name} is stale: run python docs/reference/generate.py")
        else:
            path.write_text(rendered(path.read_text()))
            print(f"{path.name} written")
    return 1 if stale and "--check" in sys.argv else 0


def rendered(text: str) -> str:
    """Return the text of a page with its tables as the code has them now."""

    def made(found: re.Match[str]) -> str:
        verb, *arguments = found["what"].split()
        return f"{found[1]}\n{TABLES[verb](*arguments)}\n{found[4]}"

    return BLOCK.sub(made, text)


def table(header: Sequence[str], rows: Rows) -> str:
    """Return a Markdown table; a sentence where it would have no rows."""
    found = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    if not found:
        return "None.\n"
    lines = [header, ["---"] * len(header), *found]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: object) -> str:
    """Return something as code; nothing stays nothing."""
    return f"`{text}`" if text != "" else ""


# ---- what the source says ----


@cache
def tree(path: str) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def said(thing: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def body_of(cls: type[Any]) -> list[ast.stmt]:
    """Return the statements of a class, as its file has them."""
    syntax = tree(inspect.getsourcefile(cls) or "")
    return next(node.body for node in ast.walk(syntax) if isinstance(node, ast.ClassDef) and node.name == cls.__name__)


def attributes(cls: type[Any], *, of_class: bool = False) -> Iterator[tuple[str, str, str, str]]:
    """Give name, type, default and words of each annotated attribute of a class, its own or those of its values."""
    body = body_of(cls)
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if node.target.id.startswith("_") or of_class is not ("ClassVar" in ast.unparse(node.annotation)):
            continue
        is_said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        words = str(after.value.value) if is_said else ""  # type: ignore[union-attr]
        yield node.target.id, ast.unparse(node.annotation), default_of(node.value), " ".join(words.split())


def default_of(value: ast.expr | None) -> str:
    """Return a default as it is written; empty where one has to be given, or where nobody gives one."""
    if value is None:
        return ""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        if "default_factory" in given:
            made = ast.unparse(given["default_factory"]).partition("[")[0]
            return "{}" if made == "dict" else f"{made}()"
        return ast.unparse(given["default"]) if "default" in given else ""
    return ast.unparse(value)


def thing_at(path: str) -> Any:
    """Return what a dotted path names."""
    return pkgutil.resolve_name(path)


@cache
def announcers() -> Mapping[str, tuple[str, ...]]:
    """Return which functions announce each event: whoever makes one to `emit`, `trace` or append to `traces`."""
    names = {event.__name__ for event in all_events()}
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(tree(str(path))):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                called = [call.func.id for call in ast.walk(node) if isinstance(call, ast.Call) and is_name(call.func)]
                for name in sorted(names.intersection(called)):
                    found.setdefault(name, []).append(f"{module}.{node.name}")
    return {name: tuple(sorted(where)) for name, where in found.items()}


def is_name(node: ast.expr) -> bool:
    """Say whether this is a bare name."""
    return isinstance(node, ast.Name)


# ---- names ----


def public(module: ModuleType) -> Sequence[str]:
    """Return the public names of a module."""
    listed: Sequence[str] = getattr(module, "__all__", ())
    return listed


def names(path: str) -> str:
    """Return every public name of a module, and what it is."""
    module = importlib.import_module(path)

    def rows() -> Rows:
        for name in sorted(public(module), key=str.casefold):
            thing = getattr(module, name)
            yield code(name), kind_of(thing), where(thing, path), said_of(thing, name, module)

    return table(("name", "is a", "from", "what it is"), rows())


def said_of(thing: object, name: str, module: ModuleType) -> str:
    """Return what is said of a name: its docstring, or the string below its assignment."""
    if not (inspect.isclass(thing) or callable(thing)) or type(thing).__name__ == "NewType":
        home = module if isinstance(thing, dict) else importlib.import_module(home_of(thing, module))
        for scope in (home, *sys.modules.values()):
            if getattr(scope, "__name__", "").startswith("powauth") and getattr(scope, "__file__", None):
                words = assigned(str(scope.__file__)).get(name)
                if words:
                    return words
        return said(type(thing))
    return said(thing)


@cache
def assigned(path: str) -> Mapping[str, str]:
    """Return the words below the assignments of a file."""
    body = tree(path).body
    found: dict[str, str] = {}
    for node, after in pairwise(body):
        is_named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if is_named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[node.targets[0].id] = " ".join(str(after.value.value).split())  # type: ignore[union-attr]
    return found


def home_of(thing: object, module: ModuleType) -> str:
    """Return the module that something was made in."""
    return str(getattr(thing, "__module__", None) or module.__name__)


def where(thing: object, path: str) -> str:
    """Return the module that a name comes from, below `powauth`."""
    home = str(getattr(thing, "__module__", "") or path)
    return code(home.removeprefix("powauth.")) if home.startswith("powauth") else code(path.removeprefix("powauth."))


def kind_of(thing: object) -> str:
    """Return what a name is, in a word."""
    if type(thing).__name__ == "NewType":
        return "type"
    if inspect.isclass(thing):
        if issubclass(thing, Exception):
            return "error"
        if getattr(thing, "_is_protocol", False):
            return "protocol"
        return "extension" if issubclass(thing, Extension) else "class"
    if isinstance(thing, click.Command):
        return "command"
    return "function" if inspect.isroutine(thing) else "value"


# ---- settings, views, protocols ----


def settings(path: str) -> str:
    """Return the settings that a class takes."""
    rows = ((code(n), code(t), code(d) or "required", w) for n, t, d, w in attributes(thing_at(path)))
    return table(("setting", "type", "default", "what it says"), rows)


def fields(path: str) -> str:
    """Return the fields that a value has."""
    rows = ((code(n), code(t), w) for n, t, _, w in attributes(thing_at(path)))
    return table(("field", "type", "what it says"), rows)


def classfields(path: str) -> str:
    """Return what a subclass says about itself."""
    found = attributes(thing_at(path), of_class=True)
    rows = ((code(n), code(t.removeprefix("ClassVar[").removesuffix("]")), code(d), w) for n, t, d, w in found)
    return table(("attribute", "type", "default", "what it says"), rows)


def columns(path: str) -> str:
    """Return the columns that a mixin brings."""
    rows = (
        (code(n), code(t.removeprefix("Mapped[").removesuffix("]")), w) for n, t, _, w in attributes(thing_at(path))
    )
    return table(("column", "type", "what it says"), rows)


def operations() -> str:
    """Return what can be done to an account."""
    files = ("signing_up", "authentication", "signing_in", "changes", "locks", "closing", "requests")
    nodes = [node for name in files for node in tree(str(SOURCE / "operations" / f"{name}.py")).body]

    def rows() -> Rows:
        for node in nodes:
            if isinstance(node, ast.AsyncFunctionDef) and node.name in powauth.__all__:
                yield code(signature(node)), " ".join((ast.get_docstring(node) or "").split())

    return table(("operation", "what it promises"), rows())


def arguments(path: str) -> str:
    """Return what a constructor takes, `__init__` or one that has a name."""
    constructor = thing_at(path)
    call = constructor.__func__ if inspect.ismethod(constructor) else constructor.__init__

    def rows() -> Rows:
        for parameter in list(inspect.signature(call).parameters.values())[1:]:
            annotation = inspect.formatannotation(parameter.annotation).replace("powauth.", "")
            has_default = parameter.default is not parameter.empty
            default = code(repr(parameter.default).replace("datetime.", "")) if has_default else "required"
            yield code(parameter.name), code(re.sub(r"\b[a-z_]+\.(?=[A-Z])", "", annotation)), default

    return table(("argument", "type", "default"), rows())


def verbs(path: str) -> str:
    """Return the methods of a class or protocol, in their order."""

    def rows() -> Rows:
        for node in body_of(thing_at(path)):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and not node.name.startswith("_"):
                yield code(signature(node)), " ".join((ast.get_docstring(node) or "").split())

    return table(("verb", "what it promises"), rows())


def signature(node: ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    """Return a method as it is called."""
    if any(ast.unparse(decorator) == "property" for decorator in node.decorator_list):
        return f"{node.name}: {ast.unparse(node.returns) if node.returns else ''}"
    arguments_ = re.sub(r"^self(, )?", "", ast.unparse(node.args))
    returned = ast.unparse(node.returns) if node.returns else "None"
    return f"{'await ' * isinstance(node, ast.AsyncFunctionDef)}{node.name}({arguments_}) -> {returned}"


def marks_(path: str) -> str:
    """Return the marks that a module's fields can bear."""
    module = importlib.import_module(path)
    kinds: Sequence[type[Any]] = getattr(module, "Mark").__args__  # noqa: B009  not known to every module

    def rows() -> Rows:
        for kind in kinds:
            if kind is records.Text and path != "powauth.records":
                continue
            given = ", ".join(f"{n}: {t} = {d}" if d else f"{n}: {t}" for n, t, d, _ in attributes(kind))
            yield code(f"{kind.__name__}({given})"), said(kind)

    return table(("mark", "what it says"), rows())


# ---- events and errors ----


def all_events() -> Sequence[type[events.Event]]:
    """Return every event, of core and of extensions."""
    every_extension()
    # A dataclass with slots is made twice; only the second one has its name.
    below = events.Event.__subclasses__()
    found = [kind for kind in below if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind]
    found = [kind for kind in found if kind.__module__.startswith("powauth.")]
    return sorted(found, key=lambda kind: (kind.__module__, _line(kind)))


def events_() -> str:
    """Return every event."""

    def rows() -> Rows:
        for kind in all_events():
            held = ", ".join(code(f"{name}: {type_}") for name, type_, _, _ in attributes(kind))
            by = ", ".join(code(name) for name in announcers().get(kind.__name__, ())) or "nobody yet"
            yield code(kind.__name__), said(kind), held, by

    return table(("event", "when", "what it holds", "announced by"), rows())


def errors_() -> str:
    """Return every outcome that a visitor may see."""

    def rows() -> Rows:
        every_extension()  # loads those that extensions add
        for kind in subclasses(errors.AuthError):
            held = list(vars(bare(kind)))
            yield code(kind.code), str(kind.status), code(kind.__name__), said(kind), ", ".join(map(code, held))

    return table(("code", "status", "class", "what it means", "holds"), rows())


def bare(kind: type[errors.AuthError]) -> errors.AuthError:
    """Return one, made of whatever it asks for."""
    samples: dict[str, tuple[Any, ...]] = {  # by name: an import here would change in which order they are listed
        "ActionRequired": ("", ""),
        "ConnectAgain": ("", "refused"),
        "MethodNotAllowed": (("GET",),),
        "InvalidForm": ({},),
        "TooManyAttempts": (errors.timedelta(),),
    }
    return kind(*samples.get(kind.__name__, ()))


def subclasses(kind: type[Any]) -> list[type[Any]]:
    """Return all below a class, each before its own, by status and place: whoever was imported first says nothing."""
    found = sorted(kind.__subclasses__(), key=lambda each: (each.status, each.__module__, _line(each)))
    return [each for below in found for each in (below, *subclasses(below))]


def _line(kind: type[Any]) -> int:
    return inspect.getsourcelines(kind)[1]


def programmers_errors() -> str:
    """Return what is raised to programmers."""
    found = [kind for kind in errors.PowauthError.__subclasses__() if kind is not errors.AuthError]
    return table(("error", "what it means"), ((code(kind.__name__), said(kind)) for kind in found))


def words(prefix: str) -> str:
    """Return core's words that begin with this."""
    return table(("code", "English"), ((code(c), w) for c, w in CORE_MESSAGES.items() if c.startswith(prefix)))


# ---- extensions ----


@cache
def every_extension() -> tuple[type[Extension], ...]:
    """Return the extensions that ship, by name."""
    found: list[type[Extension]] = []
    for info in pkgutil.iter_modules(powauth.extensions.__path__):
        module = importlib.import_module(f"powauth.extensions.{info.name}")
        own = [thing for thing in vars(module).values() if inspect.isclass(thing) and issubclass(thing, Extension)]
        found += [kind for kind in own if kind.__module__ == module.__name__]
    return tuple(sorted(found, key=lambda kind: kind.name))


def extension(name: str) -> str:
    """Return all that an extension says of itself."""
    kind = next(known for known in every_extension() if known.name == name)
    manifest = kind().manifest()
    parts = [
        f"{said(kind)} `from {kind.__module__} import {kind.__name__}`\n",
        *paragraphs(kind, manifest),
        f"**Settings**\n\n{table(('setting', 'type', 'default', 'what it says'), own_settings(kind))}",
    ]
    parts += [f"**Pages**\n\n{routes_of([(name, manifest)])}"] if manifest.routes else []
    parts += [f"**Mails**\n\n{mails_of(name, manifest)}"] if manifest.mails else []
    parts += [f"**Words**\n\n{words_of(name, manifest)}"] if manifest.messages else []
    return "\n".join(parts)


def own_settings(kind: type[Extension]) -> Rows:
    """Give the settings of an extension."""
    classes = [cls for cls in reversed(kind.__mro__) if issubclass(cls, Extension) and cls is not Extension]
    for name, type_, default, about in (row for cls in classes for row in attributes(cls)):
        yield code(name), code(type_), code(default) or "required", about


def paragraphs(kind: type[Extension], manifest: Manifest) -> Iterator[str]:
    """Give what an extension needs, listens to, announces and keeps, where there is anything."""
    module = kind.__module__.removeprefix("powauth.")
    announced = [e for e, by in announcers().items() if any(f"{one}.".startswith(f"{module}.") for one in by)]
    listed = {
        "Requires": [needed.name for needed in kind.requires],
        "Stands after": [earlier.name for earlier in kind.after],
        "Listens to": list(dict.fromkeys(hook.event.__name__ for hook in manifest.hooks)),
        "Announces": announced,
        "Tokens": [f"{token.name} ({lasting(token.lifetime)})" for token in manifest.tokens],
        "Tables": [record.__table__ for record in manifest.records],
        "Cookies": list(manifest.cookies),
        "Chores": [chore.name for chore in manifest.chores],
        "Commands": [command.name for command in manifest.commands],
    }
    for title, found in listed.items():
        if found:
            yield f"{title}: {', '.join(map(code, found))}.\n"


def lasting(span: timedelta) -> str:
    """Return a time as it is said."""
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours"


def mails_of(name: str, manifest: Manifest) -> str:
    """Return the mails of an extension."""
    rows = (
        (code(f"{name}.{kind.name}"), manifest.messages[f"{kind.name}.subject"], "yes" if kind.page else "no")
        for kind in manifest.mails
    )
    return table(("kind", "subject", "holds a link"), rows)


def words_of(name: str, manifest: Manifest) -> str:
    """Return the words of an extension."""
    return table(("code", "English"), ((code(f"{name}.{c}"), w) for c, w in manifest.messages.items()))


def routes() -> str:
    """Return every page of every extension."""
    return routes_of([(kind.name, kind().manifest()) for kind in every_extension()])


def routes_of(manifests: Sequence[tuple[str, Manifest]]) -> str:
    """Return the pages of these manifests."""

    def rows() -> Rows:
        for name, manifest in manifests:
            for route in manifest.served():
                found = describe(Bound(name, route.original, route.page), "")
                listed = {key: " ".join(map(code, value)) for key, value in found.items() if isinstance(value, list)}
                path, page, who = code(found["path"]), code(found["page"]), str(found["requires"])
                yield listed["methods"], path, page, inputs(route.page), who, str(found["limit"] or ""), listed["marks"]

    return table(("method", "path", "page", "fields", "who", "limit", "marks"), rows())


def inputs(page: Page) -> str:
    """Return the fields that are sent to a page."""
    form = form_of(page)
    return ", ".join(code(field.name) for field in asked(form, ("email", "username"))) if form else ""


# ---- the command line ----


def commands() -> str:
    """Return every command with its options."""
    parts = [f"{main.get_help(click.Context(main, info_name='powauth')).partition('Commands:')[0].strip()}\n"]
    text = [f"```text\n{parts[0]}```\n"]
    for lazy in COMMANDS:
        command = lazy.load()
        ctx = click.Context(command, info_name=f"powauth {lazy.name}", max_content_width=100, terminal_width=100)
        text.append(f"## powauth {lazy.name}\n\n{lazy.help}\n\n```text\n{command.get_help(ctx).strip()}\n```\n")
        if isinstance(command, click.Group):
            for name, below in command.commands.items():
                inner = click.Context(below, info_name=f"powauth {lazy.name} {name}", terminal_width=100)
                text.append(f"### powauth {lazy.name} {name}\n\n```text\n{below.get_help(inner).strip()}\n```\n")
    return "\n".join(text)


# ---- what is tested, and against what ----

SENTENCE = re.compile(r"\bS([1-9][0-9]?)\b")


def sentences() -> str:
    """Return which tests name each sentence about security."""
    found: dict[int, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number in SENTENCE.findall(path.read_text(encoding="utf-8")):
            found.setdefault(int(number), set()).add(path.relative_to(ROOT / "tests").as_posix())
    rows = ((f"S{number}", " ".join(map(code, sorted(found[number])))) for number in sorted(found))
    return table(("no", "in `tests/`"), rows)


def demands() -> str:
    """Return how an application stands that enables everything, to each demand of the standards."""
    plan = sample().plan

    def rows() -> Rows:
        for demand in DEMANDS:
            standing = demand.judge(plan)
            yield demand.identifier, demand.level, demand.title, standing.status, standing.reason

    return table(("requirement", "level", "what it asks", "standing", "why"), rows())


def sample() -> powauth.Auth[Any]:
    """Return an application with every extension that ships, on https, with default settings."""

    class Base(DeclarativeBase):
        pass

    class User(AccountColumns, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    database = SQLAlchemyDatabase(async_sessionmaker(create_async_engine("sqlite+aiosqlite:///sample.db")), User)
    google = Google(client_id="id", client_secret="secret")
    settings: dict[str, dict[str, Any]] = {"providers": {"providers": [google]}}
    extensions_ = [kind(**settings.get(kind.name, {})) for kind in every_extension()]
    secret, base_url = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "https://example.com/auth"
    return powauth.Auth(secret=secret, database=database, base_url=base_url, mailer=Outbox(), extensions=extensions_)


def versions() -> str:
    """Return the lowest and the newest version of each library that the tests run with."""
    lowest, newest = pinned("lowest"), pinned("dev")
    rows = ((name, lowest[name], newest[name]) for name in TESTED.split())
    return table(("library", "lowest", "newest"), rows)


TESTED = (
    "starlette fastapi sqlalchemy aiosqlite asyncpg psycopg asyncmy jinja2 argon2-cffi email-validator bcrypt click"
    " aiosmtplib httpx2 redis"
)


def pinned(name: str) -> Mapping[str, str]:
    """Return the versions in a file of pins."""
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


TABLES: Mapping[str, Callable[..., str]] = {
    "arguments": arguments,
    "classfields": classfields,
    "columns": columns,
    "commands": commands,
    "demands": demands,
    "errors": errors_,
    "events": events_,
    "extension": extension,
    "fields": fields,
    "marks": marks_,
    "names": names,
    "operations": operations,
    "programmers_errors": programmers_errors,
    "routes": routes,
    "sentences": sentences,
    "settings": settings,
    "verbs": verbs,
    "versions": versions,
    "words": words,
}

if __name__ == "__main__":
    sys.exit(main_())
