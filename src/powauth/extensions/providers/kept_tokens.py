"""Kept tokens: what opens a provider's doors in a person's name. Good when handed out, refreshed once, never shown."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta

from powauth.accounts import Account
from powauth.context import Context
from powauth.errors import ConfigurationError, Forbidden, Stale, Unavailable
from powauth.extensions.providers import identities
from powauth.extensions.providers.errors import ConnectAgain, NoAnswer
from powauth.extensions.providers.identities import plain_tokens, read_tokens
from powauth.extensions.providers.ports import Provider, Refreshes, is_of
from powauth.extensions.providers.records import IdentityRecord, TokensRecord
from powauth.extensions.providers.revoking import revoke
from powauth.extensions.providers.settings import ProviderSettings
from powauth.oauth import ProviderError, Refused, Tokens
from powauth.units import begin, persistently, to_its_end
from powauth.watching import operation

log = logging.getLogger("powauth")

LEEWAY = timedelta(minutes=1)
"""How long a token that is handed out is good for, at least."""
ASKING = timedelta(seconds=30)
"""How long a provider has to answer: metadata, tokens and keys, ten seconds each."""
CLAIM = timedelta(seconds=60)
"""For how long one caller alone may refresh. Longer than asking takes: whoever holds it that long has died."""
PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds after which somebody who waits for another's refresh looks again; the last one is repeated."""
OVER = frozenset(
    {
        *("invalid_grant", "interaction_required", "login_required", "consent_required"),
        *("bad_refresh_token", "invalid_refresh_token", "token_revoked", "token_expired"),
    }
)
"""What providers say of a refresh token that is good no more: RFC 6749 §5.2, Entra, and GitHub's and Slack's own."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An identity and what was kept of it."""

    identity: IdentityRecord
    row: TokensRecord

    @property
    def tokens(self) -> Tokens:
        """What opens doors."""
        return read_tokens(self.row.tokens)


@operation
async def tokens_for(
    ctx: Context, account: Account, provider: str, *, leeway: timedelta = LEEWAY, refused: Tokens | None = None
) -> Tokens:
    """Return what opens a provider's doors in an account's name for at least `leeway`, refreshed if it has to be.

    Of all who need a refresh at once, in whatever process, one asks the provider, and the others wait for it. The
    connection is given back meanwhile, so ask before the unit writes. `refused` is what was handed out before and the
    provider refused although it was not over: another one is fetched, once for all who say so.

    Raises `ConnectAgain` where only its owner can help, at the provider; `NoAnswer`; `Forbidden` for an account that
    is closed or locked, and for whoever acts as somebody else; `NotFound` for a provider that is not configured.
    """
    settings = ctx[ProviderSettings]
    if not settings.keeps_tokens:
        raise ConfigurationError("tokens_for hands out what was kept: add keeps_tokens=True to Providers")
    if ctx.is_joined:
        raise ConfigurationError("tokens_for asks the provider, and would hold your transaction meanwhile: call before")
    ctx.owner_only()
    value = await settings.find(ctx, provider)
    await ctx.release()
    try:
        async with asyncio.timeout(ASKING.total_seconds() * 2):  # somebody else's refresh, and then one's own
            return await _usable(ctx, account, value, leeway, refused)
    except TimeoutError:
        raise NoAnswer from None


async def _usable(
    ctx: Context, account: Account, provider: Provider, leeway: timedelta, refused: Tokens | None
) -> Tokens:
    pauses = iter(PAUSES)
    while True:
        kept = await _find(ctx, account, provider)
        tokens = kept.tokens
        if _is_good(ctx, tokens, leeway) and (refused is None or tokens.access_token != refused.access_token):
            return _handed_out(tokens)
        if tokens.refresh_token is None or not isinstance(provider, Refreshes):
            raise ConnectAgain(provider.name, "no_refresh_token")
        claimed = await claim(ctx, kept.row)
        if claimed is not None:
            return _handed_out(await _refreshed(ctx, provider, replace(kept, row=claimed)))
        await asyncio.sleep(next(pauses, PAUSES[-1]))


def _is_good(ctx: Context, tokens: Tokens, leeway: timedelta) -> bool:
    return tokens.expires_at is None or tokens.expires_at - ctx.now >= leeway


def _handed_out(tokens: Tokens) -> Tokens:
    """Return what an application needs for a call: what refreshes stays here, where one at a time uses it."""
    return replace(tokens, refresh_token=None, id_token=None, raw={})


async def _find(ctx: Context, account: Account, provider: Provider) -> Kept:
    """Return the identity that was used last. An account is asked anew: its owner may be locked out by now."""
    async with _unit(ctx, writes=False) as own:
        current = await own.accounts.by_handle(account.handle)
        if current is None or not current.is_open:
            raise Forbidden
        rows = [row for row in await identities.of_account(own, current.handle) if row.provider == provider.name]
        mine = [row for row in rows if is_of(provider, row.issuer)]
        newest = identities.newest(mine)
        if newest is None:
            raise ConnectAgain(provider.name, "not_connected")
        kept = await own.records(TokensRecord).get(newest.id)
        if kept is None or not kept.tokens["access_token"]:
            raise ConnectAgain(provider.name, "nothing_kept")
        return Kept(newest, kept)


# ---- one at a time ----


async def claim(ctx: Context, row: TokensRecord) -> TokensRecord | None:
    """Return the row as this caller's alone to refresh; `None` while somebody else is at it.

    By compare-and-set: a refresh token that is sent twice is a stolen one to many providers (RFC 9700 §4.14.2), which
    then end all that came of the same consent.
    """
    if row.claimed_until is not None and row.claimed_until > ctx.now:
        return None
    try:
        async with _unit(ctx) as own:
            return await own.records(TokensRecord).update(row, claimed_until=ctx.now + CLAIM)
    except (Stale, Unavailable):
        return None


async def _refreshed(ctx: Context, provider: Refreshes, kept: Kept) -> Tokens:
    """Return new tokens, kept by then, also if whoever asked has hung up: the old ones may be worth nothing."""
    found: list[Tokens] = []

    async def refresh_and_keep() -> None:
        new = await _ask(ctx, provider, kept)
        found.append(await _keep(ctx, provider, kept, new))

    await to_its_end(refresh_and_keep())
    return found[0]


async def _ask(ctx: Context, provider: Refreshes, kept: Kept) -> Tokens:
    tools = ctx[ProviderSettings].tools_of(ctx)
    try:
        async with asyncio.timeout(ASKING.total_seconds()):
            return await provider.refresh(tools, kept.tokens, subject=kept.identity.subject)
    except Refused as error:
        if error.error in OVER:
            await _give_up(ctx, kept)
            raise ConnectAgain(provider.name, "refused") from None
        reason = f"refused with {error.error}"
    except (ProviderError, ConfigurationError) as error:
        reason = str(error)
    except TimeoutError:
        reason = f"no answer within {ASKING}"
    log.warning("%s: tokens were not refreshed: %s", provider.name, reason)
    await _let_go(ctx, kept)
    raise NoAnswer


async def _keep(ctx: Context, provider: Refreshes, kept: Kept, new: Tokens) -> Tokens:
    """Keep what a refresh brought. Of a sign-in meanwhile, which brings tokens too, nothing is lost.

    What was disconnected meanwhile is not kept, and made worthless.
    """
    new = replace(new, id_token=new.id_token or kept.tokens.id_token)

    async def once() -> bool:
        async with _unit(ctx) as own:
            row = await own.records(TokensRecord).get(kept.row.id)
            if row is None or row.owner != kept.row.owner:  # another account's by now, which has its own
                return False
            tokens = _merged(kept.tokens, new, read_tokens(row.tokens))
            await own.records(TokensRecord).update(
                row, tokens=plain_tokens(tokens), updated_at=own.now, claimed_until=None
            )
            return True

    if not await _stubbornly(once):
        await revoke(ctx, provider, new)
        raise ConnectAgain(provider.name, "not_connected")
    return new


def _merged(old: Tokens, new: Tokens, there: Tokens) -> Tokens:
    """Return what is kept: what a refresh brought, unless a sign-in brought a refresh token of its own meanwhile."""
    return new if there.refresh_token in {old.refresh_token, None} else there


async def _give_up(ctx: Context, kept: Kept) -> None:
    """Ask the provider no more for what it will not give; whoever signs in with it brings new tokens."""
    over = replace(kept.tokens, refresh_token=None, expires_at=ctx.now - CLAIM)
    await _change(ctx, kept.row, tokens=plain_tokens(over), claimed_until=None)


async def _let_go(ctx: Context, kept: Kept) -> None:
    await _change(ctx, kept.row, claimed_until=None)


async def _change(ctx: Context, row: TokensRecord, **changes: object) -> None:
    """Change a row if it is still as it was claimed; otherwise somebody changed it who knows better."""
    try:
        async with _unit(ctx) as own:
            await own.records(TokensRecord).update(row, **changes)
    except (Stale, Unavailable):
        return  # the claim is over in a minute by itself


async def _stubbornly(work: Callable[[], Awaitable[bool]]) -> bool:
    """Do work also where the database is away for a moment: what is lost here has to be asked for again."""
    for pause in PAUSES:
        try:
            return await persistently(work)
        except Unavailable:
            await asyncio.sleep(pause)
    return await persistently(work)


def _unit(ctx: Context, *, writes: bool = True) -> AbstractAsyncContextManager[Context]:
    """Open a unit of work of its own: what a provider gave out has to stand, whatever becomes of the caller's."""
    return begin(ctx.plan, ctx.tenant, ctx.caller, writes=writes)
