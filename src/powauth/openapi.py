"""OpenAPI: every route with its form, answers and errors, as the same pages and forms define them."""

from collections.abc import Mapping
from typing import Any

from powauth.forms import Between, Choice, Form, FormField, NoForm, asked
from powauth.pages import Page
from powauth.plan import Bound, Plan
from powauth.routing import ANYBODY, PARKED, SIGNED_OUT, form_of, methods, requirement

FORM_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
OPEN = (ANYBODY, SIGNED_OUT, PARKED)
"""What is asked without a session."""
PROBLEM = {"$ref": "#/components/schemas/PowauthProblem"}

ANYTHING: Mapping[str, Any] = {"type": "object"}
BUTTONS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "fields": {"type": "array", "items": {"type": "object"}},
        "buttons": {
            "type": "array",
            "description": "What extensions offer here, such as signing in with a provider: send `values` to `url`.",
            "items": {
                "type": "object",
                "required": ["page", "params", "text", "url", "values"],
                "properties": {
                    "page": {"type": "string"},
                    "params": {"type": "object", "additionalProperties": {"type": "string"}},
                    "text": {"type": "string"},
                    "url": {"type": "string"},
                    "values": {"type": "object"},
                },
            },
        },
    },
}
"""A page on which extensions offer buttons."""

ERRORS: Mapping[str, str] = {
    "400": "The request cannot be read, or its link is not valid",
    "401": "Not signed in, wrong credentials, or one more step is required",
    "403": "From another site, or not allowed",
    "404": "Nothing here",
    "409": "Something stands in the way",
    "413": "Too large",
    "415": "Neither a form nor JSON",
    "422": "Fields that are wrong, all of them",
    "429": "Too often; Retry-After says when to come back",
    "503": "Not now; Retry-After says when to come back",
}

PROBLEM_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "RFC 9457, with a stable code.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "object"}}},
        "action": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "url": {"type": "string"}},
        },
    },
}


def merge(document: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """Return an application's document with the routes of an `Auth`."""
    merged = {**document, "paths": {**document.get("paths", {}), **paths(plan)}}
    components = {**document.get("components", {})}
    components["schemas"] = {**components.get("schemas", {}), "PowauthProblem": PROBLEM_SCHEMA}
    components["securitySchemes"] = {**components.get("securitySchemes", {}), **security_schemes(plan)}
    return {**merged, "components": components}


def security_schemes(plan: Plan) -> dict[str, Any]:
    """Return the two ways in which a session travels."""
    return {
        f"{plan.name}_cookie": {"type": "apiKey", "in": "cookie", "name": plan.cookie_name("session")},
        f"{plan.name}_bearer": {"type": "http", "scheme": "bearer"},
    }


def paths(plan: Plan) -> dict[str, Any]:
    """Return every route of an `Auth`."""
    found: dict[str, Any] = {}
    for original, bound in plan.pages.items():
        item: dict[str, Any] = found.setdefault(plan.mount + bound.page.path, {})
        if "GET" in methods(bound.page):
            item["get"] = _operation(plan, original, bound, sends=False)
        if "POST" in methods(bound.page):
            item["post"] = _operation(plan, original, bound, sends=True)
    return found


def _operation(plan: Plan, original: Page, bound: Bound, *, sends: bool) -> dict[str, Any]:
    words = plan.words()
    title = words(f"{bound.code}.{'submit' if sends else 'title'}")
    operation: dict[str, Any] = {
        "tags": [plan.name],
        "summary": title if words.has(f"{bound.code}.title") or sends else bound.code,
        "operationId": f"{plan.name}_{bound.code.replace('.', '_')}_{'post' if sends else 'get'}",
        "parameters": _parameters(bound.page.path),
        "responses": _responses(sends=sends, schema=BUTTONS if not sends and plan.buttons.get(original) else ANYTHING),
    }
    if requirement(bound.page) not in OPEN:
        operation["security"] = [{name: []} for name in security_schemes(plan)]
    if sends:
        schema = _schema(plan, original, form_of(bound.page) or NoForm)
        operation["requestBody"] = {"content": {type_: {"schema": schema} for type_ in FORM_TYPES}}
    return operation


def _parameters(path: str) -> list[dict[str, Any]]:
    names = [part.split("}")[0] for part in path.split("{")[1:]]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _responses(*, sends: bool, schema: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}, "text/html": {}}
    good: dict[str, Any] = {"200": {"description": "Data for programs, a page for people", "content": content}}
    if sends:
        good["201"] = {"description": "Made", "content": {"application/json": {"schema": {"type": "object"}}}}
        good["204"] = {"description": "Done"}
    good["303"] = {"description": "For people: go there"}
    problems = {
        status: {"description": text, "content": {"application/problem+json": {"schema": PROBLEM}}}
        for status, text in ERRORS.items()
        if sends or status not in {"413", "415", "422"}
    }
    return {**good, **problems}


def _schema(plan: Plan, original: Page, form: type[Form]) -> dict[str, Any]:
    forms = (form, *plan.fields.get(original, ()))
    fields = [known for form in forms for known in asked(form, plan.identifiers)]
    return {
        "type": "object",
        "properties": {known.name: _property(known) for known in fields},
        "required": [known.name for known in fields if known.required],
    }


def _property(known: FormField) -> dict[str, Any]:
    if known.value == "bool":
        return {"type": "boolean", "default": bool(known.default)}
    between, choice = known.mark(Between), known.mark(Choice)
    if known.value == "int":
        return {"type": "integer", **({"minimum": between.least, "maximum": between.greatest} if between else {})}
    found: dict[str, Any] = {"type": "string", "maxLength": known.max}
    if known.is_secret:
        found["format"] = "password"
    elif known.kind == "email":
        found["format"] = "email"
    return {**found, "enum": list(choice.options)} if choice else found
