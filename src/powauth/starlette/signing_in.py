"""Signing in from a handler of the application's own: the same gates, the same one way in."""

from typing import Any

from starlette.requests import Request

from powauth import csrf
from powauth.accounts import Account
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.errors import Forbidden
from powauth.operations import sign_in as start
from powauth.pages import Detour
from powauth.pending import LIFETIME, Pending, new_pending_id
from powauth.redirects import safe_target
from powauth.sessions import Proof, Session
from powauth.units import begin, persistently
from powauth.visits import Visit


async def sign_in(
    auth: Auth[Any],
    request: Request,
    proof: Proof,
    *,
    next: str | None = None,  # noqa: A002  the name that it has in a request
) -> Session | Detour:
    """Start a session for whoever showed this proof; its cookie goes with whatever the handler answers.

    Only for unsafe methods, and always with the origin checked. Where a step stands before the session, the sign-in is
    parked: send the person to `auth.plan.path(detour.page)`, and it goes on from there, to `next`. Raises
    `CrossSite`, `InvalidCredentials`.
    """
    visit = visit_of(request.scope, auth)
    if not visit.raw.is_unsafe:
        raise Forbidden
    base_origin = csrf.origin_of(visit.tenant.base_url)
    csrf.check(visit.raw, base_origin=base_origin, origins=auth.plan.origins, has_bearer=False)
    caller = await visit.caller()

    async def once() -> tuple[Session | Detour, Account | None]:
        async with begin(auth.plan, visit.tenant, caller) as ctx:
            try:
                result = await start(ctx, (proof,), transport="cookie")
                return result, await ctx.accounts.by_handle(proof.handle)
            finally:
                visit.traces += ctx.traces

    result, account = await persistently(once)
    if caller.pending is not None:
        await auth.plan.parking(visit.tenant.id).take(caller.pending)
        visit.unwrite("pending")
    if isinstance(result, Session):
        visit.carry(result)
        visit.know(result.handle)
    elif account is not None:
        await _park(auth, visit, proof, account, detour=result, next=next)
    return result


async def _park(
    auth: Auth[Any],
    visit: Visit,
    proof: Proof,
    account: Account,
    *,
    detour: Detour,
    next: str | None,  # noqa: A002  the same
) -> None:
    """Keep what was proved, so that the page of the detour finds it."""
    parked = Pending(
        handle=account.handle,
        account_id=account.id,
        id=new_pending_id(),
        epoch=proof.epoch,
        proofs=(proof,),
        transport="cookie",
        next=safe_target(next, base_url=visit.tenant.base_url, origins=auth.plan.origins),
        after="after_sign_in",
        detour=auth.plan.pages[detour.page].code,
    )
    secret = await auth.plan.parking(visit.tenant.id).park(parked)
    visit.write("pending", secret, max_age=LIFETIME)
