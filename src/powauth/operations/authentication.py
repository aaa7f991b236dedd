"""Authentication: whose password this is. Nothing is granted by that."""

import logging
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from powauth.accounts import Account, Accounts, Changes, InvalidEmail, parse_email
from powauth.clients import limit_key
from powauth.context import Context
from powauth.errors import FieldError, InvalidCredentials, InvalidForm, PowauthError, Unavailable
from powauth.events import Authenticated, AuthenticationFailed
from powauth.limits import Claim
from powauth.operations.attempts import attempt, clear, count, withdraw
from powauth.passwords import Verdict
from powauth.session import Proof
from powauth.watching import operation

PASSWORD = "password"

ANY_KIND = ("email", "username")

log = logging.getLogger("powauth")


@dataclass(frozen=True, slots=True)
class Authentic:
    """An account, and the proof that its owner is here."""

    account: Account
    proof: Proof
    claims: tuple[Claim, ...] = ()
    """The attempts that a finished sign-in makes up for."""


@operation
async def authenticate(ctx: Context, identifier: str, password: str) -> Authentic:
    """Return the account whose password this is. Raises `InvalidCredentials`, `TooManyAttempts`, `HashingBusy`.

    The same work and the same answer for wrong, unknown, locked, closed and password-less (S9, S10): the identifier
    is looked up, the connection given back, one attempt is counted, one hash verified.
    """
    async with ctx.reading() as accounts:
        account = await find_account(accounts, identifier, ctx.plan.identifiers)
    claims = await count(ctx, identifier, account)
    verdict = await _verify(ctx, password, account, claims)
    if account is None or not verdict.ok or not may_try(ctx, account):
        handle = account.handle if account else None
        ctx.trace(AuthenticationFailed(factor=PASSWORD, identifier=identifier, handle=handle))
        raise InvalidCredentials
    if verdict.rehash:
        await _rehash(ctx, account, password)
    await ctx.emit(Authenticated(account=account, factor=PASSWORD))
    return Authentic(account, Proof(account.handle, account.epoch, PASSWORD, ctx.now), claims)


async def _verify(ctx: Context, password: str, account: Account | None, claims: tuple[Claim, ...]) -> Verdict:
    """Verify a password; an attempt that could not be made is not counted."""
    password_hash = account.password_hash if account else None
    try:
        return await ctx.plan.hasher.verify(password, password_hash, client=limit_key(ctx.caller.client))
    except Unavailable:
        await withdraw(ctx, claims)
        raise


async def find_account(accounts: Accounts, identifier: str, kinds: Collection[str] = ANY_KIND) -> Account | None:
    """Return the account with this address or user name, if accounts are found by that kind."""
    if "\0" in identifier or not identifier.strip():
        return None
    if "@" not in unicodedata.normalize("NFKC", identifier):
        return await accounts.by_username(identifier) if "username" in kinds else None
    if "email" not in kinds:
        return None
    try:
        return await accounts.by_email(parse_email(identifier))
    except InvalidEmail:
        return None


def may_try(ctx: Context, account: Account) -> bool:
    """Say whether an account may be signed in to from this browser: it is open, and a guarded one knows the browser."""
    return account.is_open and (not account.is_guarded or account.handle in ctx.caller.known)


async def _rehash(ctx: Context, account: Account, password: str) -> None:
    """Store the password under today's parameters; whoever changed it meanwhile comes first (S5)."""
    unit = ctx.plan.database.unit(ctx.plan.schema, ctx.tenant, writes=True)
    try:
        password_hash = await ctx.plan.hasher.hash(password, client=limit_key(ctx.caller.client))
        current = await unit.accounts.lock(account.handle)
        if current is not None and current.password_hash == account.password_hash:
            await unit.accounts.change(current, Changes(password_hash=password_hash))
        await unit.commit()
    except PowauthError:  # next time: it must not fail the sign-in
        log.warning("a password was not hashed anew", exc_info=True)
    finally:
        await unit.rollback()


@operation
async def verify_current(ctx: Context, account: Account, password: str, *, field: str) -> Proof:
    """Return the proof that the signed-in person knows the password. Raises `InvalidForm`, `OwnerOnly`.

    Holds no connection.
    """
    ctx.owner_only()
    await ctx.release()
    claim = Claim("current_password", ctx.plan.backoff, account.handle)
    await attempt(ctx, claim)
    verdict = await _verify(ctx, password, account, (claim,))
    if not verdict.ok:
        ctx.trace(AuthenticationFailed(factor=PASSWORD, identifier="", handle=account.handle))
        raise InvalidForm({field: [FieldError("wrong_password")]})
    await clear(ctx, (claim,))
    return Proof(account.handle, account.epoch, PASSWORD, ctx.now)
