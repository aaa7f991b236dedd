"""What a provider leaves open is asked for, and an account is made of both."""

from collections.abc import Mapping
from dataclasses import replace

from powauth.context import Context
from powauth.errors import InvalidForm
from powauth.extensions.providers import operations, waiting
from powauth.extensions.providers.errors import NotRegistered
from powauth.extensions.providers.flows import Trip
from powauth.extensions.providers.forms import CompleteForm
from powauth.extensions.providers.joining import MINE
from powauth.extensions.providers.operations import Recognised, Wanted
from powauth.extensions.providers.ports import title_of
from powauth.extensions.providers.profiles import without_taken
from powauth.extensions.providers.settings import ProviderSettings
from powauth.forms import Form, NoForm, asked, field_names
from powauth.http import Request
from powauth.oauth import Identity
from powauth.pages import Button, Detour, Done, Outcome, Proved, Shown
from powauth.routing import SIGNED_OUT, FormPage


def _own_fields(form: type[CompleteForm]) -> tuple[str, ...]:
    return tuple(name for name in field_names(form) if name not in field_names(CompleteForm))


def asks_more(ctx: Context, wanted: Wanted) -> bool:
    """Say whether a field of the application's own has to be filled in, which no claim fills."""
    form = ctx[ProviderSettings].form
    required = {known.name for known in asked(form, ctx.plan.identifiers) if known.required}
    return any(name in required and name not in wanted.values for name in _own_fields(form))


async def incomplete(ctx: Context, trip: Trip, identity: Identity) -> Outcome:
    """Keep who came back, for the browser they came back with, and ask for the rest."""
    if not ctx[ProviderSettings].registration:
        raise NotRegistered
    await waiting.keep(ctx, trip, identity)
    page = ctx.url(COMPLETE, provider=trip.provider)
    data = {"action": {"name": ctx.plan.pages[COMPLETE].code, "url": page}}
    return Done(to=ctx.path(COMPLETE, provider=trip.provider), data=data, status=201)


async def show_complete(request: Request[NoForm], ctx: Context) -> Outcome:
    """Ask for what the provider left open."""
    provider = await ctx[ProviderSettings].find(ctx, request.params["provider"])
    found = await waiting.find(ctx, provider.name)
    trip, identity = found.trip, found.identity
    wanted = operations.said(ctx, identity)
    added = {name: value for filled in trip.extras.values() for name, value in filled.items()}
    values = {**wanted.values, "email": wanted.email, "username": wanted.username, **added}
    errors = await operations.open_questions(ctx, identity, wanted)
    taken = sorted(name for name, found in errors.items() if found[0].code == "taken")
    return Shown(
        data={"provider": provider.name, "taken": taken, "mine_url": ctx.url(MINE, provider=provider.name)},
        values={COMPLETE: values},
        words={"provider": title_of(provider)},
    )


async def complete(request: Request[CompleteForm], ctx: Context) -> Outcome:
    """Make the account; what follows is a sign-in like any other."""
    provider = await ctx[ProviderSettings].find(ctx, request.params["provider"])
    found = await waiting.find(ctx, provider.name)
    identity, form = found.identity, request.form
    own = {name: getattr(form, name) for name in _own_fields(type(form))}
    wanted = operations.said(ctx, identity)
    wanted = Wanted(email=form.email, username=form.username, values={**wanted.values, **own})
    known = await operations.recognise(ctx, identity)
    made = known or await _register(ctx, identity, wanted, own=frozenset(own), extras=request.extras)
    waiting.use_up(ctx, found)
    return registered(ctx, made, found.trip, request.extras)


async def _register(
    ctx: Context, identity: Identity, wanted: Wanted, *, own: frozenset[str], extras: Mapping[type[Form], Form]
) -> Recognised | Detour:
    """Make an account, without what a provider says for columns that have each value only once, and somebody else has.

    Nobody is asked for these, so whoever calls themselves the same could keep people out.
    """
    try:
        return await operations.register(ctx, identity, wanted, extras=extras)
    except InvalidForm as refused:
        free = without_taken(wanted.values, refused)
        if len(free) == len(wanted.values) or own & refused.errors.keys():  # asked for: another one can be chosen
            raise
    return await _register(ctx, identity, replace(wanted, values=free), own=own, extras=extras)


def proved(found: Recognised, trip: Trip, extras: Mapping[type[Form], Form]) -> Proved:
    """Return that somebody is here who is known, or was just made known."""
    return Proved(
        account=found.account,
        proof=found.proof,
        next=trip.next,
        challenge=trip.challenge,
        after="after_sign_up" if found.is_new else "after_sign_in",
        status=201 if found.is_new else 200,
        extras=extras,
    )


def registered(ctx: Context, made: Recognised | Detour, trip: Trip, extras: Mapping[type[Form], Form]) -> Outcome:
    """Return that an account was made, or the step that comes before anybody is signed in to it."""
    if isinstance(made, Detour):
        action = {"name": ctx.plan.pages[made.page].code, "url": ctx.url(made.page)}
        return Done(to=made.page, data={"action": action}, status=201)
    return proved(made, trip, extras)


COMPLETE = FormPage(
    name="complete",
    path="/providers/{provider}/complete",
    form=CompleteForm,
    show=show_complete,
    submit=complete,
    requires=SIGNED_OUT,
    signs_in=True,
)


async def offer_mine(ctx: Context) -> list[Button]:  # noqa: ARG001  the shape of an offer
    """Offer to sign in to an account that there is, whether or not one has the address: nothing is told by that."""
    return [Button(to=MINE, text="providers.this_is_mine")]
