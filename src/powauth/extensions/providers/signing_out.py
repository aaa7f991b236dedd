"""Signing out at the provider as well (OpenID Connect RP-Initiated Logout 1.0), once the session here is over.

Whoever signs out is signed out, whatever the provider does: it is asked by a page of its own, afterwards.
"""

import logging
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from powauth.accounts import Handle
from powauth.context import Context
from powauth.errors import ConfigurationError, NotFound
from powauth.extensions.providers import identities
from powauth.extensions.providers.identities import factor_of
from powauth.extensions.providers.ports import Provider, title_of
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.sign_in import Leaving
from powauth.forms import NoForm
from powauth.http import Request, read_query
from powauth.oauth import OpenIDConnect, ProviderError
from powauth.pages import Done, Outcome, Shown
from powauth.routing import Get
from powauth.session import Session

log = logging.getLogger("powauth")

TICKET_LIFETIME = timedelta(minutes=2)
AWAY = timedelta(minutes=15)
LONGEST_HINT = 4_000  # characters of an ID token; servers take addresses of about twice as much


async def lead_out(event: Leaving, ctx: Context) -> None:
    """Lead a browser that signs out by the page that signs it out at the provider which signed it in."""
    session = event.session
    name = _vouched(ctx, session) if session else None
    if session is None or name is None:
        return
    value = [ctx.tenant.id, name, session.handle]
    ticket = ctx.plan.signer.seal("provider_leave", value, expires_at=ctx.now + TICKET_LIFETIME)
    event.ways.append(f"{ctx.path(LEAVE, provider=name)}?{urlencode({'ticket': ticket})}")


def _vouched(ctx: Context, session: Session) -> str | None:
    """Return which provider vouched for the owner of a session, if people are signed out there."""
    factors = {proof.factor for proof in session.proofs}
    return next((name for name in ctx[ProviderSettings].signs_out_at if factor_of(name) in factors), None)


# ---- the way out ----


async def leave(request: Request[NoForm], ctx: Context) -> Outcome:
    """Lead a browser that has just signed out here on to its provider; where that does not answer, home."""
    name = request.params["provider"]
    handle = _owner(ctx, name, read_query(request.raw).get("ticket", ""))
    if handle is None:
        return Done(to=ctx.plan.paths.get("after_sign_out"))
    try:
        provider = await ctx[ProviderSettings].find(ctx, name)
    except NotFound:  # taken away meanwhile
        return _home(ctx)
    url = await _address(ctx, provider, handle)
    return Shown(onward=url, data={"url": url}, words={"provider": title_of(provider)}) if url else _home(ctx)


def _owner(ctx: Context, name: str, ticket: str) -> Handle | None:
    """Return who signed out, if it was a moment ago, here, and who came by this provider."""
    found: Any = ctx.plan.signer.unseal("provider_leave", ticket, now=ctx.now)
    if not isinstance(found, list):
        return None
    tenant, provider, handle = cast("list[str]", found)
    return Handle(handle) if (tenant, provider) == (ctx.tenant.id, name) else None


def _home(ctx: Context) -> Done:
    return Done(to=ctx.plan.paths.get("after_sign_out"), notice="signed_out")


async def _address(ctx: Context, provider: Provider, handle: Handle) -> str | None:
    """Return where the browser signs out at the provider; `None` where that is not to be had."""
    if not isinstance(provider, OpenIDConnect):
        return None
    hint = await _hint(ctx, provider.name, handle)
    state = ctx.plan.signer.seal("provider_left", [ctx.tenant.id, provider.name], expires_at=ctx.now + AWAY)
    await ctx.release()
    try:
        return await provider.logout_url(
            ctx[ProviderSettings].tools_of(ctx),
            id_token=hint,
            return_to=ctx.url(LEFT, provider=provider.name),
            state=state,
        )
    except (ProviderError, ConfigurationError) as error:
        log.warning("%s: nobody is signed out there: %s", provider.name, error)
        return None


async def _hint(ctx: Context, name: str, handle: Handle) -> str | None:
    """Return the ID token that was kept of who signed in last, which spares them a question at the provider.

    Only to a browser that signed in to the account: the ticket stands in an address, which others may read in a log.
    """
    if handle not in ctx.caller.known:
        return None
    mine = identities.newest([row for row in await identities.of_account(ctx, handle) if row.provider == name])
    tokens = await identities.tokens_of(ctx, mine) if mine else None
    token = tokens.id_token if tokens else None
    return token if token and len(token) <= LONGEST_HINT else None


# ---- the way back ----


async def left(request: Request[NoForm], ctx: Context) -> Outcome:
    """Lead a browser home that the provider sends back, and say so if it is true."""
    state = read_query(request.raw).get("state", "")
    found = ctx.plan.signer.unseal("provider_left", state, now=ctx.now)
    is_ours = found == [ctx.tenant.id, request.params["provider"]]
    is_out = is_ours and await ctx.account_if_any() is None  # anybody may send a browser here
    return _home(ctx) if is_out else Done(to=ctx.plan.paths.get("after_sign_out"))


LEAVE = Get(name="leave", path="/providers/{provider}/sign-out", show=leave)
LEFT = Get(name="left", path="/providers/{provider}/signed-out", show=left)
