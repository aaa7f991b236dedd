"""Attempts: counted before they are made, cleared by a success, taken back if they were never made."""

from dataclasses import replace
from datetime import timedelta

from powauth.accounts import Account, InvalidEmail, email_key, parse_email, username_key
from powauth.clients import limit_key
from powauth.context import Context
from powauth.errors import TooManyAttempts
from powauth.events import LimitReached
from powauth.limits import Backoff, Claim

ANY_ADDRESS = Backoff(free=100, first=timedelta(minutes=15), forget_after=timedelta(minutes=15))
"""Failures for one identifier from everywhere together: at most 100 (SP 800-63B §3.2.2), then one each 15 minutes.

Nobody is shut out by that: a browser that signed in to the account before is not counted in here."""


async def count(ctx: Context, identifier: str, account: Account | None) -> tuple[Claim, ...]:
    """Count an attempt before it is made, known identifier or not; return what a success clears."""
    typed = identifier_key(identifier)
    here = Claim("sign_in", ctx.plan.backoff, f"{typed} {limit_key(ctx.caller.client)}")
    claims: tuple[Claim, ...] = (here, _any_address(ctx, typed))
    if account is not None and account.handle in ctx.caller.known:
        claims = (Claim("sign_in_known", ctx.plan.backoff, account.handle),)
    for claim in claims:
        await attempt(ctx, claim)
    return claims


def _any_address(ctx: Context, typed: str) -> Claim:
    """Return the claim of all addresses together; where an account has two identifiers, each has half the budget."""
    free = ANY_ADDRESS.free // len(ctx.plan.identifiers)
    return Claim("sign_in_any", replace(ANY_ADDRESS, free=free), typed)


def identifier_key(identifier: str) -> str:
    """Return what all spellings of a typed identifier share: what finds one account has one budget (S44)."""
    try:
        return email_key(parse_email(identifier))
    except InvalidEmail:
        return username_key(identifier)


async def attempt(ctx: Context, claim: Claim) -> None:
    """Count a failure in advance. Raises `TooManyAttempts`, which leaves a trace."""
    try:
        await ctx.limits.attempt(claim.name, claim.backoff, claim.value)
    except TooManyAttempts:
        ctx.trace(LimitReached(limit=claim.name, client=limit_key(ctx.caller.client)))
        raise


async def withdraw(ctx: Context, claims: tuple[Claim, ...]) -> None:
    """Take counted attempts back: they were never made, and nobody is to be slowed down for that."""
    for claim in claims:
        await ctx.limits.withdraw(claim.name, claim.value)


async def forgive(ctx: Context, account: Account) -> None:
    """Forget the failures at an account, from everywhere: its owner came another way, and must not be kept waiting."""
    identifiers = [identifier_key(name) for name in (account.email, account.username) if name]
    claims = [(_any_address(ctx, typed).name, typed) for typed in identifiers]
    claims += [("sign_in", f"{typed} {limit_key(ctx.caller.client)}") for typed in identifiers]
    for name, value in (*claims, ("sign_in_known", account.handle), ("current_password", account.handle)):
        await ctx.limits.succeeded(name, value)


async def clear(ctx: Context, claims: tuple[Claim, ...]) -> None:
    """Forget the failures that a success makes up for: after every gate, or a right password would show itself."""
    for claim in claims:
        await ctx.limits.succeeded(claim.name, claim.value)
