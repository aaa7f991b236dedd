"""Acting as somebody: beginning, being asked at each request whether one still may, and ending."""

from datetime import timedelta
from functools import partial

from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.errors import Forbidden, InvalidCredentials, NotSignedIn
from powauth.events import Acting, SessionEnded, SessionStolen
from powauth.extensions.impersonation.events import Impersonated, ImpersonationEnded
from powauth.extensions.impersonation.mails import tell_owner
from powauth.extensions.impersonation.settings import ImpersonationSettings
from powauth.extensions.roles.operations import effective, granted, rank
from powauth.extensions.roles.settings import RolesSettings
from powauth.limits import Limit
from powauth.operations import Entered, sign_in
from powauth.pages import Detour
from powauth.session import Proof, Session

COOKIE = "actor"
"""Keeps an administrator's own session while the session's cookie is that of the account."""
FACTOR = "impersonation"
FROM = "impersonation_from"
EPOCH = "impersonation_epoch"
"""What a session holds of whoever acts in it: the public id of their own session, and the epoch of their account."""
BY_ACTOR = Limit(30, per=timedelta(hours=1), by="account")


# ---- beginning ----


async def begin(ctx: Context, account: Account, *, reason: str) -> Entered:
    """Begin to act as an account, in a session of its own; the caller's own session is kept for afterwards.

    Raises `Forbidden` where the account does not stand below the caller's, is not open, or one more step stands before
    its sign-in, and `OwnerOnly` for whoever acts as somebody already.
    """
    ctx.owner_only()
    own, actor = ctx.session, await ctx.account()
    await ctx.limit("impersonation", BY_ACTOR, actor.handle)
    actor, account = await _lock_both(ctx, actor, account)
    if not actor.is_open or actor.epoch not in own.epochs or not await may_act(ctx, actor, account):
        raise Forbidden
    entered = await _enter(ctx, actor, account, own)
    if own.transport == "cookie":
        _put_aside(ctx, own, entered.session)
    await ctx.emit(Impersonated(account=account, actor=actor, session=entered.session.public_id, reason=reason))
    if ctx[ImpersonationSettings].tells_owner:
        await tell_owner(ctx, account, entered.session)
    return entered


async def _lock_both(ctx: Context, actor: Account, account: Account) -> tuple[Account, Account]:
    """Lock both, in one order, whoever asks: what either of them loses meanwhile comes before or after."""
    found = {handle: await ctx.lock(handle) for handle in sorted({actor.handle, account.handle})}
    return found[actor.handle], found[account.handle]


async def may_act(ctx: Context, actor: Account, account: Account) -> bool:
    """Say whether somebody may act as an account: by role, and over strictly lower standing (S66)."""
    settings, roles = ctx[ImpersonationSettings], ctx[RolesSettings]
    held = await granted(ctx, actor.handle, account.handle)
    is_allowed = bool(set(settings.by) & set(effective(roles, held[actor.handle])))
    return is_allowed and rank(roles, held[actor.handle]) > rank(roles, held[account.handle])


async def _enter(ctx: Context, actor: Account, account: Account, own: Session) -> Entered:
    """Go the way of every sign-in; what its gates refuse or ask for is refused."""
    try:
        entered = await sign_in(
            ctx,
            (Proof(account.handle, account.epoch, FACTOR, ctx.now),),
            transport=own.transport,
            meta={FROM: own.public_id, EPOCH: str(actor.epoch)},
            ends_by=min(ctx.now + ctx[ImpersonationSettings].lifetime, own.ends_at),
            actor=actor.handle,
        )
    except InvalidCredentials as error:
        raise Forbidden from error
    if isinstance(entered, Detour):
        raise Forbidden
    return entered


def _put_aside(ctx: Context, own: Session, acting: Session) -> None:
    """Give the administrator's session a new id that a cookie of ours keeps.

    What was sent under the former one and is answered late hands out no newer cookie, which would take the place of
    the account's.
    """
    moved = ctx.sessions.moved(own)
    ctx.last_step(partial(_move, ctx, own, moved, acting))
    ctx.write_cookie(COOKIE, ctx.sessions.secret(moved), max_age=None)


async def _move(ctx: Context, own: Session, moved: Session, acting: Session) -> None:
    try:
        await ctx.sessions.raise_to(own, moved)
    except NotSignedIn:
        await ctx.sessions.end(acting)
        raise


# ---- at each request ----


async def check(event: Acting, ctx: Context) -> None:
    """Let somebody go on acting only while all stands on which it began. Raises `NotSignedIn`."""
    session = event.session
    actor = await ctx.accounts.by_handle(Handle(session.actor or ""))
    if actor is None or not actor.is_open or session.meta.get(EPOCH) != str(actor.epoch):
        raise NotSignedIn
    if not await may_act(ctx, actor, event.account):
        raise NotSignedIn
    if not await ctx.sessions.goes_on(actor.handle, session.meta.get(FROM, ""), is_use=event.is_use):
        raise NotSignedIn


# ---- ending ----


async def end(ctx: Context) -> Session | None:
    """Stop acting, and return the administrator's own session if it still may be used; `None` for who had none.

    Raises `Forbidden` for whoever acts as nobody.
    """
    acting = ctx.caller.session
    if ctx.caller.is_another:  # the time was over: the browser came back by itself as this was sent
        return acting
    if acting is not None and acting.actor is None:
        raise Forbidden
    own = await take_back(ctx, of=acting.actor if acting else None)
    if acting is not None:
        await announce(ctx, acting)
        await ctx.emit(SessionEnded(handle=acting.handle, session=acting.public_id))
        ctx.after_commit(partial(_end, ctx, acting))
    return own


async def announce(ctx: Context, acting: Session) -> None:
    """Announce that somebody stops acting as an account."""
    actor = acting.actor or Handle("")
    await ctx.emit(ImpersonationEnded(handle=acting.handle, actor=actor, session=acting.public_id))


async def take_back(ctx: Context, *, of: Handle | None = None) -> Session | None:
    """Return the session that was put aside, if it may still be used and is this account's; its cookie goes."""
    secret = ctx.caller.cookies.get(COOKIE)
    if secret is None:
        return None
    ctx.unwrite_cookie(COOKIE)
    found = await ctx.sessions.find(secret, "cookie")
    if found.stolen is not None:
        ctx.trace(SessionStolen(handle=found.stolen.handle, session=found.stolen.public_id))
    session = found.session
    if session is None or session.actor is not None or of not in {None, session.handle}:
        return None
    account = await ctx.accounts.by_handle(session.handle)
    is_good = account is not None and account.is_open and account.epoch in session.epochs
    return session if is_good else None


async def end_put_aside(ctx: Context) -> None:
    """End the session that was put aside: whoever signs out or in leaves nothing behind in the browser."""
    own = await take_back(ctx)
    if own is not None:
        await ctx.emit(SessionEnded(handle=own.handle, session=own.public_id))
        ctx.after_commit(partial(_end, ctx, own))


async def _end(ctx: Context, session: Session) -> None:
    await ctx.sessions.end_public(session.handle, session.public_id)
