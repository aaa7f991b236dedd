"""Operations: what is done to an account. No HTTP in here; every way in ends in `sign_in`."""

import logging
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from powauth import passwords
from powauth.accounts import (
    Account,
    Accounts,
    Changes,
    Handle,
    InvalidEmail,
    LockedBy,
    NewAccount,
    email_key,
    parse_email,
    username_key,
)
from powauth.clients import limit_key
from powauth.context import Context
from powauth.errors import (
    ConfigurationError,
    Conflict,
    FieldError,
    Forbidden,
    InvalidCredentials,
    InvalidForm,
    NotSignedIn,
    PowauthError,
    Stale,
    StillReferenced,
    Taken,
    TooManyAttempts,
    Unavailable,
)
from powauth.events import (
    Authenticated,
    AuthenticationFailed,
    Closed,
    Closing,
    EmailChanged,
    EmailChanging,
    Erased,
    LimitReached,
    Locked,
    PasswordChanged,
    PasswordChanging,
    ProfileChanged,
    SessionEnded,
    SessionStarted,
    SignedIn,
    SignedOut,
    SignedUp,
    SigningIn,
    SigningOut,
    SigningUp,
    Unlocked,
    UsernameChanged,
)
from powauth.forms import Form
from powauth.limits import Backoff, Claim
from powauth.outbox import OutboxRecord
from powauth.pages import Detour
from powauth.passwords import Verdict
from powauth.plan import Plan
from powauth.records import Records
from powauth.sessions import Proof, Session, Transport
from powauth.tokens import Change

PASSWORD = "password"

ANY_KIND = ("email", "username")

ANY_ADDRESS = Backoff(free=100, first=timedelta(minutes=15), forget_after=timedelta(minutes=15))
"""Failures for one identifier from everywhere together: at most 100 (SP 800-63B §3.2.2), then one each 15 minutes.

Nobody is shut out by that: a browser that signed in to the account before is not counted in here."""


log = logging.getLogger("powauth")


@dataclass(frozen=True, slots=True)
class Authentic:
    """An account, and the proof that its owner is here."""

    account: Account
    proof: Proof
    claims: tuple[Claim, ...] = ()
    """The attempts that a finished sign-in makes up for."""


async def sign_up(
    ctx: Context,
    new: NewAccount,
    password: str | None = None,
    *,
    extras: Mapping[type[Form], Form] | None = None,
) -> Authentic:
    """Make an account. Raises `InvalidForm` for a poor password and for an address or user name that is taken."""
    if password is not None:
        words = tuple(word for word in (new.email, new.username) if word)
        new = replace(new, password_hash=await new_hash(ctx, password, words, field="password"))
    added = extras or {}
    await ctx.emit(SigningUp(new=new, extras=added))
    try:
        account = await ctx.accounts.add(new, now=ctx.now)
    except Taken as taken:
        raise InvalidForm({taken.field or "": [FieldError("taken")]}) from taken
    await ctx.emit(SignedUp(account=account, extras=added))
    return Authentic(account, Proof(account.handle, account.epoch, PASSWORD, ctx.now))


async def new_hash(ctx: Context, password: str, words: tuple[str, ...], *, field: str) -> str:
    """Return the hash of a password that is about to be set. Raises `InvalidForm`. Holds no connection meanwhile."""
    problems = password_problems(ctx.plan, password, words)
    if not problems:
        await ctx.release()
        problems = _as_errors(await passwords.breach.problems(password, ctx.plan.passwords.breach))
    if problems:
        raise InvalidForm({field: problems})
    return await ctx.plan.hasher.hash(password, client=limit_key(ctx.caller.client))


def password_problems(plan: Plan, password: str, words: tuple[str, ...]) -> list[FieldError]:
    """Return everything that is wrong with a password to be set, but whether it was breached."""
    return _as_errors(passwords.problems(password, plan.passwords, (*words, plan.application)))


def _as_errors(problems: list[FieldError]) -> list[FieldError]:
    return [FieldError(f"password_{found.code}", found.values) for found in problems]


async def authenticate(ctx: Context, identifier: str, password: str) -> Authentic:
    """Return the account whose password this is. Raises `InvalidCredentials`, `TooManyAttempts`, `HashingBusy`.

    The same work and the same answer for wrong, unknown, locked, closed and password-less (S9, S10): the identifier
    is looked up, the connection given back, one attempt is counted, one hash verified.
    """
    async with ctx.reading() as accounts:
        account = await find_account(accounts, identifier, ctx.plan.identifiers)
    claims = await _claim(ctx, identifier, account)
    verdict = await _verify(ctx, password, account, claims)
    if account is None or not verdict.ok or not account.is_open:
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


async def _claim(ctx: Context, identifier: str, account: Account | None) -> tuple[Claim, ...]:
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


async def clear(ctx: Context, claims: tuple[Claim, ...]) -> None:
    """Forget the failures that a success makes up for: after every gate, or a right password would show itself."""
    for claim in claims:
        await ctx.limits.succeeded(claim.name, claim.value)


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


async def admit(
    ctx: Context, proofs: tuple[Proof, ...], *, transport: Transport, extras: Mapping[type[Form], Form]
) -> Account | Detour:
    """Return the account, locked, if whoever showed these proofs may have a session, or the step before it.

    Refuses if the account's epoch is another than the proofs', and asks every hook of `SigningIn`. Raises
    `InvalidCredentials`.
    """
    if ctx.is_joined:
        msg = "signing in inside the application's transaction: end it first, a session must not outlive a rollback"
        raise ConfigurationError(msg)
    account = await ctx.accounts.lock(proofs[0].handle)
    if account is None or not account.is_open or any(not _is_of(proof, account) for proof in proofs):
        ctx.trace(AuthenticationFailed(factor=proofs[-1].factor, identifier="", handle=proofs[0].handle))
        raise InvalidCredentials
    detour = await ctx.emit(SigningIn(account=account, proofs=proofs, transport=transport, extras=extras))
    return account if detour is None else detour


async def sign_in(
    ctx: Context,
    proofs: tuple[Proof, ...],
    *,
    transport: Transport,
    extras: Mapping[type[Form], Form] | None = None,
    meta: Mapping[str, str] | None = None,
) -> Session | Detour:
    """Start a session for whoever showed these proofs, or say which step stands before it. The only way in.

    Runs in a unit of its own, and stores the session as the last step before the commit. Raises `InvalidCredentials`.
    """
    added = extras or {}
    account = await admit(ctx, proofs, transport=transport, extras=added)
    if isinstance(account, Detour):
        return account
    former = ctx.caller.session
    session = ctx.sessions.new(
        account, proofs, transport=transport, client=ctx.caller.client, device=ctx.caller.device, meta=meta
    )
    ctx.signed_in_as(session)
    await ctx.emit(SessionStarted(handle=account.handle, session=session.public_id))
    await ctx.emit(SignedIn(account=account, session=session, extras=added))
    ctx.last_step(lambda: ctx.sessions.start(session))
    if former is not None and transport == "cookie":
        await ctx.emit(SessionEnded(handle=former.handle, session=former.public_id))
        ctx.after_commit(lambda: _end(ctx, former))
    return session


def _is_of(proof: Proof, account: Account) -> bool:
    return proof.handle == account.handle and proof.epoch == account.epoch


async def _end(ctx: Context, session: Session) -> None:
    await ctx.sessions.end(session)


async def step_up(ctx: Context, proof: Proof) -> Session:
    """Add a proof to the caller's session and return it under its new id. Raises `InvalidCredentials`."""
    session = ctx.session
    account = await ctx.accounts.lock(session.handle)
    if account is None or not account.is_open or not _is_of(proof, account) or account.epoch not in session.epochs:
        raise InvalidCredentials
    raised = ctx.sessions.raised(session, proof)
    ctx.last_step(lambda: ctx.sessions.raise_to(session, raised))
    return raised


async def verify_current(ctx: Context, account: Account, password: str, *, field: str) -> Proof:
    """Return the proof that the signed-in person knows the password. Raises `InvalidForm`. Holds no connection."""
    await ctx.release()
    claim = Claim("current_password", ctx.plan.backoff, account.handle)
    await attempt(ctx, claim)
    verdict = await _verify(ctx, password, account, (claim,))
    if not verdict.ok:
        ctx.trace(AuthenticationFailed(factor=PASSWORD, identifier="", handle=account.handle))
        raise InvalidForm({field: [FieldError("wrong_password")]})
    await clear(ctx, (claim,))
    return Proof(account.handle, account.epoch, PASSWORD, ctx.now)


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


@dataclass(frozen=True, slots=True)
class Changed:
    """An account after a change, and the caller's session under its new id."""

    account: Account
    session: Session | None = None


async def change_password(ctx: Context, account: Account, new: str, *, field: str = "new_password") -> Changed:
    """Set a password. Every other session, remembered device and token of the account ends. Raises `InvalidForm`."""
    words = tuple(word for word in (account.email, account.username) if word)
    password_hash = await new_hash(ctx, new, words, field=field)
    current = await lock_unchanged(ctx, account)
    await ctx.emit(PasswordChanging(account=current))
    changed = await change_credential(ctx, current, Changes(password_hash=password_hash), "password")
    await ctx.emit(PasswordChanged(account=changed.account))
    return changed


async def change_email(ctx: Context, account: Account, email: str) -> Changed | Detour:
    """Set the address, unless an extension asks for a step before. Raises `InvalidForm` when it is taken."""
    current = await lock_unchanged(ctx, account)
    detour = await ctx.emit(EmailChanging(account=current, email=email))
    if detour is not None:
        return detour
    changes = Changes(email=email, confirmed_at=None)
    changed = await _change_unique(ctx, current, changes, "email")
    await ctx.emit(EmailChanged(account=changed.account, former=current.email))
    return changed


async def _change_unique(ctx: Context, account: Account, changes: Changes, change: Change) -> Changed:
    try:
        return await change_credential(ctx, account, changes, change)
    except Taken as taken:
        raise InvalidForm({taken.field or "": [FieldError("taken")]}) from taken


async def change_username(ctx: Context, account: Account, username: str) -> Account:
    """Set the user name. Raises `InvalidForm` when it is taken: that is always told."""
    current = await lock_unchanged(ctx, account)
    try:
        changed = await ctx.accounts.change(current, Changes(username=username))
    except Taken as taken:
        raise InvalidForm({taken.field or "": [FieldError("taken")]}) from taken
    await ctx.emit(UsernameChanged(account=changed, former=current.username))
    return changed


async def change_profile(ctx: Context, account: Account, values: Mapping[str, object]) -> Account:
    """Set columns of the application's own."""
    current = await lock_unchanged(ctx, account)
    try:
        changed = await ctx.accounts.change(current, Changes(values=values))
    except Taken as taken:
        raise InvalidForm({taken.field or "": [FieldError("taken")]}) from taken
    await ctx.emit(ProfileChanged(account=changed, fields=tuple(values)))
    return changed


async def lock_unchanged(ctx: Context, account: Account) -> Account:
    """Lock the account and return it. Raises `NotSignedIn` if a credential changed since it was read."""
    current = await ctx.lock(account.handle)
    if current.epoch != account.epoch or not current.is_open:
        raise NotSignedIn
    return current


async def change_credential(ctx: Context, account: Account, changes: Changes, change: Change) -> Changed:
    """Store a change under the account's lock, raise its epoch, and end what it has to end.

    The caller's session gets a new id before the commit; the answer has to carry it.
    """
    changed = await ctx.accounts.change(account, replace(changes, raise_epoch=True))
    await ctx.tokens.outlive(account, change, ctx.plan.token_kinds, epoch=changed.epoch)
    await _outlive(ctx, account, change, epoch=changed.epoch)
    session = ctx.caller.session
    if session is None or session.handle != account.handle or change == "lock":
        await _announce_ended(ctx, account.handle, but=None)
        ctx.last_step(lambda: _end_all(ctx, account.handle))
        return Changed(changed)
    await _announce_ended(ctx, account.handle, but=session)
    restamped = ctx.sessions.renamed(session, account, epoch=changed.epoch)
    ctx.last_step(lambda: _restamp(ctx, session, restamped))
    return Changed(changed, restamped)


async def _restamp(ctx: Context, session: Session, restamped: Session) -> None:
    await ctx.sessions.restamp(session, restamped)
    await _discard_parked(ctx, session.handle)


async def _announce_ended(ctx: Context, handle: Handle, *, but: Session | None) -> None:
    """Announce every session that is about to end with a change of its account."""
    for session in await ctx.sessions.list(handle):
        if but is None or session.public_id != but.public_id:
            await ctx.emit(SessionEnded(handle=handle, session=session.public_id))


async def _outlive(ctx: Context, account: Account, change: Change, *, epoch: int) -> None:
    """Carry mails that are owed and hold no link, or one that survives the change, into the new epoch."""
    for row in await ctx.records(OutboxRecord).find(where={"owner": account.handle}):
        kind = ctx.plan.mail_kinds.get(row.kind)
        token = kind.token if kind else None
        if token is None or change in token.survives:
            await _carry(ctx.records(OutboxRecord), row, epoch=epoch)


async def _carry(outbox: Records[OutboxRecord], row: OutboxRecord, *, epoch: int) -> None:
    """Carry one mail into the new epoch, also when the sender just leased it."""
    found: OutboxRecord | None = row
    while found is not None:
        try:
            await outbox.update(found, epoch=epoch)
            return
        except Stale:
            found = await outbox.get(row.id)


async def _end_all(ctx: Context, handle: Handle) -> None:
    await ctx.sessions.end_others(handle, keep=None)
    await _discard_parked(ctx, handle)


async def _discard_parked(ctx: Context, handle: Handle) -> None:
    """Forget sign-ins that wait for a step or for their program: their proofs are of another epoch now."""
    await ctx.plan.parking(ctx.tenant.id).discard(handle)
    await ctx.plan.codes(ctx.tenant.id).discard(handle)


async def factor_added(ctx: Context, account: Account, proof: Proof) -> Changed:
    """Say that an account has one more factor, just shown: every session that was made without it ends (S28).

    The caller's own goes on with the new proof.
    """
    changed = await change_credential(ctx, await lock_unchanged(ctx, account), Changes(), "factor")
    if changed.session is None:
        return changed
    session = replace(changed.session, proofs=(*changed.session.proofs, replace(proof, epoch=changed.account.epoch)))
    ctx.last_step(lambda: ctx.sessions.prove(session))
    return Changed(changed.account, session)


async def lock_account(ctx: Context, handle: Handle, *, by: LockedBy = "administrator") -> Account:
    """Lock an account: its sessions, remembered devices and tokens end at once. Raises `NotSignedIn` if it is gone.

    An administrator's lock stays an administrator's, whoever locks after.
    """
    account = await ctx.lock(handle)
    if account.locked_by == "administrator":
        by = "administrator"
    changed = await change_credential(ctx, account, Changes(locked_at=ctx.now, locked_by=by), "lock")
    await ctx.emit(Locked(account=changed.account))
    return changed.account


async def unlock_account(ctx: Context, handle: Handle, *, by: LockedBy = "administrator") -> Account:
    """Unlock an account; nothing that the lock ended comes back. Raises `NotSignedIn` if it is gone.

    Raises `Forbidden` when an administrator locked it and somebody else is to unlock it.
    """
    account = await ctx.lock(handle)
    if account.locked_by == "administrator" and by != "administrator":
        raise Forbidden
    changed = await ctx.accounts.change(account, Changes(locked_at=None, locked_by=None))
    await ctx.emit(Unlocked(account=changed))
    return changed


async def close_account(ctx: Context, account: Account) -> None:
    """Close an account and erase it, with all that belongs to it. Raises `Conflict` if rows still refer to it."""
    current = await lock_unchanged(ctx, account)
    await ctx.emit(Closing(account=current))
    await ctx.emit(Closed(account=current))
    await ctx.emit(Erased(account=current))
    await _announce_ended(ctx, current.handle, but=None)
    await ctx.unit.erase(current.handle)
    try:
        await ctx.accounts.delete(current)
    except StillReferenced as error:
        raise Conflict from error
    ctx.last_step(lambda: _end_all(ctx, current.handle))
