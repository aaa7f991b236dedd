"""Changes of an account, and what has to end with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from powauth.accounts import Account, Change, Changes, Handle, email_key
from powauth.context import Context
from powauth.errors import Conflict, InvalidForm, NotSignedIn, Stale, Taken
from powauth.events import (
    CredentialChanged,
    EmailChanged,
    EmailChanging,
    EmailConfirmed,
    EmailRestored,
    PasswordChanged,
    PasswordChanging,
    ProfileChanged,
    SessionEnded,
    UsernameChanged,
)
from powauth.operations.attempts import identifier_key
from powauth.operations.links import end_links
from powauth.operations.signing_up import as_invalid, new_hash
from powauth.outbox import OutboxRecord
from powauth.pages import Detour
from powauth.records import Records
from powauth.revoking import store_may_be_away
from powauth.session import Proof, Session
from powauth.tokens import Token
from powauth.watching import operation

CARRIES = 5
"""How often a mail is looked at again that the sender takes meanwhile."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An account after a change, and the caller's session under its new id."""

    account: Account
    session: Session | None = None


@operation
async def change_password(ctx: Context, account: Account, new: str, *, field: str = "new_password") -> Changed:
    """Set a password. Every other session, remembered device and token of the account ends. Raises `InvalidForm`."""
    words = tuple(word for word in (account.email, account.username) if word)
    password_hash = await new_hash(ctx, new, words, field=field)
    current = await lock_unchanged(ctx, account)
    await ctx.emit(PasswordChanging(account=current))
    changed = await change_credential(ctx, current, Changes(password_hash=password_hash), "password")
    await ctx.emit(PasswordChanged(account=changed.account))
    return changed


@operation
async def change_email(ctx: Context, account: Account, email: str) -> Changed | Detour:
    """Set the address, unless an extension asks for a step before. Raises `InvalidForm` when it is taken."""
    current = await lock_unchanged(ctx, account)
    detour = await ctx.emit(EmailChanging(account=current, email=email))
    if detour is not None:
        return detour
    is_same = current.email is not None and email_key(current.email) == email_key(email)
    return await replace_email(ctx, current, email, confirmed_at=current.confirmed_at if is_same else None)


async def replace_email(ctx: Context, account: Account, email: str, *, confirmed_at: datetime | None = None) -> Changed:
    """Set the address of a locked account, whatever extensions would ask for before. Raises `InvalidForm`."""
    changed = await change_credential(ctx, account, Changes(email=email, confirmed_at=confirmed_at), "email")
    was_confirmed = account.is_confirmed
    await ctx.emit(EmailChanged(account=changed.account, former=account.email, was_confirmed=was_confirmed))
    return changed


@operation
async def restore_email(ctx: Context, account: Account, token: Token, *, keeps_password: bool = False) -> Account:
    """Put the address back that a token says was `former` until the account's epoch became `epoch`.

    Everything ends that could be used meanwhile: every session, remembered device and token, those that later changes
    mailed to other addresses included; an owner's and a limit's lock. The password cannot be used any more: a new one
    is set by way of the restored mailbox. Raises `Conflict` when the address is another account's by now.
    """
    unlocked = Changes(locked_at=None, locked_by=None) if account.locked_by in {"owner", "limit"} else Changes()
    changes = replace(
        unlocked,
        email=token.data["former"],
        confirmed_at=ctx.now,
        password_hash=account.password_hash if keeps_password else None,
    )
    try:
        changed = await change_credential(ctx, account, changes, "email", keeps_caller=False)
    except InvalidForm as error:
        raise Conflict from error
    await _end_later_links(ctx, account, token)
    await ctx.emit(EmailRestored(account=changed.account, former=account.email))
    return changed.account


async def _end_later_links(ctx: Context, account: Account, token: Token) -> None:
    """End every link but those that revert an earlier change; minted, or still to be minted.

    Whoever changed the address a second time was mailed the way back to the one that they had put in.
    """

    def is_earlier(kind: str, data: Mapping[str, str]) -> bool:
        return kind == token.kind.name and int(data["epoch"]) < int(token.data["epoch"])

    await end_links(ctx, account, unless=is_earlier)


@operation
async def confirm_email(ctx: Context, account: Account) -> Account:
    """Say that the address of a locked account is proved; it may be already."""
    if account.is_confirmed:
        return account
    confirmed = await ctx.accounts.change(account, Changes(confirmed_at=ctx.now))
    await ctx.emit(EmailConfirmed(account=confirmed))
    return confirmed


async def _store(ctx: Context, account: Account, changes: Changes) -> Account:
    """Store changes. Raises `InvalidForm` for a value that somebody else has."""
    try:
        return await ctx.accounts.change(account, changes)
    except Taken as taken:
        raise as_invalid(taken) from taken


@operation
async def change_username(ctx: Context, account: Account, username: str) -> Account:
    """Set the user name. Raises `InvalidForm` when it is taken: that is always told."""
    current = await lock_unchanged(ctx, account)
    changed = await _store(ctx, current, Changes(username=username))
    await ctx.emit(UsernameChanged(account=changed, former=current.username))
    return changed


@operation
async def change_profile(ctx: Context, account: Account, values: Mapping[str, object]) -> Account:
    """Set columns of the application's own; whoever acts as the account may do so, too."""
    current = await _lock_unchanged(ctx, account)
    changed = await _store(ctx, current, Changes(values=values))
    await ctx.emit(ProfileChanged(account=changed, fields=tuple(values)))
    return changed


async def lock_unchanged(ctx: Context, account: Account) -> Account:
    """Lock an account that its owner is about to change, and return it.

    Raises `NotSignedIn` if a credential changed since it was read, and `OwnerOnly` for whoever acts as the owner.
    """
    ctx.owner_only()
    return await _lock_unchanged(ctx, account)


async def _lock_unchanged(ctx: Context, account: Account) -> Account:
    current = await ctx.lock(account.handle)
    if current.epoch != account.epoch or not current.is_open:
        raise NotSignedIn
    return current


async def change_credential(
    ctx: Context, account: Account, changes: Changes, change: Change, *, keeps_caller: bool = True
) -> Changed:
    """Store a change under the account's lock, raise its epoch, and end what it has to end. Raises `InvalidForm`.

    The caller's session, if it may go on, gets a new id before the commit; the answer has to carry it. Raises
    `OwnerOnly` for whoever acts as somebody else.
    """
    ctx.owner_only()
    changed = await _store(ctx, account, replace(changes, raise_epoch=True))
    await ctx.tokens.outlive(account, change, ctx.plan.token_kinds, epoch=changed.epoch)
    await _outlive(ctx, account, change, epoch=changed.epoch)
    await ctx.emit(CredentialChanged(account=changed, change=change))
    session = ctx.caller.session
    if change in {"lock", "close"} and not keeps_caller:
        await end_whatever_happens(ctx, account.handle)
        return Changed(changed)
    if session is None or session.handle != account.handle or not keeps_caller:
        await announce_ended(ctx, account.handle, but=None)
        ctx.last_step(lambda: end_all(ctx, account.handle))
        return Changed(changed)
    await announce_ended(ctx, account.handle, but=session)
    restamped = ctx.sessions.renamed(session, account, epoch=changed.epoch)
    ctx.last_step(lambda: _restamp(ctx, session, restamped))
    return Changed(changed, restamped)


async def _restamp(ctx: Context, session: Session, restamped: Session) -> None:
    await ctx.sessions.restamp(session, restamped)
    await _discard_parked(ctx, session.handle)


async def announce_ended(ctx: Context, handle: Handle, *, but: Session | None) -> None:
    """Announce every session that is about to end with a change of its account."""
    for session in await ctx.sessions.list(handle):
        if but is None or session.public_id != but.public_id:
            await ctx.emit(SessionEnded(handle=handle, session=session.public_id))


async def end_whatever_happens(ctx: Context, handle: Handle) -> None:
    """End all sessions of an account that is locked, closed or gone, although the store does not answer just now.

    Then they stand in the database alone, which every process asks, and none of them is announced. Raises
    `StoreUnavailable` where the store is one that loses nothing, and the database knows of no ends.
    """
    async with store_may_be_away(ctx):
        await announce_ended(ctx, handle, but=None)

    async def end() -> None:
        async with store_may_be_away(ctx):
            await end_all(ctx, handle)

    ctx.last_step(end)


async def _outlive(ctx: Context, account: Account, change: Change, *, epoch: int) -> None:
    """Carry mails that are owed and hold no link, or one that survives the change, into the new epoch."""
    for row in await ctx.records(OutboxRecord).find(where={"owner": account.handle}):
        kind = ctx.plan.mail_kinds.get(row.kind)
        token = kind.token if kind else None
        if token is None or change in token.survives:
            await _carry(ctx.records(OutboxRecord), row, epoch=epoch)
    # What somebody asked for by typing an identifier names no account yet; asked before the change, it mails nothing.
    typed = tuple(identifier_key(name) for name in (account.email, account.username) if name)
    await ctx.records(OutboxRecord).delete_all(where={"owner": "", "to": typed})


async def _carry(outbox: Records[OutboxRecord], row: OutboxRecord, *, epoch: int) -> None:
    """Carry one mail into the new epoch, also when the sender just leased it."""
    found: OutboxRecord | None = row
    for _ in range(CARRIES):
        if found is None:
            return
        try:
            await outbox.update(found, epoch=epoch)
            return
        except Stale:
            found = await outbox.get(row.id)
    raise Stale  # a transaction that sees rows as they were when it began: whoever began it tries again


async def end_all(ctx: Context, handle: Handle) -> None:
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
