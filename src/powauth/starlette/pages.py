"""What an application's own templates need: who is signed in, addresses, a button to sign out, notices."""

from typing import Any

from starlette.requests import Request

from powauth.accounts import Account
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.errors import AuthError
from powauth.guards import Guard


async def page_context(request: Request, auth: Auth[Any]) -> dict[str, object]:
    """Return `account` (or `None`), `auth_url("sign_in.new")`, `sign_out_url` and `notices` for a template.

    return templates.TemplateResponse(request, "home.html", await page_context(request, auth))
    """
    visit = visit_of(request.scope, auth)
    account: Account | None
    try:
        account = await Guard(auth).account(visit)
    except AuthError:
        account = None
    codes = visit.take_notices()
    words = auth.plan.words(visit.language if codes else "")
    return {
        "account": account,
        "auth_url": auth.plan.path_by_name,
        "sign_out_url": auth.plan.path_by_name("sign_in.out"),
        "notices": [words(code) for code in codes],
    }
