"""Answers of a provider's doors: JSON or form-encoded, an error or not, whatever status and type it comes with."""

from collections.abc import Callable, Mapping
from typing import Any

from powauth.oauth.errors import Malformed, Refused
from powauth.oauth.ports import HttpResponse
from powauth.oauth.reading import read_form, read_object, text_of

Translate = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def translated(translate: Translate, said: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    """Return what a provider's file makes of an answer. It may take the answer's shape for granted; we do not."""
    try:
        return translate(said)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise Malformed(what) from None


def read_answer(answer: HttpResponse, what: str) -> dict[str, Any]:
    """Return what a token endpoint said. Raises `Refused` for an error, also one that comes with status 200."""
    if answer.status in {200, 201}:
        said = _said(answer, what)
        raise_error(said, answer.status)
        return said
    raise_refusal(answer, what)
    raise Malformed(f"{what} with status {answer.status}")


def read_resource(answer: HttpResponse, what: str) -> dict[str, Any]:
    """Return what a resource said, as JSON. Raises `Refused` when the token opens nothing (any more)."""
    if answer.status in {200, 201}:
        return read_object(answer.body, what)
    if answer.status in {401, 403}:
        raise Refused("invalid_token" if answer.status == 401 else "insufficient_scope", status=answer.status)
    raise Malformed(f"{what} with status {answer.status}")


def raise_refusal(answer: HttpResponse, what: str) -> None:
    """Raise the error that an answer with a status of failure speaks of, if it does."""
    try:
        said = _said(answer, what)
    except Malformed:
        return
    raise_error(said, answer.status)


def raise_error(said: Mapping[str, Any], status: int) -> None:
    """Raise the error that an answer speaks of, if it does."""
    error = said.get("error")
    if error is None or error is False:
        return
    if not isinstance(error, str):  # some put an object of their own there
        raise Refused("unreadable", status=status)
    try:
        description, uri = text_of(said, "error_description"), text_of(said, "error_uri")
    except Malformed:
        description = uri = None
    raise Refused(error, description=description, uri=uri, status=status)


def _said(answer: HttpResponse, what: str) -> dict[str, Any]:
    kind = answer.media_type
    if kind in {"application/x-www-form-urlencoded", "text/plain", "text/html", ""} and not _looks_like_json(answer):
        return dict(read_form(answer.body, what))
    return read_object(answer.body, what)


def _looks_like_json(answer: HttpResponse) -> bool:
    return answer.body.lstrip()[:1] == b"{"
