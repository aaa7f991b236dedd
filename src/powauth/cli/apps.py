"""The application that a command is about: `--app module:name`, an `Auth` or something that has one."""

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

import click

from powauth.auth import Auth
from powauth.cli.failures import Failure, Misused
from powauth.errors import ConfigurationError

ENVIRONMENT = "POWAUTH_APP"
HOW = "write it as --app module:name, such as --app shop.auth:auth"

C = TypeVar("C", bound=Callable[..., Any])


def app_option(command: C) -> C:
    """Give a command the `Auth` of `--app`, as its argument `auth`."""
    option = click.option("--app", "auth", metavar="MODULE:NAME", callback=_load, help=_HELP)
    return option(command)


def named_option(command: C) -> C:
    """Give a command what `--app` names, not loaded yet, as its argument `app`."""
    return click.option("--app", metavar="MODULE:NAME", callback=_named, help=_HELP)(command)


_HELP = f"An Auth, or an application that has one. [env: {ENVIRONMENT}]"


def _load(ctx: click.Context, param: click.Parameter, value: str | None) -> Auth[Any] | None:
    named = _named(ctx, param, value)
    return None if ctx.resilient_parsing else load(named)


def _named(ctx: click.Context, param: click.Parameter, value: str | None) -> str:  # noqa: ARG001  the shape of a call-back
    named = value or ctx.find_root().params.get("app") or os.environ.get(ENVIRONMENT)
    if not named and not ctx.resilient_parsing:
        raise _wrong(f"which application? {HOW}, or set {ENVIRONMENT}")
    return str(named)


def load(named: str) -> Auth[Any]:
    """Return the `Auth` that `module:name` leads to.

    Raises `Misused` when there is none, and `Failure` when its settings are refused.
    """
    try:
        return find(named)
    except ConfigurationError as error:
        raise Failure(*error.problems, code="configuration") from error


def find(named: str) -> Auth[Any]:
    """Return the `Auth` that `module:name` leads to. Raises `Misused`, and `ConfigurationError` from the module."""
    module_name, colon, path = named.partition(":")
    if not module_name.replace(".", "").isidentifier() or (colon and not path.replace(".", "").isidentifier()):
        raise _wrong(f"{named!r} names no application: {HOW}")
    module = _imported(module_name)
    if not colon:
        raise _wrong(f"{named!r} names only a module: {_offer(module) or HOW}")
    value: object = module
    for name in path.split("."):
        if not hasattr(value, name):
            raise _wrong(f"{module_name} has no {path}: {_offer(module) or HOW}")
        value = getattr(value, name)
    return _auth_of(named, value)


def _imported(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except ConfigurationError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise _wrong(
                f"there is no module {name}: it is looked for in {folder} and where Python finds others"
            ) from error
        raise _wrong(_broken(name, error)) from error
    except Exception as error:  # an application can raise whatever it likes
        raise _wrong(_broken(name, error)) from error


def _broken(name: str, error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(Path.cwd()) and "site-packages" not in f.filename]
    last = (own or frames)[-1]
    return f"{name} cannot be imported: {type(error).__name__}: {error} ({last.filename}, line {last.lineno})"


def _auth_of(named: str, value: object, *, may_call: bool = True) -> Auth[Any]:
    found = list(dict.fromkeys(_auths(value)))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(auth.name for auth in found))
        raise _wrong(f"{named} has several Auths ({names}): name one of them instead of the application")
    if (
        may_call
        and isinstance(value, FunctionType)
        and not inspect.iscoroutinefunction(value)
        and _needs_nothing(value)
    ):
        return _auth_of(f"{named}()", _called(named, value), may_call=False)
    raise _wrong(f"{named} is a {type(value).__name__} without an Auth: name the Auth itself, or install() it first")


def _called(named: str, factory: Callable[[], object]) -> object:
    try:
        return factory()
    except ConfigurationError:
        raise
    except Exception as error:  # an application can raise whatever it likes
        raise _wrong(_broken(f"{named}()", error)) from error


def _needs_nothing(function: FunctionType) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return all(p.default is not p.empty or p.kind in {p.VAR_POSITIONAL, p.VAR_KEYWORD} for p in parameters)


def _auths(value: object) -> Iterator[Auth[Any]]:
    """Give every `Auth` that a value is or holds: on itself, in its state, in its middleware, in what it mounts."""
    if isinstance(value, Auth):
        yield value
        return
    held = _attributes(value)
    state = _attributes(held.get("state"))
    starlette: dict[str, Any] = state.get("_state", {})  # its State keeps names in there
    layers: list[Any] = held.get("user_middleware", [])  # its middleware, with arguments, in here
    mounts: list[Any] = _attributes(held.get("router")).get("routes", [])  # and in there what install() puts
    mounted = [_attributes(_attributes(mount).get("app")) for mount in mounts]
    for values in (held, state, starlette, *(getattr(layer, "kwargs", {}) for layer in layers), *mounted):
        yield from (known for known in values.values() if isinstance(known, Auth))


def _attributes(value: object) -> dict[str, Any]:
    return {} if isinstance(value, ModuleType | type) else dict(getattr(value, "__dict__", {}))


def _offer(module: ModuleType) -> str:
    found = [f"--app {module.__name__}:{name}" for name, value in vars(module).items() if any(_auths(value))]
    return f"it has {', '.join(found)}" if found else ""


def _wrong(sentence: str) -> Misused:
    return Misused(sentence, code="no_app")
