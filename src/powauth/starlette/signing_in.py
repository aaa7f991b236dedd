"""Work for the application's own handlers, on behalf of a request: the same gates, the same one way in."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request

from powauth import csrf, operations
from powauth.asgi import visit_of
from powauth.auth import Auth
from powauth.context import Context
from powauth.errors import Forbidden
from powauth.forms import Form, form_name
from powauth.guards import check_origin
from powauth.operations import Authentic, Entered
from powauth.pages import Detour
from powauth.pending import Pending
from powauth.session import Proof, Session
from powauth.visits import Visit


@asynccontextmanager
async def begin(auth: Auth[Any], request: Request, *, writes: bool = True) -> AsyncGenerator[Context]:
    """Open a unit of work on behalf of whoever sends a request, for operations such as `authenticate`.

    As `auth.begin()`, but operations know who asks: limits count by the client's address, a known device is known, the
    tenant is the request's, and hooks hear of what was refused. Raises `CrossSite` for what another site sent.
    """
    visit = visit_of(request.scope, auth)
    check_origin(auth, visit)
    async with visit.begin(writes=writes) as ctx:
        yield ctx


async def sign_in(
    auth: Auth[Any],
    request: Request,
    proof: Proof | Authentic,
    *,
    next: str | None = None,  # noqa: A002  the name that it has in a request
    extras: Sequence[Form] = (),
) -> Session | Detour:
    """Start a session for whoever showed this proof; its cookie goes with whatever the handler answers.

    Only for unsafe methods, and always with the origin checked. What `authenticate` returned can be given whole: the
    failures before it are then forgotten. `extras` are the fields that extensions add to sign-in, such as
    `RememberForm(remember=True)`. Where a step stands before the session, the sign-in is parked: send the person to
    `auth.plan.path(detour.page)`, and it goes on from there, to `next`. Raises `CrossSite`, `InvalidCredentials`.
    """
    visit = visit_of(request.scope, auth)
    if not visit.raw.is_unsafe:
        raise Forbidden
    base_origin = csrf.origin_of(visit.tenant.base_url)
    csrf.check(visit.raw, base_origin=base_origin, origins=auth.plan.origins, has_bearer=False)
    caller = await visit.caller()
    shown, claims = (proof.proof, proof.claims) if isinstance(proof, Authentic) else (proof, ())
    added: Mapping[type[Form], Form] = {type(form): form for form in extras}

    async def start(ctx: Context) -> Entered | Detour:
        result = await operations.sign_in(ctx, (shown,), transport="cookie", extras=added)
        ctx.after_commit(lambda: operations.clear(ctx, claims))
        return result

    result = await visit.work(caller, start)
    await visit.discard_pending(caller)
    if isinstance(result, Detour):
        await visit.park(_parked(visit, shown, next, added), result)
        return result
    visit.carry(result.session)
    visit.know(result.account.handle)
    return result.session


def _parked(
    visit: Visit,
    proof: Proof,
    next: str | None,  # noqa: A002  the same
    added: Mapping[type[Form], Form],
) -> Pending:
    return Pending(
        handle=proof.handle,
        id="",
        epoch=proof.epoch,
        proofs=(proof,),
        transport="cookie",
        next=visit.target(next),
        after="after_sign_in",
        extras={form_name(form): vars(filled) for form, filled in added.items()},
    )
