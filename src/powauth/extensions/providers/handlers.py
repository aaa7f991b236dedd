"""HTTP around providers."""

from collections.abc import Sequence
from urllib.parse import urlencode

from powauth.context import Context
from powauth.errors import AlreadySignedIn, Forbidden, InvalidForm, NotSignedIn
from powauth.extensions.providers import identities, operations, silent, travelling
from powauth.extensions.providers.completing import asks_more, incomplete, proved, registered
from powauth.extensions.providers.flows import Purpose, Trip
from powauth.extensions.providers.forms import StartForm
from powauth.extensions.providers.joining import home
from powauth.extensions.providers.ports import Provider, title_of
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.providers.travelling import Arrived, Missed, Wish
from powauth.forms import Form, NoForm, asked
from powauth.http import Request
from powauth.pages import Button, Done, Outcome, Proved
from powauth.programs import check_challenge
from powauth.reading import read
from powauth.routing import BY_ADDRESS, SIGNED_IN, CallBack, Post

# ---- the way there ----


async def start(request: Request[StartForm], ctx: Context) -> Outcome:
    """Send the browser to the provider; a program is told where."""
    form = request.form
    provider = await ctx[ProviderSettings].find(ctx, request.params["provider"])
    purpose = await _purpose(ctx, provider, form.purpose)
    check_challenge(ctx.plan, ctx.tenant, form.next, form.code_challenge)
    wish = Wish(purpose=purpose, next=form.next, challenge=form.code_challenge, extras=request.extras)
    url = await travelling.set_out(ctx, provider, wish, redirect_uri=ctx.url(CALLBACK, provider=provider.name))
    return Done(away=url, data={"url": url})


async def _purpose(ctx: Context, provider: Provider, wanted: str) -> Purpose:
    """Return what a flow is for. One that changes an account needs its owner, and a fresh proof of that."""
    is_signed_in = await ctx.account_if_any() is not None
    purpose = wanted or ("connect" if is_signed_in else "sign_in")
    if purpose == "sign_in":
        if is_signed_in:
            raise AlreadySignedIn
        return "sign_in"
    if not is_signed_in:
        raise NotSignedIn
    if purpose == "connect":
        operations.check_owner(ctx, home(ctx))
        return "connect"
    if purpose != "prove" or ctx.session.transport != "cookie" or not travelling.can_prove(provider):
        raise Forbidden
    return "prove"


# ---- the way back ----


async def receive(request: Request[NoForm], ctx: Context, text: str) -> str:
    """Put down what a provider sent by way of a browser, and return where that browser is to ask for it."""
    await ctx.limit("providers.form", BY_ADDRESS)
    provider = await ctx[ProviderSettings].find(ctx, request.params["provider"])
    state = await travelling.put_down(ctx, provider, text)
    return f"{ctx.path(CALLBACK, provider=provider.name)}?{urlencode({'state': state})}"


async def ask(request: Request[NoForm], ctx: Context) -> Arrived | Missed:
    """Ask the provider who came back."""
    await ctx.limit("providers.callback", BY_ADDRESS)
    provider = await ctx[ProviderSettings].find(ctx, request.params["provider"])
    return await travelling.come_back(ctx, provider, request.raw.query)


async def finish(request: Request[NoForm], ctx: Context, arrived: Arrived | Missed) -> Outcome:  # noqa: ARG001
    """Do what the browser had gone for."""
    if isinstance(arrived, Missed):
        return silent.to_form(ctx, arrived.trip)
    trip, identity = arrived.trip, arrived.identity
    if trip.purpose == "connect":
        changed = await operations.connect(ctx, identity)
        data = {"provider": trip.provider}
        return Done(to=trip.next or home(ctx) or None, notice="connected", data=data, session=changed.session)
    if trip.purpose == "silent":
        return await silent.come_in(ctx, arrived)
    if trip.purpose == "prove":
        found = await operations.prove(ctx, identity)
        return Proved(account=found.account, proof=found.proof, next=trip.next, is_step_up=True)
    if await ctx.account_if_any() is not None:
        raise AlreadySignedIn
    return await _enter(ctx, arrived)


async def _enter(ctx: Context, arrived: Arrived) -> Outcome:
    trip, identity = arrived.trip, arrived.identity
    extras = _extras(ctx, trip)
    known = await operations.recognise(ctx, identity)
    if known is not None:
        return proved(known, trip, extras)
    wanted = operations.said(ctx, identity)
    if asks_more(ctx, wanted):
        return await incomplete(ctx, trip, identity)
    try:
        return registered(ctx, await operations.register(ctx, identity, wanted, extras=extras), trip, extras)
    except InvalidForm:
        return await incomplete(ctx, trip, identity)


def _extras(ctx: Context, trip: Trip) -> dict[type[Form], Form]:
    known = {name: form for name, form in ctx.plan.extra_forms.items() if name in trip.extras}
    return {form: read(form, trip.extras[name], asked(form, ctx.plan.identifiers)) for name, form in known.items()}


# ---- the account ----


async def disconnect(request: Request[NoForm], ctx: Context) -> Outcome:
    """Let a provider be no way in any more."""
    await ctx.account()
    operations.check_owner(ctx, home(ctx))
    changed = await operations.disconnect(ctx, request.params["provider"])
    return Done(to=home(ctx) or None, notice="disconnected", session=changed.session)


START = Post(name="start", path="/providers/{provider}", form=StartForm, submit=start, signs_in=True)
CALLBACK = CallBack(name="callback", path="/providers/{provider}/callback", ask=ask, finish=finish, receive=receive)
DISCONNECT = Post(
    name="disconnect",
    path="/providers/{provider}/disconnect",
    form=NoForm,
    submit=disconnect,
    requires=SIGNED_IN,
    is_dangerous=True,
)


# ---- buttons on other pages ----


async def offer_sign_in(ctx: Context) -> Sequence[Button]:
    """Offer every provider where somebody signs in or up."""
    return [_button(provider, "sign_in_with", asks=True) for provider in await ctx[ProviderSettings].all(ctx)]


async def offer_to_invited(ctx: Context) -> Sequence[Button]:
    """Offer every provider to who is invited, and not signed in."""
    return [] if await ctx.account_if_any() else await offer_sign_in(ctx)


async def offer_prove(ctx: Context) -> Sequence[Button]:
    """Offer the account's providers that can show a fresh sign-in."""
    account = await ctx.account()
    mine = {row.provider for row in await identities.of_account(ctx, account.handle)}
    offered = (each for each in await ctx[ProviderSettings].all(ctx) if each.name in mine)
    return [_button(each, "prove_with", purpose="prove") for each in offered if travelling.can_prove(each)]


async def offer_account(ctx: Context) -> Sequence[Button]:
    """Offer to connect providers, and to disconnect those that are."""
    account = await ctx.account()
    mine = {row.provider for row in await identities.of_account(ctx, account.handle)}
    offered = await ctx[ProviderSettings].all(ctx)
    found = [_button(each, "connect_with", purpose="connect") for each in offered if each.name not in mine]
    titles = {provider.name: title_of(provider) for provider in offered}
    return [*found, *(_disconnect_button(name, titles.get(name, name)) for name in sorted(mine))]


def _button(provider: Provider, text: str, *, purpose: str = "", asks: bool = False) -> Button:
    return Button(
        to=START,
        text=f"providers.{text}",
        params={"provider": provider.name},
        values={"purpose": purpose} if purpose else {},
        words={"provider": title_of(provider)},
        asks=asks,
    )


def _disconnect_button(name: str, title: str) -> Button:
    return Button(
        to=DISCONNECT,
        text="providers.disconnect_from",
        params={"provider": name},
        words={"provider": title},
        is_dangerous=True,
    )
