"""Remembering a device, coming back on it, and forgetting it. Every way back ends in `sign_in`."""

from datetime import timedelta
from functools import partial

from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.errors import NotFound, Stale
from powauth.events import SessionEnded
from powauth.extensions.remember_me.events import DeviceForgotten, DeviceRemembered, DeviceStolen
from powauth.extensions.remember_me.families import Families, Family, Shown, mint
from powauth.extensions.remember_me.mails import tell_stolen
from powauth.operations import sign_in
from powauth.operations.authentication import may_try
from powauth.pages import Detour
from powauth.revoking import is_revoked, revoke, store_may_be_away
from powauth.session import Session
from powauth.watching import operation

COOKIE = "remember"
MADE_BY = "remember_me"
"""What a session holds that a remembered device made: the public id of that device."""


def families_of(ctx: Context) -> Families:
    """Return the remembered devices of this tenant."""
    return Families(ctx.plan, ctx.tenant)


# ---- remembering ----


async def remember(ctx: Context, account: Account, session: Session, *, lifetime: timedelta) -> None:
    """Remember the browser on which this session begins, in place of whatever it was remembered for before."""
    families = families_of(ctx)
    family = mint(session, epoch=account.epoch, lifetime=lifetime)
    await ctx.emit(DeviceRemembered(handle=account.handle, device=family.public_id))
    ctx.after_commit(partial(families.put, family))
    _hand_out(ctx, family)


def _hand_out(ctx: Context, family: Family) -> None:
    ctx.write_cookie(COOKIE, families_of(ctx).secret(family), max_age=family.ends_at - ctx.now)


# ---- coming back ----


@operation
async def come_back(ctx: Context) -> Session | None:
    """Return the session of a remembered browser: a new one, or the one that a parallel request of it began."""
    families = families_of(ctx)
    shown = families.read(ctx.caller.cookies.get(COOKIE))
    if shown is None:
        return None
    family = await families.get(shown.handle, shown.id)
    if family is not None and family.judge(shown.generation, ctx.now) == "parallel":
        return await _join(ctx, family, shown)
    if family is not None:
        account = await ctx.accounts.lock(shown.handle)
        family = await families.get(shown.handle, shown.id)  # as it is now: nobody else comes back on it meanwhile
        if family is not None:
            return await _use(ctx, account, family, shown)
    ctx.unwrite_cookie(COOKIE)  # signed by us, and certainly over
    return None


async def _use(ctx: Context, account: Account | None, family: Family, shown: Shown) -> Session | None:
    """Do what the use of this generation means, under the account's lock."""
    # An epoch that differs: it ended with that change, which chose whom to sign out.
    if account is None or account.epoch != family.epoch or await is_revoked(ctx, family.handle, family.mark):
        _drop_cookie(ctx, family)
        ctx.after_commit(partial(families_of(ctx).delete, family))
        return None
    verdict = family.judge(shown.generation, ctx.now)
    if verdict == "newest":
        return await _turn(ctx, account, family, shown)
    if verdict == "parallel":
        return await _join(ctx, family, shown)
    if verdict == "stolen":
        await ctx.emit(DeviceStolen(handle=family.handle, device=family.public_id))
        await tell_stolen(ctx, account, family)
    if verdict in {"stolen", "late"}:
        await end(ctx, family)
    return None


async def _turn(ctx: Context, account: Account, family: Family, shown: Shown) -> Session | None:
    """Begin a session for the newest generation, and hand out the next one."""
    if not may_try(ctx, account):  # asked here, or each page of a locked account would count as a failed sign-in
        return None
    meta = {MADE_BY: family.public_id}
    entered = await sign_in(ctx, family.proofs, transport="cookie", meta=meta, ends_by=family.ends_at)
    if isinstance(entered, Detour):
        return None
    session, most = entered.session, ctx.plan.session_settings.most_per_account
    turned = family.turned(shown.generation, session, ctx.now, most=most)
    ctx.last_step(partial(_store_turn, ctx, turned, session))
    _hand_out(ctx, turned)
    return session


async def _store_turn(ctx: Context, turned: Family, session: Session) -> None:
    """Store the turn as the last step before the commit; whoever loses begins anew, and finds the winner's."""
    if not await families_of(ctx).replace(turned):
        await ctx.sessions.end(session)
        raise Stale


async def _join(ctx: Context, family: Family, shown: Shown) -> Session | None:
    """Return the very session that a parallel request began, if it still is: six tabs are one person."""
    turn = family.turn_after(shown.generation, ctx.now)
    mine = [session for session in await ctx.sessions.list(family.handle) if turn and session.id == turn.session]
    if not mine:  # under a new id since, which only its own answer carries
        return None
    _hand_out(ctx, family)
    return mine[0]


# ---- forgetting ----


async def end(ctx: Context, family: Family, *, but: str = "") -> None:
    """Forget a device and end every session made from it: announced now, done after the commit.

    `but` is the public id of a session whose end is announced already.
    """
    _drop_cookie(ctx, family)
    if not ctx.once(MADE_BY, family.public_id):
        return
    for session in await ctx.sessions.list(family.handle):
        if is_of(session, family) and session.public_id != but:
            await ctx.emit(SessionEnded(handle=family.handle, session=session.public_id))
    await _announce(ctx, family)
    revoke(ctx, family.handle, ended=family.mark, until=family.ends_at)
    ctx.after_commit(partial(_delete, ctx, family))


async def _announce(ctx: Context, family: Family) -> None:
    await ctx.emit(DeviceForgotten(handle=family.handle, device=family.public_id, sessions=family.sessions))


def is_of(session: Session, family: Family) -> bool:
    """Say whether a session was made from a remembered device, or is the one at which it was ticked."""
    return session.meta.get(MADE_BY) == family.public_id or family.has(session.public_id)


async def _delete(ctx: Context, family: Family, *, keep: str = "") -> None:
    """Delete a family, then its sessions: one that was begun meanwhile stands in the list, or ends with its turn."""
    await families_of(ctx).delete(family)
    mine = {session.public_id for session in await ctx.sessions.list(family.handle) if is_of(session, family)}
    for public_id in mine - {keep}:
        await ctx.sessions.end_public(family.handle, public_id)


def _drop_cookie(ctx: Context, family: Family) -> None:
    shown = families_of(ctx).read(ctx.caller.cookies.get(COOKIE))
    if shown is not None and (shown.handle, shown.id) == (family.handle, family.id):
        ctx.unwrite_cookie(COOKIE)


async def end_of_browser(ctx: Context, *, but: str = "") -> None:
    """Forget what the asking browser was remembered for, whoever that was."""
    families = families_of(ctx)
    shown = families.read(ctx.caller.cookies.get(COOKIE))
    family = await families.get(shown.handle, shown.id) if shown else None
    if family is not None:
        await end(ctx, family, but=but)
    elif shown is not None:
        ctx.unwrite_cookie(COOKIE)


async def end_of_session(ctx: Context, handle: Handle, session: str) -> None:
    """Forget the device that made the session with this public id, or was made by it."""
    for family in await families_of(ctx).list(handle):
        if family.has(session):
            await end(ctx, family, but=session)


async def end_all(ctx: Context, handle: Handle) -> None:
    """Forget every device of an account whose epoch grows, or that goes: what the store keeps opens nothing then."""
    async with store_may_be_away(ctx):
        for family in await families_of(ctx).list(handle):
            _drop_cookie(ctx, family)
            if ctx.once(MADE_BY, family.public_id):
                await _announce(ctx, family)
    ctx.after_commit(partial(_delete_all, ctx, handle))


async def _delete_all(ctx: Context, handle: Handle) -> None:
    async with store_may_be_away(ctx):
        await families_of(ctx).delete_all(handle)


async def end_others(ctx: Context, session: Session) -> None:
    """Forget every device of an account but the one of this session, which goes on under a new id.

    Somebody else may hold a cookie of that one, too: whatever was handed out before opens nothing any more.
    """
    families = families_of(ctx)
    shown = families.read(ctx.caller.cookies.get(COOKIE))
    for family in await families.list(session.handle):
        if not ctx.once(MADE_BY, family.public_id):
            continue
        revoke(ctx, family.handle, ended=family.mark, until=family.ends_at)
        ctx.after_commit(partial(_delete, ctx, family, keep=session.public_id))
        if shown is not None and shown.id == family.id and is_of(session, family):
            renamed = family.renamed(session)
            ctx.after_commit(partial(families.put, renamed))
            _hand_out(ctx, renamed)
        else:
            _drop_cookie(ctx, family)
            await _announce(ctx, family)


async def end_public(ctx: Context, handle: Handle, public_id: str) -> Family:
    """Forget the device with this public id. Raises `NotFound`."""
    for family in await families_of(ctx).list(handle):
        if family.public_id == public_id:
            await end(ctx, family)
            return family
    raise NotFound
