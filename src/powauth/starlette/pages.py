"""What an application's own templates need: who is signed in, addresses, a button to sign out, notices."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request

from powauth.accounts import Account
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.errors import AuthError
from powauth.events import AccountDescribed
from powauth.guards import Guard
from powauth.jinja.helpers import has_role
from powauth.templates import AccountView
from powauth.units import begin
from powauth.views import banner
from powauth.visits import Visit


async def page_context(request: Request, auth: Auth[Any]) -> dict[str, object]:
    """Return what a template needs: who is signed in, addresses, notices, and whether somebody acts as another.

    `account` (or `None`), `has_role("editor")`, `auth_url("sign_in.new")`, `sign_out_url`, `notices`, and `banner`,
    which has to stand on every page: `{{ acting_banner(banner) }}`.

    return templates.TemplateResponse(request, "home.html", await page_context(request, auth))
    """
    visit = visit_of(request.scope, auth)
    account: Account | None
    try:
        account = await Guard(auth).account(visit)
    except AuthError:
        account = None
    codes = visit.take_notices()
    is_acting = account is not None and visit.is_acting
    words = auth.plan.words(visit.language if codes or is_acting else "")
    more: Mapping[str, object] = await _described(visit, account) if account else {}
    return {
        "account": account,
        "has_role": partial(has_role, AccountView(account.label, more=more) if account else None),
        "banner": banner(auth.plan, words, account.label) if account and is_acting else None,
        "auth_url": auth.plan.path_by_name,
        "sign_out_url": auth.plan.path_by_name("sign_in.out"),
        "notices": [words(code) for code in codes],
    }


async def _described(visit: Visit, account: Account) -> Mapping[str, object]:
    if not visit.plan.listens(AccountDescribed):
        return {}
    async with begin(visit.plan, visit.tenant, await visit.caller(), writes=False) as ctx:
        return await ctx.described(account)
