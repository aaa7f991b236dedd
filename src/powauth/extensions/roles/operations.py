"""Granting and revoking roles, and asking for them: always the database, never a session or a cookie."""

from collections.abc import Collection, Mapping

from powauth.accounts import Account, Handle
from powauth.context import Context
from powauth.errors import ConfigurationError, Conflict
from powauth.events import SessionEnded
from powauth.extensions.roles.events import RoleGranted, RoleRevoked
from powauth.extensions.roles.records import RoleRecord
from powauth.extensions.roles.settings import RolesSettings


class LastOfItsKind(Conflict):
    """Nobody would be left with the highest role."""

    code = "roles.last"


# ---- asking ----


async def roles_of(ctx: Context, account: Account) -> tuple[str, ...]:
    """Return what an account may act as, from lower to higher standing: its roles, and if cumulative the lower ones.

    A role that the settings do not name any more is good for nothing.
    """
    return effective(ctx[RolesSettings], (await granted(ctx, account.handle))[account.handle])


async def standing(ctx: Context, account: Account) -> int:
    """Return how high an account stands: the place of its highest role, counted from 1; 0 for one without a role."""
    return rank(ctx[RolesSettings], (await granted(ctx, account.handle))[account.handle])


async def granted(ctx: Context, *handles: Handle) -> Mapping[Handle, frozenset[str]]:
    """Return the roles that were granted to each of these accounts, in one query."""
    rows = await ctx.records(RoleRecord).find(where={"account": handles})
    return {handle: frozenset(row.role for row in rows if row.account == handle) for handle in handles}


def effective(settings: RolesSettings, held: Collection[str]) -> tuple[str, ...]:
    """Return what is held by whoever was granted these roles."""
    if settings.cumulative:
        return settings.roles[: rank(settings, held)]
    return tuple(role for role in settings.roles if role in held)


def rank(settings: RolesSettings, held: Collection[str]) -> int:
    """Return the standing of whoever was granted these roles."""
    return max((place for place, role in enumerate(settings.roles, start=1) if role in held), default=0)


# ---- changing ----


async def grant(ctx: Context, account: Account, role: str) -> bool:
    """Give an account a role; say whether it had not got it. Its cookies are replaced, its tokens end.

    Raises `ConfigurationError` for a role that `Roles` does not name, `NotSignedIn` if the account is gone, and
    `OwnerOnly` for whoever acts as somebody else.
    """
    _known(ctx, role)
    ctx.owner_only()
    account = await ctx.lock(account.handle)
    if role in (await granted(ctx, account.handle))[account.handle]:
        return False
    by = _caller(ctx)
    await ctx.records(RoleRecord).add(RoleRecord(account=account.handle, role=role, granted_at=ctx.now, granted_by=by))
    await ctx.emit(RoleGranted(account=account, role=role, by=by))
    await _rotate(ctx, account)
    return True


async def revoke(ctx: Context, account: Account, role: str, *, may_be_last: bool = False) -> bool:
    """Take a role from an account; say whether it had it. It is refused from the next request on.

    Raises `LastOfItsKind` if nobody else who may sign in has the highest role, unless that is meant, `NotSignedIn` if
    the account is gone, and `OwnerOnly` for whoever acts as somebody else.
    """
    ctx.owner_only()
    if role == ctx[RolesSettings].highest and not may_be_last:
        await _leave_somebody(ctx, account, role)
    account = await ctx.lock(account.handle)
    if not await ctx.records(RoleRecord).delete_all(where={"account": account.handle, "role": role}):
        return False
    await ctx.emit(RoleRevoked(account=account, role=role, by=_caller(ctx)))
    await _rotate(ctx, account)
    return True


async def _leave_somebody(ctx: Context, account: Account, role: str) -> None:
    """Raise `LastOfItsKind` if only this account has a role. Of two who revoke each other's, the second is refused."""
    rows = await ctx.records(RoleRecord).find(where={"role": role})
    holders = {row.account for row in rows}
    if account.handle not in holders:
        return
    for handle in sorted(
        holders
    ):  # in one order, whoever asks: two of these wait for each other, and never in a circle
        await ctx.accounts.lock(handle)
    others = [row.account for row in await ctx.records(RoleRecord).find(where={"role": role})]
    found = [await ctx.accounts.by_handle(handle) for handle in others if handle != account.handle]
    if not any(other is not None and other.is_open for other in found):
        raise LastOfItsKind


async def _rotate(ctx: Context, account: Account) -> None:
    """Replace what the sessions of an account are opened with, as the last step: it may do other things from now on."""
    for session in await ctx.sessions.list(account.handle):
        if session.transport == "bearer":
            await ctx.emit(SessionEnded(handle=account.handle, session=session.public_id))
    ctx.last_step(lambda: ctx.sessions.rotate(account.handle))


def _known(ctx: Context, role: str) -> None:
    roles = ctx[RolesSettings].roles
    if role not in roles:
        raise ConfigurationError(f"{role!r} is no role: Roles(roles=…) names {', '.join(roles)}")


def _caller(ctx: Context) -> Handle | None:
    return ctx.caller.session.handle if ctx.caller.session else None
