"""What a page asked for, read from what was sent: its own form, and the fields that extensions added to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from powauth.calls import Call
from powauth.errors import FieldError, InvalidForm
from powauth.forms import Form, FormField, Identifier, NoForm, asked
from powauth.http import Request
from powauth.operations import password_problems
from powauth.plan import Plan
from powauth.reading import read
from powauth.routing import form_of


def request_of(plan: Plan, call: Call) -> Request[Any]:
    """Return the request as its handler gets it. Raises `InvalidForm` with every bad field of all forms."""
    form: Form = NoForm()
    extras: dict[type[Form], Form] = {}
    asked_for = form_of(call.page)
    if call.visit.raw.method == "POST" and asked_for:
        form, extras = _read(plan, call, asked_for)
    return Request(
        raw=call.visit.raw,
        form=form,
        params=call.params,
        extras=extras,
        client=call.visit.client,
        wants="html" if call.is_html else "json",
        language=call.visit.language,
        is_json_body=call.body.is_json,
        sent=call.body.sent,
    )


def _read(plan: Plan, call: Call, form: type[Form]) -> tuple[Form, dict[type[Form], Form]]:
    """Read the page's form and the fields that extensions added; all bad fields of all of them at once."""
    errors: dict[str, list[FieldError]] = {}
    found: dict[type[Form], Form] = {}
    for kind in (form, *plan.fields.get(call.original, ())):
        fields = asked(kind, plan.identifiers)
        errors |= _weak_passwords(plan, fields, call.body.data)
        try:
            found[kind] = read(kind, call.body.data, fields)
        except InvalidForm as error:
            errors |= {name: list(all_) for name, all_ in error.errors.items()}
    if errors:
        raise InvalidForm(errors)
    return found.pop(form), found


def _weak_passwords(plan: Plan, fields: Sequence[FormField], data: Mapping[str, object]) -> dict[str, list[FieldError]]:
    """Return what is wrong with passwords to be set, so that it is told together with every other bad field."""
    words = tuple(str(data.get(known.name) or "") for known in fields if known.mark(Identifier))
    found: dict[str, list[FieldError]] = {}
    for known in fields:
        sent = data.get(known.name)
        if known.is_new_password and isinstance(sent, str) and sent:
            problems = password_problems(plan, sent, words)
            found |= {known.name: problems} if problems else {}
    return found
