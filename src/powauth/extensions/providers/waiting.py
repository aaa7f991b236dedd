"""Who came back, is not known here, and has to say more: kept for that browser, for a quarter of an hour, used once."""

import hashlib
from dataclasses import dataclass, field
from functools import partial

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import Stale
from powauth.events import SessionEnded
from powauth.extensions.providers import flows, identities
from powauth.extensions.providers.errors import BadFlow
from powauth.extensions.providers.flows import Shelf, Trip
from powauth.extensions.sign_in import Leaving
from powauth.oauth import Identity

LONGEST = 80  # characters of a name that somebody chose: a page that asks is not to be pushed off the screen


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whom a provider named, and what they had gone there for."""

    secret: str = field(repr=False)
    trip: Trip
    identity: Identity

    def shown_to(self, account: Account) -> str:
        """Return what a page carries that showed these two, and no others, to whom it asked."""
        text = f"{account.handle} {account.epoch} {flows.digest(self.secret)}"
        return hashlib.sha256(text.encode()).hexdigest()


async def keep(ctx: Context, trip: Trip, identity: Identity) -> None:
    """Keep who came back, for the browser they came back with."""
    kept = {"trip": flows.plain_trip(trip), "identity": identities.plain_identity(identity)}
    await Shelf(ctx).put("complete", flows.bind(ctx), kept)


async def find(ctx: Context, provider: str) -> Waiting:
    """Return who came back with this browser from this provider last. Raises `BadFlow`."""
    for secret in flows.secrets_of(ctx):
        kept = await Shelf(ctx).peek("complete", secret)
        if kept is not None and kept["trip"]["provider"] == provider:
            return Waiting(secret, flows.read_trip(kept["trip"]), identities.read_identity(kept["identity"]))
    raise BadFlow


def use_up(ctx: Context, waiting: Waiting) -> None:
    """Let it be good no more, as the last step of this unit: of two who send it, one goes on."""
    flows.unbind(ctx, flows.digest(waiting.secret))

    async def take() -> None:
        if await Shelf(ctx).take("complete", waiting.secret) is None:
            raise Stale

    ctx.last_step(take)


async def forget(ctx: Context) -> None:
    """Forget everybody who came back with this browser and waits, from whichever provider."""
    for secret in flows.secrets_of(ctx):
        if await Shelf(ctx).peek("complete", secret) is not None:
            flows.unbind(ctx, flows.digest(secret))
            ctx.after_commit(partial(Shelf(ctx).take, "complete", secret))


async def forget_at_sign_out(event: Leaving, ctx: Context) -> None:
    """Forget who waits when somebody signs out whose session was over: the next one is not to find it (S49)."""
    if event.session is None:
        await forget(ctx)


async def forget_with_session(event: SessionEnded, ctx: Context) -> None:
    """Forget who waits when this browser's session ends, by whichever button."""
    session = ctx.caller.session
    if session is not None and session.public_id == event.session:
        await forget(ctx)


def name_of(identity: Identity) -> str:
    """Return how a page names who somebody is at a provider, so that nobody takes it for somebody else.

    An address stands alone only if the provider proved it. Names are what their owners chose, so the subject stands
    beside them; what could turn or break a line is left out.
    """
    claims = identity.claims
    if claims.email_verified is True and claims.email:
        return _plain(claims.email)
    chosen = _plain(claims.preferred_username or claims.name or claims.email or "")
    subject = _plain(identity.subject)
    return f"{chosen} ({subject})" if chosen else subject


def _plain(text: str) -> str:
    kept = "".join(char for char in text if char.isprintable()).strip()
    return kept if len(kept) <= LONGEST else f"{kept[: LONGEST - 1]}…"
