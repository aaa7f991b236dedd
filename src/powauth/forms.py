"""A form is a frozen dataclass of annotated fields; `reading.read` fills it with what was sent.

    class SignUpForm(Form):
        email: Annotated[str, Email()]
        password: Annotated[str, Password(new=True)]
        newsletter: bool = False

A field is `str`, `int` or `bool`, or one of these or `None`. A default makes it optional; `None` stands for left empty.
"""

import dataclasses
import types
import typing
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field
from typing import Annotated, Any, Literal, TypeVar, Union, dataclass_transform

from powauth.accounts import MAX_EMAIL
from powauth.errors import ConfigurationError
from powauth.records import Text

F = TypeVar("F", bound="Form")

MAX_PASSWORD = 4096  # bytes; hashing longer ones would be work that strangers can order


@dataclass(frozen=True, slots=True)
class Email:
    """An address that mail can be sent to; arrives as it is stored."""


@dataclass(frozen=True, slots=True)
class Username:
    """A user name; arrives as it is stored."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """What an account is found by; unlike `Email` a wrong one is no error of the form. Shown where it is configured."""

    kind: Literal["email", "username"]


@dataclass(frozen=True, slots=True)
class Password:
    """A password; never trimmed, never echoed. `new` is one to be set: shown rules, other autocompletion."""

    new: bool = False


@dataclass(frozen=True, slots=True)
class Multiline:
    """A text of several lines."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these values; the words of each stand under the message code `<field>.<value>`."""

    options: tuple[str, ...]

    def __init__(self, *options: str) -> None:
        object.__setattr__(self, "options", options)


@dataclass(frozen=True, slots=True)
class Between:
    """The least and greatest number."""

    least: int
    greatest: int


@dataclass(frozen=True, slots=True)
class MustBeTicked:
    """A box that has to be ticked."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Not shown to a person."""


@dataclass(frozen=True, slots=True)
class Autocomplete:
    """What the browser may fill in (HTML, "Autofill")."""

    token: str


Mark = (
    Text
    | Email
    | Username
    | Identifier
    | Password
    | Multiline
    | Choice
    | Between
    | MustBeTicked
    | Hidden
    | Autocomplete
)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Form:
    """Base of every form. A subclass is a frozen, keyword-only dataclass."""

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        dataclass(frozen=True, kw_only=True, repr=False)(cls)  # a generated one would show passwords (S69)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}=…" for name in field_names(type(self)))
        return f"{type(self).__name__}({shown})"


class NoForm(Form):
    """The form of a page that asks for nothing but a click."""


FieldKind = Literal["text", "multiline", "email", "username", "password", "number", "checkbox", "choice", "hidden"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form, as readers, templates and OpenAPI need it."""

    name: str
    kind: FieldKind
    value: Literal["str", "int", "bool"]
    """The type of what it holds."""
    required: bool
    default: object
    max: int
    marks: tuple[Mark, ...]

    def mark(self, kind: type[Any]) -> Any:  # noqa: ANN401  the mark of the class that was asked for
        """Return the mark of that kind."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def is_new_password(self) -> bool:
        """Whether it is a password to be set."""
        mark = self.mark(Password)
        return bool(mark and mark.new)

    @property
    def autocomplete(self) -> str:
        """What the browser may fill in; empty if nothing was said."""
        mark = self.mark(Autocomplete)
        return mark.token if mark else ""

    @property
    def is_secret(self) -> bool:
        """Whether what was typed must never be sent back."""
        return self.kind == "password"


_known: dict[type[Form], tuple[FormField, ...]] = {}


def form_fields(form: type[Form]) -> tuple[FormField, ...]:
    """Return the fields of a form in their order."""
    if form not in _known:
        hints = typing.get_type_hints(form, include_extras=True)
        _known[form] = tuple(_field(form, f, hints[f.name]) for f in _declared(form))
    return _known[form]


def _declared(form: type[Form]) -> tuple[dataclasses.Field[Any], ...]:
    made: Any = form  # `__init_subclass__` makes each subclass a dataclass; the base itself has no fields
    return dataclasses.fields(made) if dataclasses.is_dataclass(made) else ()


def field_names(form: type[Form]) -> tuple[str, ...]:
    """Return the names of a form's fields."""
    return tuple(f.name for f in _declared(form))


def form_name(form: type[Form]) -> str:
    """Return what tells a form from every other one: two extensions may each call one `Tick`."""
    return f"{form.__module__}.{form.__qualname__}"


def _field(form: type[Form], declared: dataclasses.Field[Any], hint: object) -> FormField:
    marks: tuple[Mark, ...] = ()
    if typing.get_origin(hint) is Annotated:
        hint, *extra = typing.get_args(hint)
        marks = tuple(mark for mark in extra if isinstance(mark, Mark))
    if typing.get_origin(hint) in {Union, types.UnionType}:
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        hint = rest[0] if len(rest) == 1 else None
    names: dict[object, Literal["str", "int", "bool"]] = {str: "str", int: "int", bool: "bool"}
    if hint not in names:
        msg = f"{form.__name__}.{declared.name}: a form field is str, int or bool, or one of these or None"
        raise ConfigurationError(msg)
    has_default = declared.default is not MISSING
    kind = _kind(names[hint], marks)
    return FormField(
        name=declared.name,
        kind=kind,
        value=names[hint],
        required=(not has_default and kind != "checkbox") or any(isinstance(mark, MustBeTicked) for mark in marks),
        default=declared.default if has_default else None,
        max=_longest(kind, marks),
        marks=marks,
    )


def _kind(type_: Literal["str", "int", "bool"], marks: Sequence[Mark]) -> FieldKind:
    by_mark: tuple[tuple[type[Any], FieldKind], ...] = (
        (Hidden, "hidden"),
        (Password, "password"),
        (Email, "email"),
        (Username, "username"),
        (Choice, "choice"),
        (Multiline, "multiline"),
    )
    for mark, kind in by_mark:
        if any(isinstance(found, mark) for found in marks):
            return kind
    for found in marks:
        if isinstance(found, Identifier):
            return found.kind
    return {"str": "text", "int": "number", "bool": "checkbox"}[type_]  # type: ignore[return-value]


def _longest(kind: FieldKind, marks: Sequence[Mark]) -> int:
    for mark in marks:
        if isinstance(mark, Text):
            return mark.max
    return {"password": MAX_PASSWORD, "email": MAX_EMAIL, "hidden": 2048}.get(kind, Text().max)


def asked(form: type[Form], identifiers: Sequence[str]) -> tuple[FormField, ...]:
    """Return the fields of a form where accounts are found by these identifiers; the others are not asked for.

    An identifier that is to be set (`Email` or `Username` beside `Identifier`) is required.
    """
    found: list[FormField] = []
    for known in form_fields(form):
        identifier = known.mark(Identifier)
        if identifier is None:
            found.append(known)
        elif identifier.kind in identifiers:
            is_set = bool(known.mark(Email) or known.mark(Username))
            found.append(dataclasses.replace(known, required=is_set or known.required))
    return tuple(found)


def is_asked(form: type[Form], identifiers: Sequence[str]) -> bool:
    """Say whether a form makes sense where accounts are found by these identifiers: not one about another alone."""
    wanted = [known for known in form_fields(form) if known.mark(Identifier)]
    return not wanted or any(known.mark(Identifier).kind in identifiers for known in wanted)
