"""Signing in from a handler of the application's own: the same gates, the same one way in."""

from typing import Any

from starlette.requests import Request

from powauth import csrf
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.errors import Forbidden
from powauth.operations import sign_in as start
from powauth.pages import Detour
from powauth.sessions import Proof, Session
from powauth.units import begin


async def sign_in(auth: Auth[Any], request: Request, proof: Proof) -> Session | Detour:
    """Start a session for whoever showed this proof; its cookie goes with whatever the handler answers.

    Only for unsafe methods, and always with the origin checked. Raises `CrossSite`, `InvalidCredentials`.
    """
    visit = visit_of(request.scope, auth)
    if not visit.raw.is_unsafe:
        raise Forbidden
    base_origin = csrf.origin_of(visit.tenant.base_url)
    csrf.check(visit.raw, base_origin=base_origin, origins=auth.plan.origins, has_bearer=False)
    async with begin(auth.plan, visit.tenant, await visit.caller()) as ctx:
        try:
            result = await start(ctx, (proof,), transport="cookie")
        finally:
            visit.traces += ctx.traces
    if isinstance(result, Session):
        visit.carry(result)
        visit.know(result.handle)
    return result
