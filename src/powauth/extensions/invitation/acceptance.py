"""How an invitation is accepted: with a new account, or by one that there is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from powauth.accounts import Account, Handle, NewAccount, email_key
from powauth.context import Context
from powauth.errors import Conflict, InvalidForm, InvalidToken, NotSignedIn
from powauth.events import EmailConfirmed
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.email_confirmation.operations import is_held, is_unproved, make_way
from powauth.extensions.invitation import backing
from powauth.extensions.invitation.events import InvitationAccepted
from powauth.extensions.invitation.records import InvitationRecord
from powauth.extensions.invitation.settings import InvitationSettings
from powauth.forms import Form
from powauth.operations import (
    PASSWORD,
    Authentic,
    change_email,
    confirm_email,
    end_links,
    lock_unchanged,
    new_hash,
    sign_up,
)
from powauth.pages import Detour
from powauth.session import Proof
from powauth.watching import operation

COOKIE = "invitation"
CARRIED_FOR = timedelta(hours=1)
"""How long a browser keeps an invitation while its owner signs in, whatever steps that takes."""

State = Literal["sign_up", "sign_in", "accept", "another"]


class AnotherAccount(Conflict):
    """The invitation is for another address than that of the account that is signed in."""

    code = "invitation.another"


@dataclass(frozen=True, slots=True)
class Joined:
    """The account that accepted by signing up, and the address that waits to be confirmed, if it chose another one."""

    authentic: Authentic
    waits: bool


async def peek(ctx: Context, secret: str) -> InvitationRecord:
    """Return the invitation that a link opens, and leave it usable. Raises `InvalidToken`."""
    token = await ctx.tokens.peek(ctx[InvitationSettings].token, secret)
    found = await ctx.records(InvitationRecord).get(token.holder.handle)
    if found is None or not found.is_open(ctx.now) or not await backing.stands(ctx, found):
        raise InvalidToken
    return found


def bound_to(ctx: Context, invitation: InvitationRecord) -> str | None:
    """Return the address that accounts have to have that accept; none where accounts are not found by one."""
    return invitation.email if "email" in ctx.plan.identifiers else None


def is_for(ctx: Context, invitation: InvitationRecord, account: Account) -> bool:
    """Say whether an account that there is may accept: by link alone any, else the one with the address (S67)."""
    address = bound_to(ctx, invitation)
    if address is None:
        return True
    return account.email is not None and email_key(account.email) == email_key(address)


async def state(ctx: Context, invitation: InvitationRecord, account: Account | None) -> State:
    """Return what is next for whoever holds the link, signed in as this account or not at all."""
    if account is not None:
        return "accept" if is_for(ctx, invitation, account) else "another"
    return "sign_in" if await _has_account(ctx, bound_to(ctx, invitation)) else "sign_up"


async def _has_account(ctx: Context, email: str | None) -> bool:
    """Say whether an address is an account's that may be in use; one that nobody proved makes way for its mailbox."""
    return email is not None and await is_held(ctx, email)


def carry(ctx: Context, secret: str) -> None:
    """Let the browser keep an invitation while its owner signs in: nothing on the server holds the secret."""
    ctx.write_cookie(COOKIE, secret, max_age=CARRIED_FOR)


def carried(ctx: Context) -> str:
    """Return the secret that the browser kept; empty if it keeps none."""
    return ctx.caller.cookies.get(COOKIE, "")


@operation
async def accept(ctx: Context, secret: str, account: Account, *, is_new: bool = False) -> InvitationRecord:
    """Let an account accept, and use the link up.

    `is_new` says that the account was made in this very unit, by whoever holds the link: for other ways of signing up.
    While its address waits for its proof, so does the invitation.
    Raises `InvalidToken`, and `AnotherAccount` for an account that there was and that is not invited.
    """
    invitation = await peek(ctx, secret)
    if not is_new and not is_for(ctx, invitation, account):
        raise AnotherAccount
    current = await lock_unchanged(ctx, account)
    await _use_up(ctx, secret, invitation)
    if is_new and ctx.has(EmailConfirmation) and _waits(current):
        return await ctx.records(InvitationRecord).update(invitation, waits_for=current.handle)
    if not is_new and bound_to(ctx, invitation) is not None:
        current = await confirm_email(ctx, current)  # whoever holds the link reads that mailbox
    return await _accepted(ctx, invitation, current, is_new=is_new)


@operation
async def join(
    ctx: Context, secret: str, new: NewAccount, password: str, *, extras: Mapping[type[Form], Form] | None = None
) -> Joined | Detour:
    """Make an account that accepts. The invited address is proved by the link; another one has to be confirmed.

    By link alone no address is proved: where that has to come first, the invitation waits for it. Raises `InvalidForm`,
    `InvalidToken`, and `NotSignedIn` when the invited address has an account.
    """
    invitation = await peek(ctx, secret)
    address, wanted = bound_to(ctx, invitation), new.email
    if await _has_account(ctx, address):
        raise NotSignedIn
    words = tuple(word for word in (wanted, new.username) if word)
    new = replace(new, password_hash=await new_hash(ctx, password, words, field="password"))
    if address is not None:
        new = replace(new, email=address, confirmed_at=ctx.now)
        await _make_way(ctx, address)
    made = await _sign_up(ctx, secret, new, extras)
    account = await ctx.accounts.by_handle(new.handle)
    await _use_up(ctx, secret, invitation)
    if account is None and address is not None:  # somebody took it meanwhile
        raise Conflict
    if isinstance(made, Detour) and (account is None or _waits(account)):
        await ctx.records(InvitationRecord).update(invitation, waits_for=new.handle)
        return made
    if account is None:
        raise InvalidToken
    await _accepted(ctx, invitation, account, is_new=True)
    if isinstance(made, Detour):
        return made
    return await _with_address(ctx, account, wanted if address is not None else None)


async def _sign_up(
    ctx: Context, secret: str, new: NewAccount, extras: Mapping[type[Form], Form] | None
) -> Authentic | Detour:
    try:
        return await sign_up(ctx, new, extras=extras)
    except InvalidForm:
        await peek(ctx, secret)  # of one link used twice at once the second finds its address taken: by the first
        raise


def _waits(account: Account) -> bool:
    """Say whether an account's address has to be proved."""
    return account.email is not None and not account.is_confirmed


async def _make_way(ctx: Context, address: str) -> None:
    """Erase an account that was made with the invited address and never proved it."""
    holder = await ctx.accounts.by_email(address) if ctx.has(EmailConfirmation) else None
    if holder is not None and await is_unproved(ctx, holder):
        await make_way(ctx, None, address)


async def _with_address(ctx: Context, account: Account, wanted: str | None) -> Joined:
    """Let a new account have the address that its owner chose instead of the invited one, once that is confirmed."""
    waits = False
    if wanted is not None and account.email is not None and email_key(wanted) != email_key(account.email):
        changed = await change_email(ctx, account, wanted)
        waits = isinstance(changed, Detour)
        account = account if isinstance(changed, Detour) else changed.account
    return Joined(Authentic(account, Proof(account.handle, account.epoch, PASSWORD, ctx.now)), waits)


async def _use_up(ctx: Context, secret: str, invitation: InvitationRecord) -> None:
    """Use the link up, and every other one of the invitation; its inviter may not be locked meanwhile."""
    if invitation.inviter:
        await ctx.accounts.lock(invitation.inviter)
        if not await backing.stands(ctx, invitation):
            raise InvalidToken
    await ctx.tokens.take(ctx[InvitationSettings].token, secret)
    await end_links(ctx, invitation.subject)
    ctx.unwrite_cookie(COOKIE)


async def _accepted(ctx: Context, invitation: InvitationRecord, account: Account, *, is_new: bool) -> InvitationRecord:
    """Write down who accepted. Raises `Stale` when it was revoked or accepted meanwhile: then all of it is undone."""
    changes = {"accepted_at": ctx.now, "accepted_by": account.handle, "waits_for": None}
    accepted = await ctx.records(InvitationRecord).update(invitation, **changes)
    await ctx.emit(InvitationAccepted(invitation=accepted, account=account, is_new=is_new))
    return accepted


async def accept_waiting(event: EmailConfirmed, ctx: Context) -> None:
    """Let a new account accept, now that its address is proved, what it signed up by."""
    where = {"waits_for": Handle(event.account.handle), "accepted_at": None, "revoked_at": None}
    for invitation in await ctx.records(InvitationRecord).find(where=where):
        if await backing.stands(ctx, invitation):
            await _accepted(ctx, invitation, event.account, is_new=True)
