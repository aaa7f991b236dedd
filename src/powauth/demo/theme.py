"""How the demo's own pages come to look like Powauth's: its theme, with this application's navigation."""

from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse

from powauth import Auth
from powauth.asgi import visit_of
from powauth.demo.models import User
from powauth.jinja import JinjaTemplates
from powauth.templates import AccountView, LinkView, NoticeView, PageView

ADA = "ada@example.com"
ADA_PASSWORD = "four quiet green owls"
"""Shown on the start page: whoever runs the demo may be her."""

TEMPLATES = JinjaTemplates(Path(__file__).parent / "templates")

SIGNED_OUT = (
    LinkView("Start", "/"),
    LinkView("Sign in", "/auth/sign-in"),
    LinkView("Create an account", "/auth/sign-up"),
    LinkView("Mailbox", "/mailbox"),
    LinkView("API", "/api"),
)
SIGNED_IN = (
    LinkView("Start", "/"),
    LinkView("You", "/me"),
    LinkView("Vault", "/vault"),
    LinkView("Your account", "/auth/account"),
    LinkView("Devices", "/auth/sessions"),
    LinkView("Mailbox", "/mailbox"),
    LinkView("API", "/api"),
    LinkView("Sign out", "/auth/sign-out", post=True),
)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Theme:
    """Draws the demo's own pages."""

    def __init__(self, auth: Auth[User]) -> None:
        self._auth = auth

    def page(self, request: Request, name: str, title: str, user: User | None, /, **data: object) -> HTMLResponse:
        """Return the page whose template is `demo/<name>.html`; it finds `data` as `view.data`."""
        navigation = SIGNED_IN if user else SIGNED_OUT
        view = PageView(
            name=f"demo.{name}",
            title=title,
            navigation=tuple(
                LinkView(link.text, link.url, current=link.url == request.scope["path"], post=link.post)
                for link in navigation
            ),
            notices=self._notices(request),
            account=AccountView(user.email or user.name, user.email) if user else None,
            data=data,
            application="Powauth demo",
            now=self._auth.clock.now(),
            words=self._auth.plan.words,
            asset=lambda file: f"/auth/assets/{TEMPLATES.asset_version(file)}/{file}",
        )
        headers = {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(TEMPLATES.page(view), headers=headers)

    def _notices(self, request: Request) -> tuple[NoticeView, ...]:
        """Return what Powauth's last answer left to be said, such as that somebody is signed out."""
        codes = visit_of(request.scope, self._auth).take_notices()
        return tuple(NoticeView(self._auth.plan.words(code)) for code in codes)


def wants_html(request: Request) -> bool:
    """Say whether a person asks, not a program."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and "application/json" not in accept
