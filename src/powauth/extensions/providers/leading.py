"""Signing in again without a click: a browser that a provider brought is led there once more, by a GET.

The cookie that this takes is signed, and this browser got it by a sign-in of its own; the way is used up by going, so a
provider that fails is asked once, and the form is shown at the second visit. `silent` has the way back.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import partial

from powauth.accounts import Handle
from powauth.context import Context
from powauth.errors import NotFound
from powauth.events import CredentialChanged, Erased, SessionEnded, SessionStolen, SignedIn
from powauth.extensions.providers import identities, travelling, ways
from powauth.extensions.providers.errors import BadFlow, NoAnswer
from powauth.extensions.providers.handlers import CALLBACK
from powauth.extensions.providers.identities import factor_of
from powauth.extensions.providers.ports import Provider
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.providers.travelling import Wish
from powauth.extensions.providers.ways import Ticket, Way, Ways
from powauth.extensions.remember_me import DeviceForgotten
from powauth.extensions.session_list import OthersEnded
from powauth.extensions.sign_in import Arriving, Leaving
from powauth.http import accept_prefers_html, read_cookie
from powauth.oauth import Ask
from powauth.revoking import revoke, store_may_be_away

# ---- the way there ----


async def lead_on(event: Arriving, ctx: Context) -> None:
    """Lead a browser that wants to sign in to the provider that brought it last."""
    if not _may_lead(event, ctx):
        return
    way = await ways.go(ctx)
    if way is None:
        return
    url = await _set_out(ctx, way, event.query.get("next", ""))
    if url is not None:
        event.ways.append(url)


def _may_lead(event: Arriving, ctx: Context) -> bool:
    """Say whether a person goes there, in whose way nothing stands that they have to see first.

    Never for a program that wants a token: others can claim an app's address, so its owner has to do something for it
    (RFC 8252 §8.6).
    """
    raw = event.raw
    is_person = raw.method == "GET" and raw.is_navigation and not raw.is_prefetch
    has_to_see = ctx.caller.pending is not None or _has_notice(event, ctx)
    is_for_program = bool(event.query.get("code_challenge"))
    prefers_page = accept_prefers_html(raw.header_values("accept"))
    return is_person and prefers_page and not has_to_see and not is_for_program and not event.ways


def _has_notice(event: Arriving, ctx: Context) -> bool:
    sealed = read_cookie(event.raw, ctx.plan.cookie_name("notice"))
    return sealed is not None and ctx.plan.signer.unseal("notice", sealed, now=ctx.now) is not None


async def _set_out(ctx: Context, way: Way, to: str) -> str | None:
    """Return where the provider is asked, or `None` where it is not there, or has to be asked with a person's help."""
    settings = ctx[ProviderSettings]
    if way.provider not in settings.signs_in_silently:
        return None
    try:
        provider = await settings.find(ctx, way.provider)
        ask = await _ask(ctx, provider, way)
        if ask is None:
            return None
        wish = Wish(purpose="silent", next=to, way=asdict(way), ask=ask)
        return await travelling.set_out(ctx, provider, wish, redirect_uri=ctx.url(CALLBACK, provider=provider.name))
    except (NotFound, NoAnswer, BadFlow):
        return None


async def _ask(ctx: Context, provider: Provider, way: Way) -> Ask | None:
    """Return what the provider is asked: for the same person, and to show nothing where it knows the word for that."""
    settings = ctx[ProviderSettings]
    rows = await identities.of_account(ctx, way.handle)
    mine = identities.newest([row for row in rows if row.provider == way.provider])
    ask = await settings.ask(ctx, provider) if settings.ask else Ask()
    if mine is None or ask.prompt is not None:  # the application wants its people to be asked something each time
        return None
    email = mine.claims.get("email")
    hint = ask.login_hint or (email if isinstance(email, str) else None)
    return replace(ask, prompt="none" if travelling.can_prove(provider) else None, login_hint=hint)


# ---- what is kept for it ----


async def signed_in(event: SignedIn, ctx: Context) -> None:
    """Keep by which provider this browser came, in place of whatever it came by before."""
    if event.session.transport != "cookie":
        return
    ways.drop(ctx)
    first = event.session.proofs[0]
    for name in ctx[ProviderSettings].signs_in_silently:
        if first.factor == factor_of(name):
            ways.keep(ctx, event.account, event.session, name, first.at)


async def leaving(event: Leaving, ctx: Context) -> None:  # noqa: ARG001  the shape of a hook
    """Forget how this browser came: who signs out is not signed in again, also where the session was over already."""
    ways.drop(ctx)


async def session_ended(event: SessionEnded | SessionStolen, ctx: Context) -> None:
    """Forget the way to a session that somebody ended: its browser stays signed out until a person signs in."""
    ended = Ticket(event.handle, event.session)
    if ways.ticket_of(ctx) == ended:
        ctx.unwrite_cookie(ways.COOKIE)
    way = await Ways(ctx).peek(ended)
    _end(ctx, [way] if way else [])


async def device_forgotten(event: DeviceForgotten, ctx: Context) -> None:
    """Forget the ways to the sessions of a remembered device, also those that were over already."""
    _end(ctx, [way for way in await Ways(ctx).of(event.handle) if way.session in event.sessions])


async def account_changed(event: CredentialChanged | Erased, ctx: Context) -> None:
    """Forget every way to an account whose owner, or whose administrator, changed who may come in."""
    handle = event.account.handle
    ticket = ways.ticket_of(ctx)
    if ticket is not None and ticket.handle == handle:
        ctx.unwrite_cookie(ways.COOKIE)
    ctx.after_commit(partial(_forget_all, ctx, handle))


async def _forget_all(ctx: Context, handle: Handle) -> None:
    async with store_may_be_away(ctx):  # what is left there is of another epoch, and leads nowhere
        await Ways(ctx).forget_all(handle)


async def others_ended(event: OthersEnded, ctx: Context) -> None:
    """Forget every other way to the account, also those of sessions that were over already."""
    mine = event.session
    _end(ctx, [way for way in await Ways(ctx).of(mine.handle) if way.session != mine.public_id])
    ctx.after_commit(partial(Ways(ctx).forget_all, mine.handle, keep=(mine.public_id,)))  # also one of just now


def _end(ctx: Context, over: Iterable[Way]) -> None:
    """Forget ways, and write down that they ended for as long as a store that loses it could bring them back."""
    for way in over:
        revoke(ctx, way.handle, ended=way.session, until=way.ends_at)
        ctx.after_commit(partial(Ways(ctx).forget, way.ticket))
