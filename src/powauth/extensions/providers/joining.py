"""“This is my account”: whoever came back signs in to the account that they have, is asked, and has both connected.

Nothing is connected by an address, nor by signing in alone: somebody else may sign in at that browser. A page names the
account and who the provider says it is, and its button counts only for the two that it named.
"""

import hmac
from collections.abc import Sequence
from typing import Annotated

from powauth import csrf
from powauth.accounts import Account
from powauth.answers import with_next
from powauth.context import Context
from powauth.extensions import sign_in
from powauth.extensions.manage_account import ACCOUNT
from powauth.extensions.providers import operations, waiting
from powauth.extensions.providers.errors import BadFlow
from powauth.extensions.providers.ports import Provider, title_of
from powauth.extensions.providers.settings import ProviderSettings
from powauth.extensions.providers.waiting import Waiting
from powauth.forms import Form, Hidden, NoForm
from powauth.http import Request
from powauth.pages import Button, Done, Outcome, Proved, Shown
from powauth.routing import SIGNED_IN, FormPage, Post


class JoinForm(Form):
    """Which two the page named that asked."""

    shown: Annotated[str, Hidden()] = ""


async def choose(request: Request[NoForm], ctx: Context) -> Outcome:
    """Lead whoever has an account to where they sign in to it, in whatever way it has, and then on."""
    provider = await _provider(request, ctx)
    await waiting.find(ctx, provider.name)
    asks = ctx.path(JOIN, provider=provider.name)
    if await ctx.account_if_any() is not None:
        return Done(to=asks, data={"join_url": ctx.url(JOIN, provider=provider.name)})
    url = with_next(ctx.plan.entrance_path or ctx.path(sign_in.NEW), asks)
    whole = csrf.origin_of(ctx.tenant.base_url) + url if url.startswith("/") else url
    data = {"sign_in_url": whole, "join_url": ctx.url(JOIN, provider=provider.name)}
    return Done(to=url, notice="sign_in_to_join", data=data)


async def show_join(request: Request[NoForm], ctx: Context) -> Outcome:
    """Ask, and name both."""
    provider = await _provider(request, ctx)
    account, found = await _both(ctx, provider)
    shown, name = found.shown_to(account), waiting.name_of(found.identity)
    return Shown(
        data={"provider": provider.name, "identity": name, "account": account.label, "shown": shown},
        values={JOIN: {"shown": shown}},
        words={"provider": title_of(provider), "identity": name, "account": account.label},
    )


async def join(request: Request[JoinForm], ctx: Context) -> Outcome:
    """Connect the two that the page named, and go on to where somebody had set out for."""
    provider = await _provider(request, ctx)
    account, found = await _both(ctx, provider)
    if not hmac.compare_digest(request.form.shown, found.shown_to(account)):
        raise BadFlow  # another tab came back as somebody else, or somebody else signed in, since the page asked
    trip = found.trip
    changed = await operations.connect(ctx, found.identity, keeps_caller=not trip.challenge)
    waiting.use_up(ctx, found)
    if trip.challenge:  # a program waits for a code, by the gates of every way in; the browser was only borrowed
        proof = operations.proof_of(ctx, changed.account, found.identity)
        return Proved(account=changed.account, proof=proof, next=trip.next, challenge=trip.challenge, extras={})
    data = {"provider": provider.name}
    return Done(to=trip.next or home(ctx) or None, notice="connected", data=data, session=changed.session)


async def forget(request: Request[NoForm], ctx: Context) -> Outcome:
    """Forget who came back; it is no error where nobody did."""
    await _provider(request, ctx)
    await waiting.forget(ctx)
    return Done(to=ctx.plan.paths.get("after_sign_in"), notice="forgotten")


async def _provider(request: Request[NoForm] | Request[JoinForm], ctx: Context) -> Provider:
    return await ctx[ProviderSettings].find(ctx, request.params["provider"])


async def _both(ctx: Context, provider: Provider) -> tuple[Account, Waiting]:
    """Return who is signed in, owner and freshly so, and who waits. Raises as `check_owner`, and `BadFlow`."""
    account = await ctx.account()
    found = await waiting.find(ctx, provider.name)
    operations.check_owner(ctx, ctx.path(JOIN, provider=provider.name))
    return account, found


def home(ctx: Context) -> str:
    """Return the account's page; empty where there is none."""
    return ctx.path(ACCOUNT) if ctx.has_page(ACCOUNT) else ""


MINE = Post(name="mine", path="/providers/{provider}/mine", form=NoForm, submit=choose)
JOIN = FormPage(
    name="join", path="/providers/{provider}/join", form=JoinForm, show=show_join, submit=join, requires=SIGNED_IN
)
FORGET = Post(name="forget", path="/providers/{provider}/forget", form=NoForm, submit=forget)


async def offer_forget(ctx: Context) -> Sequence[Button]:  # noqa: ARG001  the shape of an offer
    """Offer to forget who came back, where people are asked whether that is theirs."""
    return [Button(to=FORGET, text="providers.not_mine")]
