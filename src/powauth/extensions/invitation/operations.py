"""What is done with invitations: made, sent again, revoked, forgotten."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from powauth.accounts import Account, Handle, email_key
from powauth.context import Context
from powauth.errors import FieldError, Forbidden, InvalidForm, NotFound
from powauth.events import Erased
from powauth.extensions.invitation import backing
from powauth.extensions.invitation.events import InvitationRenewed, InvitationRevoked, Invited, Inviting
from powauth.extensions.invitation.forms import InvitationForm, metadata_of
from powauth.extensions.invitation.records import InvitationRecord
from powauth.extensions.invitation.settings import InvitationSettings
from powauth.limits import Limit
from powauth.operations import end_links, lock_unchanged
from powauth.records import new_id
from powauth.watching import operation

BY_INVITER = Limit(30, per=timedelta(hours=1))
"""Invitations that one account may make or send again."""
TO_ADDRESS = Limit(5, per=timedelta(days=1))
"""Mails that one address is invited by, whoever invites: a stranger never asked for any of them."""
KEPT_FOR = timedelta(days=30)
"""How long what became of an invitation is kept after its time."""
BATCH = 1000
PAGE = 100
"""Invitations on one page of the list."""
NOT_OVER: Mapping[str, object] = {"accepted_at": None, "revoked_at": None}
_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Made:
    """An invitation, and the secret of its link where that is handed over; shown this once."""

    invitation: InvitationRecord
    secret: str = ""


@operation
async def invite(ctx: Context, inviter: Account | None, form: InvitationForm) -> Made:
    """Invite somebody; no account is looked for, so an address that has one is answered like a free one (S11).

    Without an inviter it is the operator who invites. Raises `Forbidden`, `InvalidForm`, `TooManyAttempts`.
    """
    if form.email is None and not ctx[InvitationSettings].by_link:
        raise InvalidForm({"email": [FieldError("required")]})
    if inviter is not None:
        if not await ctx[InvitationSettings].lets_grant(ctx, inviter, form):
            raise Forbidden
        await _count(ctx, inviter, form.email)
        inviter = await lock_unchanged(ctx, inviter)  # so that two at once are counted one after the other
        await _check_open(ctx, inviter, form.email)
    await ctx.emit(Inviting(inviter=inviter, form=form))
    invitation = await ctx.records(InvitationRecord).add(_new(ctx, inviter, form))
    secret = await _secret(ctx, invitation)
    await ctx.emit(Invited(invitation=invitation))
    return Made(invitation, secret)


def _new(ctx: Context, inviter: Account | None, form: InvitationForm) -> InvitationRecord:
    return InvitationRecord(
        id=Handle(new_id()),
        inviter=inviter.handle if inviter else Handle(""),
        email=form.email,
        metadata=metadata_of(form),
        created_at=ctx.now,
        expires_at=ctx.now + ctx[InvitationSettings].lifetime,
    )


async def _count(ctx: Context, inviter: Account, email: str | None) -> None:
    await ctx.limit("invite", BY_INVITER, inviter.handle)
    if email is not None:
        await ctx.limit("invite:address", TO_ADDRESS, email_key(email))


async def _check_open(ctx: Context, inviter: Account, email: str | None) -> None:
    """Refuse one more than an account may have open, and a second one to the same address."""
    mine = await ctx.records(InvitationRecord).find(where=_of(inviter))
    waiting = [found for found in mine if found.state(ctx.now) in {"open", "waiting"}]
    if len(waiting) >= ctx[InvitationSettings].most_open:
        raise InvalidForm({"": [FieldError("invitation.too_many")]})
    if email is not None and any(found.email and email_key(found.email) == email_key(email) for found in waiting):
        raise InvalidForm({"email": [FieldError("invitation.already_invited")]})


def _of(inviter: Account) -> Mapping[str, object]:
    return {"inviter": inviter.handle, **NOT_OVER}


async def _secret(ctx: Context, invitation: InvitationRecord) -> str:
    """Return the secret of a link that is handed over; one that is mailed is nobody's but the mailbox's."""
    if invitation.email is not None:
        return ""
    return await ctx.tokens.mint(ctx[InvitationSettings].token, invitation.subject)


async def listed(ctx: Context, account: Account, *, after: str = "") -> Sequence[InvitationRecord]:
    """Return an account's invitations that are not over, the newest first; of everybody, for who may manage them."""
    is_manager = await ctx[InvitationSettings].lets_manage(ctx, account)
    return await standing(ctx, NOT_OVER if is_manager else _of(account), after=after, limit=PAGE)


async def standing(
    ctx: Context, where: Mapping[str, object], *, after: str = "", limit: int | None = None
) -> Sequence[InvitationRecord]:
    """Return the invitations with these values, the newest first, after one of them."""
    last = await ctx.records(InvitationRecord).get(after) if _ID.fullmatch(after) else None
    order = ("-created_at", "id")
    return await ctx.records(InvitationRecord).find(where=where, order=order, limit=limit, after=last)


async def find(ctx: Context, account: Account | None, id: str) -> InvitationRecord:
    """Return an invitation that is not over, to who made it, may manage it, or is the operator. Raises `NotFound`."""
    found = await ctx.records(InvitationRecord).get(id) if _ID.fullmatch(id) else None
    if found is None or found.is_over:
        raise NotFound
    if account is None or found.inviter == account.handle or await ctx[InvitationSettings].lets_manage(ctx, account):
        return found
    raise NotFound


@operation
async def revoke(ctx: Context, invitation: InvitationRecord) -> InvitationRecord:
    """Take an invitation back: its links, minted or still to be minted, are worthless."""
    revoked = await ctx.records(InvitationRecord).update(invitation, revoked_at=ctx.now)
    await end_links(ctx, invitation.subject)
    await ctx.emit(InvitationRevoked(invitation=revoked))
    return revoked


@operation
async def send_again(ctx: Context, account: Account, invitation: InvitationRecord) -> Made:
    """Let an invitation begin anew: mailed again, or with a new link instead of the one that was handed over.

    Raises `Forbidden` for who may no longer invite, `TooManyAttempts`.
    """
    may = ctx[InvitationSettings]
    if not (await may.lets_invite(ctx, account) or await may.lets_manage(ctx, account)):
        raise Forbidden
    await _count(ctx, account, invitation.email)
    expires_at = ctx.now + may.lifetime
    renewed = await ctx.records(InvitationRecord).update(invitation, expires_at=expires_at, waits_for=None)
    if renewed.email is None:
        await end_links(ctx, renewed.subject)
    secret = await _secret(ctx, renewed)
    await ctx.emit(InvitationRenewed(invitation=renewed))
    return Made(renewed, secret)


async def end_unbacked(event: Erased, ctx: Context) -> None:
    """Revoke what an account that is erased could not let anybody accept any more; the rest stands without it."""
    for invitation in await standing(ctx, _of(event.account)):
        if not await backing.is_backed(ctx, invitation, event.account):
            await revoke(ctx, invitation)


async def forget(ctx: Context) -> int:
    """Delete invitations whose time was over long ago; say how many."""
    below = {"expires_at": ctx.now - KEPT_FOR}
    return await ctx.records(InvitationRecord).delete_all(where={}, below=below, limit=BATCH)
