"""The names of events in rows: the same as long as a class keeps its name and its extension."""

import re
from collections.abc import Iterable

from powauth import events
from powauth.events import Event
from powauth.extension import Extension

APPLICATION = "app"
"""Stands before the events of an application's own."""


def event_name(kind: type[Event], extensions: Iterable[type[Extension]]) -> str:
    """Return `signed_in` for an event of the core, `extension.event` for an extension's, `app.event` for another's."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower()
    if kind.__module__ == events.__name__:
        return name
    owner = next((e.name for e in extensions if e.name and _declares(e, kind)), APPLICATION)
    return f"{owner}.{name}"


def _declares(extension: type[Extension], kind: type[Event]) -> bool:
    """Say whether the event stands in the module of the extension or below it; a subclass elsewhere changes nothing."""
    modules = (base.__module__ for base in extension.__mro__ if issubclass(base, Extension) and base is not Extension)
    return any(kind.__module__ == module or kind.__module__.startswith(f"{module}.") for module in modules)
