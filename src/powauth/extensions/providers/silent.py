"""Coming back from a provider that was asked without a click. Whatever is not the same person leads to the form."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from powauth.answers import with_next
from powauth.context import Context
from powauth.extensions import sign_in
from powauth.extensions.providers import identities, operations
from powauth.extensions.providers.flows import Trip
from powauth.extensions.providers.travelling import Arrived
from powauth.extensions.providers.ways import Way, Ways
from powauth.oauth import Identity
from powauth.pages import Done, Outcome, Proved
from powauth.revoking import is_revoked


async def come_in(ctx: Context, arrived: Arrived) -> Outcome:
    """Sign in who came back, if they are who this browser was signed in as last, and nothing changed since."""
    trip, identity = arrived.trip, arrived.identity
    way = Way(**trip.way)
    signed_in = await ctx.account_if_any()
    if signed_in is not None:  # another tab was faster
        return Done(to=ctx.target(trip.next) or ctx.plan.paths.get("after_sign_in", signed_in))
    row = await identities.find(ctx, identity)
    if row is None or row.owner != way.handle:
        return to_form(ctx, trip, notice="somebody_else")
    kept = await Ways(ctx).peek(way.ticket)
    ctx.after_commit(partial(Ways(ctx).forget, way.ticket))
    account = await ctx.accounts.lock(way.handle)
    if kept is None or account is None or not account.is_open or account.epoch != way.epoch:
        return to_form(ctx, trip)
    if await is_revoked(ctx, way.handle, way.session):  # the store lost that it ended
        return to_form(ctx, trip)
    known = await operations.recognise(ctx, identity)
    if known is None:
        return to_form(ctx, trip)
    proof = replace(known.proof, at=_proved_at(ctx, identity, way))
    return Proved(account=known.account, proof=proof, next=trip.next, extras={})


def _proved_at(ctx: Context, identity: Identity, way: Way) -> datetime:
    """Return when its owner showed the provider who they are: not now, as nobody was asked.

    Where the provider does not say, it is as long ago as it was the last time.
    """
    return min(identity.auth_time or way.proved_at, ctx.now)


def to_form(ctx: Context, trip: Trip, *, notice: str | None = None) -> Outcome:
    """Lead to the sign-in form, as if nothing had been tried."""
    form = ctx.path(sign_in.NEW)
    to = ctx.target(with_next(form, trip.next)) if trip.next else None
    action = {"name": ctx.plan.pages[sign_in.NEW].code, "url": ctx.url(sign_in.NEW)}
    return Done(to=to or form, notice=notice, data={"action": action})
