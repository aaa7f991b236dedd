"""How the demo's own pages come to look like Powauth's: the same theme, and one navigation for both."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from powauth import Auth
from powauth.asgi import visit_of
from powauth.demo.models import User
from powauth.jinja import JinjaTemplates
from powauth.templates import AccountView, LinkView, NoticeView, PageView

APPLICATION = "Powauth demo"
SIGNED_OUT = (
    LinkView("demo.start", "/"),
    LinkView("sign_in.new.title", "/auth/sign-in"),
    LinkView("sign_up.new.title", "/auth/sign-up"),
    LinkView("demo.mailbox", "/mailbox"),
    LinkView("demo.api", "/api"),
)
"""By the codes of their words, which are Powauth's where the pages are."""
SIGNED_IN = (
    LinkView("demo.start", "/"),
    LinkView("demo.you", "/me"),
    LinkView("manage_account.account.title", "/auth/account"),
    LinkView("session_list.sessions.title", "/auth/sessions"),
    LinkView("demo.vault", "/vault"),
    LinkView("demo.mailbox", "/mailbox"),
    LinkView("demo.api", "/api"),
    LinkView("sign_in.out.submit", "/auth/sign-out", post=True),
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def make_templates() -> JinjaTemplates:
    """Return the theme with this application's templates before it, for its own pages and for Powauth's."""
    templates = JinjaTemplates(Path(__file__).parent / "templates")
    names: dict[str, Callable[..., Any]] = {"pages_of": pages_of}
    templates.environment.globals.update(names)
    return templates


def pages_of(view: PageView) -> list[LinkView]:
    """Return the navigation of this application, on whatever page."""
    here = {link.url for link in view.navigation if link.current}
    links = SIGNED_IN if view.account else SIGNED_OUT
    return [replace(link, text=view.words(link.text), current=link.url in here) for link in links]


class Theme:
    """Draws the demo's own pages. They are in English; Powauth's follow the browser."""

    def __init__(self, auth: Auth[User], templates: JinjaTemplates) -> None:
        self._auth = auth
        self._templates = templates

    def page(self, request: Request, name: str, title: str, user: User | None, /, **data: object) -> HTMLResponse:
        """Return the page whose template is `demo/<name>.html`; it finds `data` as `view.data`."""
        view = PageView(
            name=f"demo.{name}",
            title=title,
            navigation=(LinkView(title, request.scope["path"], current=True),),
            notices=self._notices(request),
            account=AccountView(user.email or user.name, user.email) if user else None,
            data=data,
            application=APPLICATION,
            now=self._auth.clock.now(),
            words=self._auth.plan.words(),
            asset=self._asset,
        )
        return HTMLResponse(self._templates.page(view), headers=HEADERS)

    def _notices(self, request: Request) -> tuple[NoticeView, ...]:
        """Return what Powauth's last answer left to be said, such as that somebody is signed out."""
        codes = visit_of(request.scope, self._auth).take_notices()
        words = self._auth.plan.words()
        return tuple(NoticeView(words(code)) for code in codes)

    def _asset(self, name: str) -> str:
        return f"/auth/assets/{self._templates.asset_version(name)}/{name}"


def wants_html(request: Request) -> bool:
    """Say whether a person asks, not a program."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and "application/json" not in accept
