"""How the demo's own pages come to look like Powauth's: the same theme, and one navigation for both."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from powauth import Auth
from powauth.demo.models import User
from powauth.extensions.roles import Roles
from powauth.fastapi import page_context
from powauth.jinja import JinjaTemplates
from powauth.jinja.helpers import has_role
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
    LinkView("demo.people", "/people"),
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
    shown = [link for link in links if link.url != "/people" or has_role(view.account, "admin")]
    return [replace(link, text=view.words(link.text), current=link.url in here) for link in shown]


class Theme:
    """Draws the demo's own pages. They are in English; Powauth's follow the browser."""

    def __init__(self, auth: Auth[User], templates: JinjaTemplates) -> None:
        self._auth = auth
        self._templates = templates

    async def page(self, request: Request, name: str, title: str, user: User | None, /, **data: object) -> HTMLResponse:
        """Return the page whose template is `demo/<name>.html`; it finds `data` as `view.data`."""
        context: dict[str, Any] = await page_context(request, self._auth)
        roles = [name for name in Roles().roles if context["has_role"](name)]
        view = PageView(
            name=f"demo.{name}",
            title=title,
            navigation=(LinkView(title, request.scope["path"], current=True),),
            notices=tuple(NoticeView(notice) for notice in context["notices"]),
            account=AccountView(user.email or user.name, user.email, more={"roles": roles}) if user else None,
            banner=context["banner"],
            data=data,
            application=APPLICATION,
            now=self._auth.clock.now(),
            words=self._auth.plan.words(),
            asset=self._asset,
        )
        return HTMLResponse(self._templates.page(view), headers=HEADERS)

    def elsewhere(self, name: str, title: str, application: str, status: int = 200, /, **data: object) -> HTMLResponse:
        """Return a page that looks like another site's: its own name, and nothing around it."""
        view = PageView(
            name=f"demo.{name}",
            title=title,
            data=data,
            application=application,
            now=self._auth.clock.now(),
            words=self._auth.plan.words(),
            asset=self._asset,
        )
        return HTMLResponse(self._templates.page(view), status, {**HEADERS, "Cache-Control": "no-store"})

    def _asset(self, name: str) -> str:
        return f"/auth/assets/{self._templates.asset_version(name)}/{name}"


def wants_html(request: Request) -> bool:
    """Say whether a person asks, not a program."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and "application/json" not in accept
