"""Going to a provider and coming back: the flow is kept, taken once, and nothing is believed that does not fit it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from powauth.context import Context
from powauth.errors import ConfigurationError, MethodNotAllowed, PowauthError
from powauth.events import AuthenticationFailed
from powauth.extensions.providers import flows
from powauth.extensions.providers.errors import BadFlow, Declined, NoAnswer
from powauth.extensions.providers.flows import Purpose, Shelf, Trip
from powauth.extensions.providers.identities import factor_of
from powauth.extensions.providers.ports import Provider, takes_form
from powauth.extensions.providers.settings import ProviderSettings
from powauth.forms import Form, form_name
from powauth.oauth import (
    Ask,
    BadState,
    Begun,
    Callback,
    Denied,
    Flow,
    Identity,
    OpenIDConnect,
    ProviderError,
    Refused,
)
from powauth.oauth import NoAnswer as NothingUsable
from powauth.watching import operation

log = logging.getLogger("powauth")

STATES = ("state", "oauth_token", "denied")
"""Under which names a state comes back: of OAuth 2, and the two of OAuth 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants of a provider."""

    purpose: Purpose
    next: str = ""
    challenge: str = ""
    extras: Mapping[type[Form], Form] = field(default_factory=dict[type[Form], Form])
    way: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The way that is gone again, and `ask` how, where nobody pressed a button."""
    ask: Ask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Who came back, and what they had gone for."""

    provider: Provider
    trip: Trip
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A browser came back alone from a way that nobody was asked about: its person signs in by hand."""

    trip: Trip


# ---- the way there ----


@operation
async def set_out(ctx: Context, provider: Provider, wish: Wish, *, redirect_uri: str) -> str:
    """Return where the browser is sent, and keep what proves later that it is this one. Raises `NoAnswer`."""
    await ctx.release()
    begun = await _begin(ctx, provider, wish, redirect_uri)
    session = ctx.caller.session
    trip = Trip(
        provider=provider.name,
        purpose=wish.purpose,
        flow=begun.flow.plain(),
        binding=flows.digest(flows.bind(ctx)),
        handle=session.handle if session else "",
        session=session.public_id if session else "",
        next=wish.next,
        challenge=wish.challenge,
        extras={form_name(form): dict(vars(filled)) for form, filled in wish.extras.items()},
        way=wish.way,
    )
    if not await Shelf(ctx).put("flow", begun.flow.state, flows.plain_trip(trip)):
        raise BadFlow  # a provider that gives one request token twice
    return begun.url


async def _begin(ctx: Context, provider: Provider, wish: Wish, redirect_uri: str) -> Begun:
    settings = ctx[ProviderSettings]
    try:
        return await provider.begin(
            settings.tools_of(ctx), redirect_uri=redirect_uri, ask=await _ask(ctx, provider, wish)
        )
    except (ProviderError, ConfigurationError) as error:
        log.warning("%s: no sign-in could be begun: %s", provider.name, error)
        raise NoAnswer from error


async def _ask(ctx: Context, provider: Provider, wish: Wish) -> Ask:
    if wish.ask is not None:
        return wish.ask
    settings = ctx[ProviderSettings]
    ask = await settings.ask(ctx, provider) if settings.ask else Ask()
    if wish.purpose == "prove":  # a fresh look at the person, which the provider has to show (`auth_time`)
        return replace(ask, prompt="login", max_age=timedelta(0))
    return ask


def can_prove(provider: Provider) -> bool:
    """Say whether a provider can show that somebody just signed in there: OpenID Connect alone has words for it."""
    return isinstance(provider, OpenIDConnect)


# ---- a form that another site sends ----


async def put_down(ctx: Context, provider: Provider, text: str) -> str:
    """Keep a form for the browser that will ask for it, and return the state under which it will. Raises `BadFlow`.

    Anybody may send one, so it has to name a live flow that waits for one, and the first one counts.
    """
    if not takes_form(provider):
        raise MethodNotAllowed(["GET"])
    state = _state(Callback.from_form, text)
    trip = await _peek(ctx, provider, state)
    if trip.flow["response_mode"] != "form_post" or not await Shelf(ctx).put("form", state, text):
        raise BadFlow
    return state


# ---- the way back ----


@operation
async def come_back(ctx: Context, provider: Provider, query: str) -> Arrived | Missed:
    """Return who came back, and what for; the flow is used up by that, whatever comes of it.

    Holds no connection. Raises `BadFlow`, `Declined`, `NoAnswer`.
    """
    try:
        return await _come_back(ctx, provider, query)
    except (BadFlow, Declined):
        _trace_failure(ctx, provider)
        raise


def _trace_failure(ctx: Context, provider: Provider) -> None:
    ctx.trace(AuthenticationFailed(factor=factor_of(provider.name), identifier=""))


async def _come_back(ctx: Context, provider: Provider, query: str) -> Arrived | Missed:
    state = _state(Callback.from_query, query)
    trip = await _peek(ctx, provider, state)
    if not flows.unbind(ctx, trip.binding):  # before it is used up: who only knows the state takes nothing from anybody
        raise BadFlow
    if await Shelf(ctx).take("flow", state) is None:
        raise BadFlow
    _check_session(ctx, trip)
    try:
        callback = await _callback(ctx, trip, state, query)
        return Arrived(provider=provider, trip=trip, identity=await _complete(ctx, provider, trip, callback))
    except (BadFlow, Declined, NoAnswer) as error:
        if trip.purpose != "silent":
            raise
        if isinstance(error, BadFlow):  # that nobody is signed in there is no failure
            _trace_failure(ctx, provider)
        return Missed(trip=trip)


def _state(read: Callable[[str], Callback], text: str) -> str:
    try:
        callback = read(text)
        found = next(filter(None, (callback.get(name) for name in STATES)), None)
    except ProviderError as error:
        raise BadFlow from error
    if found is None:
        raise BadFlow
    return found


async def _peek(ctx: Context, provider: Provider, state: str) -> Trip:
    kept = await Shelf(ctx).peek("flow", state)
    trip = flows.read_trip(kept) if kept else None
    if trip is None or trip.provider != provider.name:
        raise BadFlow
    return trip


def _check_session(ctx: Context, trip: Trip) -> None:
    """Refuse a trip that was begun in another session, or by somebody else, or in none while there is one."""
    session = ctx.caller.session
    if trip.purpose not in {"sign_in", "silent"} and (
        session is None or (session.handle, session.public_id) != (trip.handle, trip.session)
    ):
        raise BadFlow


async def _callback(ctx: Context, trip: Trip, state: str, query: str) -> Callback:
    """Return what came back: in the query, or in the form that was put down; never some of it here, some there."""
    callback = Callback.from_query(query)
    if trip.flow["response_mode"] == "query":
        return callback
    if set(callback.params) != {"state"}:
        raise BadFlow
    text = await Shelf(ctx).take("form", state)
    if not isinstance(text, str):
        raise BadFlow
    return Callback.from_form(text)


async def _complete(ctx: Context, provider: Provider, trip: Trip, callback: Callback) -> Identity:
    tools = ctx[ProviderSettings].tools_of(ctx)
    await ctx.release()
    try:
        return await provider.complete(tools, Flow.read(trip.flow), callback)
    except Denied as error:
        raise Declined from error
    except Refused as error:
        if error.needs_person:
            raise Declined from error
        log.warning("%s: it refused: %s", provider.name, error)
        raise BadFlow from error
    except NothingUsable as error:
        log.warning("%s: nothing usable came back: %s", provider.name, error)
        raise NoAnswer from error
    except (BadState, PowauthError) as error:
        log.warning("%s: what came back was refused: %s", provider.name, error)
        raise BadFlow from error
