"""Answers: outcomes and errors as HTML or JSON. One definition serves the page, the JSON API and OpenAPI."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from powauth.accounts import Account
from powauth.errors import (
    ActionRequired,
    AuthError,
    FieldError,
    InvalidForm,
    MethodNotAllowed,
    NotFound,
    TooManyAttempts,
    Unavailable,
)
from powauth.forms import Choice, FormField
from powauth.http import File, Html, Json, RawRequest, Response
from powauth.messages import Words
from powauth.pages import Button, Page, Shown
from powauth.plan import Plan
from powauth.session import Session
from powauth.templates import AccountView, PageView, Templates
from powauth.views import Rejected, Views

MINUTE = 60
LONGEST_NAME = 255  # of a file (NAME_MAX): whoever asks for a longer one is told so by the file system, with an error


class Answers:
    """Makes the answers of one `Auth`."""

    def __init__(
        self, plan: Plan, templates: Templates | None, words: Words | None = None, *, is_acting: bool = False
    ) -> None:
        self._plan = plan
        self._templates = templates
        self._is_acting = is_acting
        self.words = words or plan.words()

    def speaking(self, language: str, *, is_acting: bool = False) -> "Answers":
        """Return the same in another language; `is_acting` for somebody who acts as another."""
        return Answers(self._plan, self._templates, self._plan.words(language), is_acting=is_acting)

    @property
    def can_html(self) -> bool:
        """Whether there is anything that makes pages."""
        return self._templates is not None

    def views(
        self,
        *,
        query: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        notices: tuple[str, ...] = (),
        account: AccountView | None = None,
        buttons: tuple[Button, ...] = (),
    ) -> Views:
        """Return what makes views. Raises `NotFound` without templates: then nobody is promised a page."""
        if self._templates is None:
            raise NotFound
        return Views(
            plan=self._plan,
            words=self.words,
            templates=self._templates,
            query=query or {},
            params=params or {},
            notices=notices,
            account=account,
            is_acting=self._is_acting,
            buttons=buttons,
        )

    def html(self, view: PageView, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return a page under a strict Content-Security-Policy."""
        if self._templates is None:
            raise NotFound
        security = self._security(leads_away=bool(view.buttons))
        return Html(self._templates.page(view), status, {**security, **self._language(), **(headers or {})})

    def _language(self) -> dict[str, str]:
        return {"content-language": self.words.language, "vary": "Accept-Language"}

    def _security(self, *, leads_away: bool) -> dict[str, str]:
        # A redirect after a form counts as its target. Where a button leads on to is not known to its end: a provider
        # passes people on to the doors of their own organisation.
        links = {f"{urlsplit(link).scheme}:" for link in self._plan.app_links}
        if leads_away:
            links |= {"https:"} if self._plan.is_https else {"https:", "http:"}
        targets = " ".join(["'self'", *sorted(self._plan.origins), *sorted(links)])
        return {
            "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
            f"base-uri 'none'; frame-ancestors 'none'; form-action {targets}",
            "referrer-policy": "same-origin",  # no-referrer would make the browser send `Origin: null`
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "cache-control": "private, no-store",
        }

    def asset(self, raw: RawRequest) -> Response:
        """Return a file of the theme; its address holds its version, so it never changes."""
        name = raw.path.rsplit("/", 1)[-1]
        found = self._templates.asset(name) if self._templates and len(name) <= LONGEST_NAME else None
        if found is None or raw.method not in {"GET", "HEAD"}:
            raise NotFound
        body, type_ = found
        headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
        return File(body, type_, headers=headers)

    def problem(self, error: AuthError, wants: str, more: Mapping[str, object] | None = None) -> Response:
        """Return an error: RFC 9457 for programs, a page for people."""
        title = self.title(error)
        headers = error_headers(error)
        if wants == "html" and self.can_html:
            return self.html(self.views().problem(error.code, title), error.status, headers)
        data: dict[str, object] = {"type": "about:blank", "title": title, "status": error.status, "code": error.code}
        if isinstance(error, InvalidForm):
            data["errors"] = {name: [self._error(found) for found in all_] for name, all_ in error.errors.items()}
        if isinstance(error, ActionRequired):
            data["action"] = {"name": error.name, "url": error.url}
        return Json({**data, **(more or {})}, error.status, {**self._language(), **headers}, problem=True)

    def title(self, error: AuthError) -> str:
        """Return what to tell about an error."""
        if isinstance(error, TooManyAttempts):
            minutes = -(-int(error.retry_after.total_seconds()) // MINUTE)
            return self.words.problem(error.code, minutes=max(1, minutes))
        return self.words.problem(error.code)

    def _error(self, found: FieldError) -> dict[str, object]:
        return {"code": found.code, "message": self.words.error(found.code, **found.values)}

    def rejected(self, page: Page, error: AuthError, typed: Mapping[str, object]) -> Rejected:
        """Return what a page shows of a form that was not accepted."""
        errors = error.errors if isinstance(error, InvalidForm) else {}
        return Rejected(page=page, typed=typed, errors=errors, error=self.title(error))

    def shown(
        self, fields: tuple[FormField, ...], outcome: Shown, buttons: list[dict[str, object]] | None = None
    ) -> Response:
        """Return a page as data, with the buttons that extensions offer on it."""
        described: dict[str, object] = {"fields": [describe(known) for known in fields]} if fields else {}
        offered = {} if buttons is None else {"buttons": buttons}
        return Json({**described, **offered, **outcome.data}, outcome.status)

    def button(self, button: Button, params: Mapping[str, str], base_url: str) -> dict[str, object]:
        """Return a button as data: where a program sends what, and the words that people read on it."""
        parts = {**params, **button.params}
        path = self._plan.path(button.to, **parts).removeprefix(self._plan.mount)
        return {
            "page": self._plan.pages[button.to].code,
            "params": parts,
            "text": self.words(button.text, **button.words),
            "url": base_url.rstrip("/") + path,
            "values": dict(button.values),
        }


def describe(known: FormField) -> dict[str, object]:
    """Return a field of a form as data."""
    choice = known.mark(Choice)
    found: dict[str, object] = {
        "name": known.name,
        "type": {"str": "string", "int": "integer", "bool": "boolean"}[known.value],
        "kind": known.kind,
        "required": known.required,
    }
    if known.value == "str":
        found["max"] = known.max
    if choice:
        found["options"] = list(choice.options)
    return found


def error_headers(error: AuthError) -> dict[str, str]:
    """Return the headers that the status of an error asks for."""
    if isinstance(error, MethodNotAllowed):
        return {"allow": ", ".join(error.allowed)}
    if isinstance(error, (TooManyAttempts, Unavailable)):
        return {"retry-after": str(max(1, -(-int(error.retry_after.total_seconds() * 1000) // 1000)))}
    if error.status == 401:
        return {"www-authenticate": "Bearer"}
    return {}


def account_data(account: Account) -> dict[str, object]:
    """Return an account as its owner may see it."""
    return {
        "id": account.id,
        "email": account.email,
        "username": account.username,
        "confirmed": account.is_confirmed,
        "created_at": account.created_at,
    }


def session_data(session: Session) -> dict[str, object]:
    """Return a session as its owner may see it: nothing that opens it."""
    return {
        "id": session.public_id,
        "transport": session.transport,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.ends_at,
        "client": session.client,
        "device": session.device,
        "actor": session.actor,
        "proofs": [{"factor": proof.factor, "at": proof.at} for proof in session.proofs],
    }


def with_next(url: str, target: str) -> str:
    """Return an address that brings people back afterwards."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode({'next': target})}"
