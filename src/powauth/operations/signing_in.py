"""Signing in and out: every way in ends here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.errors import ConfigurationError, InvalidCredentials
from powauth.events import (
    AuthenticationFailed,
    SessionEnded,
    SessionStarted,
    SignedIn,
    SignedOut,
    SigningIn,
    SigningOut,
)
from powauth.forms import Form
from powauth.operations.authentication import PASSWORD, may_try
from powauth.pages import Detour
from powauth.session import MAILBOX, Proof, Session, Transport
from powauth.watching import operation


@dataclass(frozen=True, slots=True)
class Entered:
    """Who signed in, and the session that began."""

    account: Account
    session: Session


async def admit(
    ctx: Context,
    proofs: tuple[Proof, ...],
    *,
    transport: Transport,
    extras: Mapping[type[Form], Form],
    actor: Handle | None = None,
) -> Account | Detour:
    """Return the account, locked, if whoever showed these proofs may have a session, or the step before it.

    Refuses if the account's epoch is another than the proofs', and asks every hook of `SigningIn`. Raises
    `InvalidCredentials`.
    """
    if ctx.is_joined:
        msg = "signing in inside the application's transaction: end it first, a session must not outlive a rollback"
        raise ConfigurationError(msg)
    account = await ctx.accounts.lock(proofs[0].handle)
    is_theirs = account is not None and all(_is_of(proof, account) for proof in proofs)
    if account is None or not is_theirs or not _may_enter(ctx, account, proofs):
        ctx.trace(AuthenticationFailed(factor=proofs[-1].factor, identifier="", handle=proofs[0].handle))
        raise InvalidCredentials
    detour = await ctx.emit(SigningIn(account=account, proofs=proofs, transport=transport, actor=actor, extras=extras))
    return account if detour is None else detour


@operation
async def sign_in(
    ctx: Context,
    proofs: tuple[Proof, ...],
    *,
    transport: Transport,
    extras: Mapping[type[Form], Form] | None = None,
    meta: Mapping[str, str] | None = None,
    ends_by: datetime | None = None,
    actor: Handle | None = None,
) -> Entered | Detour:
    """Start a session for whoever showed these proofs, or say which step stands before it. The only way in.

    Runs in a unit of its own, and stores the session as the last step before the commit. It lives as long as every
    session, but never past `ends_by`. `actor` is who acts as the account; their own session goes on. Raises
    `InvalidCredentials`.
    """
    added = extras or {}
    account = await admit(ctx, proofs, transport=transport, extras=added, actor=actor)
    if isinstance(account, Detour):
        return account
    former = ctx.caller.session
    session = ctx.sessions.new(
        account,
        proofs,
        transport=transport,
        client=ctx.caller.client,
        device=ctx.caller.device,
        meta=meta,
        ends_by=ends_by,
        actor=actor,
    )
    ctx.signed_in_as(session)
    if former is not None and transport == "cookie" and actor is None:
        await ctx.emit(SessionEnded(handle=former.handle, session=former.public_id))
        ctx.after_commit(lambda: _end(ctx, former))
    await ctx.emit(SessionStarted(handle=account.handle, session=session.public_id))
    if actor is None:  # what greets owners, remembers their browsers or forgets their failures is not for others
        await ctx.emit(SignedIn(account=account, session=session, extras=added))
    ctx.last_step(lambda: ctx.sessions.start(session))
    return Entered(account, session)


def _may_enter(ctx: Context, account: Account, proofs: tuple[Proof, ...]) -> bool:
    """Say whether an account may be signed in to: open, and where it is guarded, by more than a password."""
    if ctx.plan.profile == "strict" and any(proof.factor == MAILBOX for proof in proofs):
        return False  # SP 800-63B §3.1.3.1: mail is no authenticator
    is_guessed = all(proof.factor == PASSWORD for proof in proofs)
    return may_try(ctx, account) if is_guessed else account.is_open


def _is_of(proof: Proof, account: Account) -> bool:
    return proof.handle == account.handle and proof.epoch == account.epoch


async def _end(ctx: Context, session: Session) -> None:
    await ctx.sessions.end(session)


@operation
async def step_up(ctx: Context, proof: Proof) -> Session:
    """Add a proof to the caller's session and return it under its new id. Raises `InvalidCredentials`, `OwnerOnly`."""
    ctx.owner_only()
    session = ctx.session
    account = await ctx.accounts.lock(session.handle)
    if account is None or not account.is_open or not _is_of(proof, account) or account.epoch not in session.epochs:
        raise InvalidCredentials
    if ctx.plan.profile == "strict" and proof.factor == MAILBOX:
        raise InvalidCredentials
    raised = ctx.sessions.raised(session, proof)
    ctx.last_step(lambda: ctx.sessions.raise_to(session, raised))
    return raised


@operation
async def sign_out(ctx: Context) -> None:
    """End the caller's session; one that is over already is no error."""
    session = ctx.caller.session
    if session is None:
        return
    await ctx.emit(SigningOut(session=session))
    await ctx.emit(SignedOut(session=session))
    await ctx.emit(SessionEnded(handle=session.handle, session=session.public_id))
    ctx.after_commit(lambda: _end_public(ctx, session))


async def _end_public(ctx: Context, session: Session) -> None:
    await ctx.sessions.end_public(session.handle, session.public_id)
