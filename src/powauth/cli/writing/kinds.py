"""Kinds: extensions by name, what they need besides, and where in the list they stand."""

import ast
import dataclasses
import importlib
import keyword
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast

from powauth import extensions
from powauth.cli.failures import Misused
from powauth.extension import Extension

HOW = "name one that ships, or write package.module:Class"


@dataclass(frozen=True, slots=True)
class Kind:
    """An extension, where it is imported from, and its settings as they are written."""

    type: type[Extension]
    module: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """Its name."""
        return self.type.name

    def missing(self) -> list[str]:
        """Return the settings that it has no default for."""
        none = dataclasses.MISSING
        needed = [f.name for f in _fields(self.type) if f.default is none and f.default_factory is none]
        return [name for name in needed if name not in self.settings]


def shipped() -> list[str]:
    """Return the names of what ships."""
    return sorted(module.name for module in pkgutil.iter_modules(extensions.__path__))


def kind(name: str, settings: Sequence[str] = ()) -> Kind:
    """Return the extension of a name: of one that ships, or `package.module:Class`. Raises `Misused`."""
    module_name, _, class_name = name.partition(":")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in module_name.split(".")):
        raise _unknown(f"{name!r} names no extension: {HOW}")
    if "." not in module_name and not class_name:
        if name not in shipped():
            raise _unknown(f"no extension is called {name}: {HOW}. These ship: {', '.join(shipped())}")
        module_name = f"{extensions.__name__}.{name}"
    found = _class(_module(module_name), class_name)
    return Kind(found, module_name, _settings(found, settings))


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # somebody else's module can raise whatever it likes
        raise _unknown(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def _class(module: ModuleType, name: str) -> type[Extension]:
    values = [value for known, value in vars(module).items() if known == name or not name]
    found = [value for value in values if isinstance(value, type) and issubclass(value, Extension) and value.name]
    if not name:
        found = [one for one in found if one.__module__.startswith(module.__name__)]
    found = list(dict.fromkeys(found))
    last = [one for one in found if not any(issubclass(other, one) for other in found if other is not one)]
    if not last:
        raise _unknown(f"{module.__name__} has no extension {name}".rstrip())
    if len(last) > 1:
        raise _unknown(f"which extension of {module.__name__}? {', '.join(one.__name__ for one in last)}: {HOW}")
    return last[0]


def _fields(extension: type[Extension]) -> list[dataclasses.Field[Any]]:
    return [f for f in dataclasses.fields(cast("Any", extension)) if f.init]


def _settings(found: type[Extension], settings: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    names = [f.name for f in _fields(found)]
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or name not in names:
            message = f"--setting {text}: write name=value; {found.name} has {', '.join(names) or 'none'}"
            raise Misused(message, code="setting")
        try:
            ast.parse(value.strip(), mode="eval")
        except (SyntaxError, ValueError) as error:
            raise Misused(f"--setting {text}: write the value as in Python: 'text', 5, True", code="setting") from error
        if "\n" in value:
            raise Misused(f"--setting {name}: write the value in one line", code="setting")
        given[name] = value.strip()
    return given


def _unknown(sentence: str) -> Misused:
    return Misused(sentence, code="no_extension")


# ---- what else, and where ----


def with_needed(wanted: Kind, enabled: Iterable[type[Extension]]) -> list[Kind]:
    """Return what has to be added: all that is required and not there yet, and the extension itself, in that order."""
    there, found = list(enabled), list[Kind]()
    for needed in wanted.type.requires:
        if not any(issubclass(one, needed) for one in (*there, *(k.type for k in found))):
            found += with_needed(_of_type(needed), (*there, *(k.type for k in found)))
    return [*found, wanted]


def _of_type(needed: type[Extension]) -> Kind:
    module = needed.__module__
    ours = f"{extensions.__name__}.{needed.name}"
    return kind(needed.name) if module.startswith(ours) else Kind(needed, module)


def place(added: type[Extension], listed: Sequence[type[Extension]]) -> int:
    """Return the index at which it stands: at the end, unless something has to stand after it."""
    earliest = max((i + 1 for i, one in enumerate(listed) if issubclass(one, added.after)), default=0)
    later = (i for i, one in enumerate(listed) if any(issubclass(added, each) for each in one.after))
    return max(earliest, min(later, default=len(listed)))
