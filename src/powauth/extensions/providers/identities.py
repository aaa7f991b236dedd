"""Identities of accounts: found by issuer and subject, brought up to date, kept with tokens if they are asked for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from powauth.accounts import Handle
from powauth.context import Context
from powauth.errors import Stale, Taken
from powauth.extensions.providers.records import IdentityRecord, TokensRecord, identity_key
from powauth.extensions.providers.settings import ProviderSettings
from powauth.oauth import Claims, Identity, Tokens


def key_of(identity: Identity) -> str:
    """Return the key of an identity."""
    return identity_key(identity.issuer, identity.subject)


async def find(ctx: Context, identity: Identity) -> IdentityRecord | None:
    """Return the row of an identity. No address finds one (S47)."""
    return await ctx.records(IdentityRecord).get(key_of(identity))


async def of_account(ctx: Context, handle: Handle) -> Sequence[IdentityRecord]:
    """Return the identities of an account, the oldest first."""
    return await ctx.records(IdentityRecord).find(where={"owner": handle}, order=("connected_at", "id"))


def newest(rows: Sequence[IdentityRecord]) -> IdentityRecord | None:
    """Return the identity that was used last."""
    return max(rows, key=lambda row: row.used_at, default=None)


async def add(ctx: Context, handle: Handle, identity: Identity) -> IdentityRecord:
    """Make an identity somebody's. Raises `Stale` where another call-back was first: then it is begun again."""
    row = IdentityRecord(
        id=key_of(identity),
        owner=handle,
        provider=identity.provider,
        issuer=identity.issuer,
        subject=identity.subject,
        claims=_kept(ctx, identity),
        connected_at=ctx.now,
        used_at=ctx.now,
    )
    try:
        added = await ctx.records(IdentityRecord).add(row)
    except Taken:
        raise Stale from None
    await _keep_tokens(ctx, added, identity.tokens)
    return added


async def refresh(ctx: Context, row: IdentityRecord, identity: Identity) -> IdentityRecord:
    """Bring an identity up to date with what its provider says now."""
    changes = {"provider": identity.provider, "claims": _kept(ctx, identity), "used_at": ctx.now}
    fresh = await ctx.records(IdentityRecord).update(row, **changes)
    await _keep_tokens(ctx, fresh, identity.tokens)
    return fresh


async def remove(ctx: Context, row: IdentityRecord) -> None:
    """Forget an identity and its tokens."""
    await ctx.records(IdentityRecord).delete(row)
    if ctx[ProviderSettings].keeps_tokens:
        await ctx.records(TokensRecord).delete_all(where={"id": row.id})


async def tokens_of(ctx: Context, row: IdentityRecord) -> Tokens | None:
    """Return the tokens that were kept of an identity."""
    kept = await ctx.records(TokensRecord).get(row.id) if ctx[ProviderSettings].keeps_tokens else None
    return read_tokens(kept.tokens) if kept else None


async def _keep_tokens(ctx: Context, row: IdentityRecord, tokens: Tokens) -> None:
    if not ctx[ProviderSettings].keeps_tokens:
        return
    records = ctx.records(TokensRecord)
    kept = await records.get(row.id)
    if kept is None:
        new = TokensRecord(id=row.id, owner=row.owner, tokens=plain_tokens(tokens), updated_at=ctx.now)
        await records.add(new)
        return
    if tokens.refresh_token is None:  # many providers give it once, at the first consent
        tokens = replace(tokens, refresh_token=read_tokens(kept.tokens).refresh_token)
    await records.update(kept, tokens=plain_tokens(tokens), updated_at=ctx.now)


def _kept(ctx: Context, identity: Identity) -> dict[str, Any]:
    said = identity.claims.plain()
    return {name: said[name] for name in ctx[ProviderSettings].kept_claims if name in said and _is_whole(said[name])}


def _is_whole(claim: object) -> bool:
    """Say whether every engine keeps it: not half a character, which JSON can say."""
    try:
        json.dumps(claim, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


# ---- as what JSON can hold ----


def plain_tokens(tokens: Tokens) -> dict[str, Any]:
    """Return tokens as what JSON can hold, without the answer as it was."""
    return {
        "access_token": tokens.access_token,
        "token_type": tokens.token_type,
        "refresh_token": tokens.refresh_token,
        "id_token": tokens.id_token,
        "token_secret": tokens.token_secret,
        "expires_at": tokens.expires_at.timestamp() if tokens.expires_at else None,
        "scopes": list(tokens.scopes),
    }


def read_tokens(plain: Mapping[str, Any]) -> Tokens:
    """Return the tokens that were kept."""
    ends = plain["expires_at"]
    more = {"scopes": tuple(plain["scopes"]), "expires_at": datetime.fromtimestamp(ends, UTC) if ends else None}
    return Tokens(**cast("dict[str, Any]", {**plain, **more}))


def plain_identity(identity: Identity) -> dict[str, Any]:
    """Return an identity as what JSON can hold."""
    return {
        "provider": identity.provider,
        "issuer": identity.issuer,
        "claims": identity.claims.plain(),
        "tokens": plain_tokens(identity.tokens),
    }


def read_identity(plain: Mapping[str, Any]) -> Identity:
    """Return the identity that was kept."""
    return Identity(
        provider=plain["provider"],
        issuer=plain["issuer"],
        claims=Claims.read(plain["claims"]),
        tokens=read_tokens(plain["tokens"]),
    )


def factor_of(provider: str) -> str:
    """Return the name of the factor that a provider's word is."""
    return f"provider:{provider}"
