"""Reading: a form filled with what was sent. Every bad field is reported, and all of them at once."""

from collections.abc import Mapping, Sequence

from powauth.accounts import InvalidEmail, InvalidUsername, parse_email, parse_username
from powauth.errors import FieldError, InvalidForm
from powauth.forms import Between, Choice, Email, F, FormField, MustBeTicked, Username, form_fields
from powauth.records import is_storable

_BOXES = {"on": True, "true": True, "1": True, "false": False, "0": False}
_MAX_DIGITS = 18  # what fits into a signed 64-bit column


def read(form: type[F], data: Mapping[str, object], fields: Sequence[FormField] | None = None) -> F:
    """Return the form filled with what was sent. Raises `InvalidForm` with every bad field.

    `data` is a decoded JSON object, or the names and values of an HTML form, all of them strings. Names that the form
    does not have are ignored, so nothing can be assigned that was not declared. `fields` are those that are asked for.
    """
    values: dict[str, object] = {}
    errors: dict[str, list[FieldError]] = {}
    for known in form_fields(form) if fields is None else fields:
        try:
            values[known.name] = _value(known, data.get(known.name))
        except _Bad as bad:
            errors[known.name] = [bad.error]
    if errors:
        raise InvalidForm(errors)
    return form(**values)


class _Bad(Exception):
    def __init__(self, code: str, **values: object) -> None:
        self.error = FieldError(code, values)


def _value(known: FormField, sent: object) -> object:
    if sent is None or sent == "":
        if known.required:
            raise _Bad("required")
        return bool(known.default) if known.value == "bool" and sent is None else known.default
    if known.value == "bool":
        return _bool(known, sent)
    if known.value == "int":
        return _int(known, sent)
    if not isinstance(sent, str):
        raise _Bad("wrong_type")
    return _text(known, sent)


def _bool(known: FormField, sent: object) -> bool:
    if not isinstance(sent, bool) and not (isinstance(sent, str) and sent in _BOXES):
        raise _Bad("wrong_type")
    ticked = sent if isinstance(sent, bool) else _BOXES[str(sent)]
    if not ticked and known.mark(MustBeTicked):
        raise _Bad("required")
    return ticked


def _int(known: FormField, sent: object) -> int:
    if isinstance(sent, str):
        text = sent.strip()
        if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > _MAX_DIGITS:
            raise _Bad("not_a_number")
        sent = int(text)
    if not isinstance(sent, int) or isinstance(sent, bool) or abs(sent) >= 10**_MAX_DIGITS:
        raise _Bad("not_a_number")
    limits = known.mark(Between)
    if limits and not limits.least <= sent <= limits.greatest:
        raise _Bad("out_of_range", least=limits.least, greatest=limits.greatest)
    return sent


def _text(known: FormField, sent: str) -> str:
    if not is_storable(sent):
        raise _Bad("bad_characters")
    if known.kind == "password":
        if len(sent.encode()) > known.max:
            raise _Bad("too_long", max=known.max)
        return sent
    value = sent.strip()
    if len(value) > known.max:
        raise _Bad("too_long", max=known.max)
    if not value and known.required:
        raise _Bad("required")
    return _checked(known, value)


def _checked(known: FormField, value: str) -> str:
    choice = known.mark(Choice)
    if choice and value not in choice.options:
        raise _Bad("not_a_choice")
    if known.kind != "multiline" and any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise _Bad("bad_characters")
    try:
        if known.mark(Email):
            return parse_email(value)
        if known.mark(Username):
            return parse_username(value)
    except InvalidEmail:
        raise _Bad("not_an_email") from None
    except InvalidUsername:
        raise _Bad("not_a_username") from None
    return value
