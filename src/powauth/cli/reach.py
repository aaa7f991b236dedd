"""What a function can lead to, as far as its code names it. It finds too much rather than too little."""

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType


def leads_to(start: Callable[..., object], targets: Collection[object]) -> bool:
    """Say whether a function, or one that it names, names one of these. What cannot be looked into may do anything."""
    seen: dict[int, object] = {}
    waiting: list[object] = [start]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing  # kept, so that no other thing gets its id
        if any(thing is target for target in targets):
            return True
        waiting += _named_by(thing)
    return not any(isinstance(thing, FunctionType) for thing in seen.values())


def name_of(function: object) -> str:
    """Return what a person finds a function by: `shop.hooks.greet`."""
    bare = _inside(function)
    return f"{getattr(bare, '__module__', '')}.{getattr(bare, '__qualname__', type(bare).__qualname__)}"


def _inside(function: object) -> object:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(function) if callable(function) else function


def _named_by(thing: object) -> Iterator[object]:
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, MethodType):
        yield from (thing.__func__, thing.__self__)
    elif isinstance(thing, FunctionType):
        yield from _named_by_code(thing)
    elif callable(thing) and not isinstance(thing, type):
        yield inspect.getattr_static(type(thing), "__call__", None)


def _named_by_code(function: FunctionType) -> Iterator[object]:
    if function.__module__.partition(".")[0] in sys.stdlib_module_names:
        return
    yield from (cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell))
    yield getattr(function, "__wrapped__", None)
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    for name in names:
        value = function.__globals__.get(name)
        yield value
        if isinstance(value, (ModuleType, type)):  # its parts, where the code names one of them
            yield from (inspect.getattr_static(value, part, None) for part in names)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_filled(cell: object) -> bool:
    try:
        return hasattr(cell, "cell_contents")
    except ValueError:  # not assigned yet
        return False
