"""What is given for a new account, read as sign-up would read it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from powauth.accounts import NewAccount
from powauth.auth import Auth
from powauth.cli.failures import Misused
from powauth.extensions.sign_up import SignUp
from powauth.extensions.sign_up.forms import SignUpForm
from powauth.forms import FormField, asked, field_names
from powauth.reading import read


def newcomer(
    auth: Auth[Any], identifiers: Mapping[str, str | None], columns: Sequence[str], *, confirmed: bool
) -> NewAccount:
    """Return the account that is to be made. Raises `InvalidForm` with every bad field, `Misused`."""
    form = _form(auth)
    given = {name: value for name, value in identifiers.items() if value is not None}
    if unused := sorted(set(given).difference(auth.identifiers)):
        raise Misused(f"accounts of this application have no {', '.join(unused)}", code="usage")
    sent = {**given, **_columns(columns), "password": "x"}  # which is read apart from what may be shown
    fields = asked(form, auth.identifiers)
    if unknown := sorted(set(_columns(columns)).difference(known.name for known in _own(fields))):
        names = ", ".join(known.name for known in _own(fields)) or "none"
        raise Misused(f"sign-up has no field {', '.join(unknown)}: --set is for {names}", code="usage")
    filled = read(form, sent, fields)
    at: datetime | None = auth.clock.now() if confirmed else None
    values = {known.name: getattr(filled, known.name) for known in _own(fields)}
    return NewAccount(email=filled.email, username=filled.username, values=values, confirmed_at=at)


def _form(auth: Auth[Any]) -> type[SignUpForm]:
    return next((known.form for known in auth.extensions if isinstance(known, SignUp)), SignUpForm)


def _own(fields: Sequence[FormField]) -> list[FormField]:
    """Return the fields that the application added, which fill columns of its own."""
    return [known for known in fields if known.name not in field_names(SignUpForm)]


def _columns(given: Sequence[str]) -> dict[str, str]:
    wrong = [text for text in given if "=" not in text]
    if wrong:
        raise Misused(f"--set {wrong[0]}: write it as --set name=value", code="usage")
    return {text.partition("=")[0]: text.partition("=")[2] for text in given}
