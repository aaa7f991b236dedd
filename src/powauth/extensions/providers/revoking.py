"""Revoking: what was kept is made worthless at its provider where nobody may use it any more (RFC 7009)."""

import logging
from functools import partial

from powauth.context import Context
from powauth.errors import ConfigurationError
from powauth.events import Closed, Erased
from powauth.extensions.providers import identities
from powauth.extensions.providers.ports import Provider, Refreshes, Revokes, is_of
from powauth.extensions.providers.records import IdentityRecord, TokensRecord
from powauth.extensions.providers.settings import ProviderSettings
from powauth.oauth import ProviderError, Tokens, Unsuitable

log = logging.getLogger("powauth")


async def revoke_later(ctx: Context, row: IdentityRecord) -> None:
    """Revoke what was kept of an identity, once this unit is committed.

    Never at a provider that only has the name by now, and is another one: it is none of its business.
    """
    tokens = await identities.tokens_of(ctx, row)
    if tokens is None:
        return
    for provider in await ctx[ProviderSettings].all(ctx):
        if provider.name == row.provider and is_of(provider, row.issuer):
            ctx.after_commit(partial(revoke, ctx, provider, tokens))


async def revoke(ctx: Context, provider: Provider | Refreshes, tokens: Tokens) -> None:
    """Make tokens worthless at their provider; one that cannot be reached keeps them, and nobody is stopped by that."""
    if not isinstance(provider, Revokes) or not tokens.access_token:
        return
    token, hint = tokens.refresh_token or tokens.access_token, "access_token"
    if tokens.refresh_token is not None:
        hint = "refresh_token"
    try:
        await provider.revoke(ctx[ProviderSettings].tools_of(ctx), token, hint=hint)
    except Unsuitable:  # it revokes nothing, and says so
        return
    except (ProviderError, ConfigurationError) as error:
        log.warning("%s: a token was not revoked: %s", provider.name, error)


async def forget_tokens(event: Closed | Erased, ctx: Context) -> None:
    """Forget what was kept of an account that is closed, and revoke it: nothing is done in its name any more.

    Whoever opens it again signs in with the provider, which brings new ones.
    """
    rows = await identities.of_account(ctx, event.account.handle)
    for row in rows:
        await revoke_later(ctx, row)
    await ctx.records(TokensRecord).delete_all(where={"owner": event.account.handle})
