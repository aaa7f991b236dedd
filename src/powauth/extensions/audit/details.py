"""What is written of an event's fields, by their types: what is not known to be harmless is left out."""

import re
import types
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast

from powauth.accounts import Account, Handle, InvalidEmail, NewAccount, email_key, parse_email
from powauth.events import Event, Personal, Plain, Unwritten
from powauth.records import Record
from powauth.session import Session

LONGEST = 200
MOST = 50
"""Texts are cut off there, and lists: a row must not be as long as somebody likes."""

Digest = Callable[[str], str]
Writer = Callable[[Any, Digest], object]
"""Returns what is written of a value as JSON; `None` writes nothing."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a row takes from an event."""

    account: Handle
    session: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    is_account: bool
    is_session: bool
    write: Writer


def written(event: Event, digest: Digest) -> Written:
    """Return what may be written of an event. The first field that is an account or a handle says whose it is."""
    account, session, details = "", "", dict[str, object]()
    for field in _known(type(event)):
        value = getattr(event, field.name)
        found = None if value is None else field.write(value, digest)
        if found is None:
            continue
        if field.is_account and not account:
            account = str(found)
        elif field.is_session and not session:
            session = str(found)
            account = account or (value.handle if isinstance(value, Session) else "")
        else:
            details[field.name] = found
    return Written(Handle(account), session, details)


_fields_of: dict[type[Event | Record], tuple[_Field, ...]] = {}


def _known(kind: type[Event | Record]) -> tuple[_Field, ...]:
    if kind not in _fields_of:  # as many as there are classes
        _fields_of[kind] = _fields(kind)
    return _fields_of[kind]


def _fields(kind: type[Event | Record]) -> tuple[_Field, ...]:
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except (NameError, TypeError):  # an annotation that cannot be read says nothing about what is harmless
        return ()
    found = (_field(known.name, hints.get(known.name)) for known in fields(kind))
    return tuple(field for field in found if field is not None)


def _field(name: str, hint: object) -> _Field | None:
    marks: tuple[object, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, *rest = typing.get_args(hint)
        marks = tuple(rest)
    write = _writer(_without_none(hint), marks)
    if write is None:
        return None
    is_account = name in {"account", "handle"} and write in {_account, _handle}
    return _Field(name, is_account, write is _session or (name == "session" and write is _plain), write)


def _writer(hint: object, marks: Collection[object]) -> Writer | None:
    if any(isinstance(mark, Unwritten) or mark is Unwritten for mark in marks):
        return None
    if any(isinstance(mark, Personal) or mark is Personal for mark in marks):
        return _personal
    if any(isinstance(mark, Plain) or mark is Plain for mark in marks):
        return _plain
    if hint is Handle:
        return _handle
    if typing.get_origin(hint) is Literal:
        return _one_of(typing.get_args(hint))
    return _by_class(hint) if isinstance(hint, type) else None


def _by_class(hint: type[Any]) -> Writer | None:
    known: tuple[tuple[type[Any], Writer], ...] = (
        (Account, _account),
        (NewAccount, _newcomer),
        (Session, _session),
        (Record, _record),
        (bool, _bool),
        (date, _time),
        (timedelta, _time),
        (Enum, _member),
    )
    return next((write for kind, write in known if issubclass(hint, kind)), None)


def _without_none(hint: object) -> object:
    if typing.get_origin(hint) not in {Union, types.UnionType}:
        return hint
    rest = [part for part in typing.get_args(hint) if part is not type(None)]
    return rest[0] if len(rest) == 1 else None


def _account(value: object, _: Digest) -> object:
    return value.handle if isinstance(value, Account) else None


def _newcomer(value: object, digest: Digest) -> object:
    return _personal(value.email, digest) if isinstance(value, NewAccount) else None


def _session(value: object, _: Digest) -> object:
    return value.public_id if isinstance(value, Session) else None


def _record(value: object, digest: Digest) -> object:
    if not isinstance(value, Record):
        return None
    found = {field.name: field.write(getattr(value, field.name), digest) for field in _known(type(value))}
    return {name: told for name, told in found.items() if told is not None and told != ""}


def _handle(value: object, _: Digest) -> object:
    # A type says what should be there. What a careless caller put in its place is no handle, and may be anything.
    return value if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}", value) else None


def _one_of(allowed: tuple[object, ...]) -> Writer:
    def write(value: object, _: Digest) -> object:
        return value if any(value is known or value == known for known in allowed) else None

    return write


def _bool(value: object, _: Digest) -> object:
    return value if isinstance(value, bool) else None


def _time(value: object, _: Digest) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date) else None


def _member(value: object, _: Digest) -> object:
    return value.name if isinstance(value, Enum) else None


def _plain(value: object, digest: Digest) -> object:
    if isinstance(value, bool | int | float):
        return value if isinstance(value, bool) or abs(value) < 2**53 else None  # what every JSON reader reads exactly
    if isinstance(value, str):
        return printable(value, LONGEST)
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(member, digest) for member in list(cast("Collection[object]", value))[:MOST]]
    return None


def _personal(value: object, digest: Digest) -> object:
    """Return what tells whether two addresses are the same. What is none may be a password in the wrong field."""
    if not isinstance(value, str):
        return None
    try:
        return digest(email_key(parse_email(value)))
    except InvalidEmail:
        return None


def printable(text: str, longest: int) -> str:
    """Return a text that every engine stores and no terminal obeys."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:longest])
