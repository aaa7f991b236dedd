"""Signing up: an account is made."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from powauth import passwords
from powauth.accounts import Account, NewAccount, new_handle
from powauth.clients import limit_key
from powauth.context import Context
from powauth.errors import FieldError, InvalidForm, Taken, Unavailable
from powauth.events import BreachLookupFailed, EmailTaken, SignedUp, SigningUp
from powauth.forms import Form
from powauth.operations.authentication import PASSWORD, Authentic
from powauth.pages import Detour
from powauth.plan import Plan
from powauth.session import Proof
from powauth.watching import operation

log = logging.getLogger("powauth")


@operation
async def sign_up(
    ctx: Context,
    new: NewAccount,
    password: str | None = None,
    *,
    extras: Mapping[type[Form], Form] | None = None,
) -> Authentic | Detour:
    """Make an account, and say which step comes next if an extension asks for one.

    Raises `InvalidForm` for a poor password and for an address or user name that is taken; where an extension has the
    address proved first, one that is taken gets the same answer as a free one.
    """
    if password is not None:
        words = tuple(word for word in (new.email, new.username) if word)
        new = replace(new, password_hash=await new_hash(ctx, password, words, field="password"))
    added = extras or {}
    await ctx.emit(SigningUp(new=new, extras=added))
    try:
        account = await ctx.accounts.add(new, now=ctx.now)
    except Taken as taken:
        return await _taken(ctx, new, taken)
    detour = await ctx.emit(SignedUp(account=account, extras=added))
    if detour is not None:
        return detour
    return Authentic(account, Proof(account.handle, account.epoch, PASSWORD, ctx.now))


async def _taken(ctx: Context, new: NewAccount, taken: Taken) -> Detour:
    """Return the step that a free address leads to as well, if an extension hides which ones are taken."""
    if taken.field == "email":
        stand_in = await _stand_in(ctx, new)
        detour = await ctx.emit(EmailTaken(new=new, stand_in=stand_in))
        if detour is not None:
            return detour
        await ctx.accounts.delete(stand_in)
    raise as_invalid(taken) from taken


async def _stand_in(ctx: Context, new: NewAccount) -> Account:
    """Make what a free address would have made, but for address and password: nobody can sign in to it.

    What else is taken is refused as it is beside a free address, by the same work.
    """
    try:
        made = replace(new, email=None, password_hash=None, confirmed_at=None, handle=new_handle())
        return await ctx.accounts.add(made, now=ctx.now)
    except Taken as taken:
        raise as_invalid(taken) from taken


def as_invalid(taken: Taken) -> InvalidForm:
    """Return what a visitor is told of a value that somebody else has."""
    return InvalidForm({taken.field or "": [FieldError("taken")]})


async def new_hash(ctx: Context, password: str, words: tuple[str, ...], *, field: str) -> str:
    """Return the hash of a password that is about to be set. Raises `InvalidForm`. Holds no connection meanwhile."""
    problems = password_problems(ctx.plan, password, words)
    if not problems:
        await ctx.release()
        problems = _as_errors(await _breaches(ctx, password))
    if problems:
        raise InvalidForm({field: problems})
    return await ctx.plan.hasher.hash(password, client=limit_key(ctx.caller.client))


async def _breaches(ctx: Context, password: str) -> list[FieldError]:
    """Return whether a password was breached. Raises `Unavailable` where it may not pass while nobody can tell."""
    settings = ctx.plan.passwords
    try:
        return await passwords.breach.problems(password, settings.breach, least=settings.breach_least)
    except passwords.NotAnswered as error:
        passes = settings.breach_failure == "pass"
        log.warning("the list of breached passwords did not answer (%s): %s", settings.breach_failure, error)
        ctx.trace(BreachLookupFailed(passed=passes))
        if passes:
            return []
        raise Unavailable from error


def password_problems(plan: Plan, password: str, words: tuple[str, ...]) -> list[FieldError]:
    """Return everything that is wrong with a password to be set, but whether it was breached."""
    return _as_errors(passwords.problems(password, plan.passwords, (*words, plan.application)))


def _as_errors(problems: list[FieldError]) -> list[FieldError]:
    return [FieldError(f"password_{found.code}", found.values) for found in problems]
