"""Signing in from a handler of the application's own: the same gates, the same one way in."""

from typing import Any

from starlette.requests import Request

from powauth import csrf, operations
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.context import Context
from powauth.errors import Forbidden
from powauth.operations import Entered
from powauth.pages import Detour
from powauth.pending import Pending
from powauth.session import Proof, Session
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

    async def start(ctx: Context) -> Entered | Detour:
        return await operations.sign_in(ctx, (proof,), transport="cookie")

    result = await visit.work(caller, start)
    await visit.discard_pending(caller)
    if isinstance(result, Detour):
        await visit.park(_parked(visit, proof, next), result)
        return result
    visit.carry(result.session)
    visit.know(result.account.handle)
    return result.session


def _parked(visit: Visit, proof: Proof, next: str | None) -> Pending:  # noqa: A002  the same
    return Pending(
        handle=proof.handle,
        id="",
        epoch=proof.epoch,
        proofs=(proof,),
        transport="cookie",
        next=visit.target(next),
        after="after_sign_in",
    )
