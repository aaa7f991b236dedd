"""What remembering listens to."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from powauth.context import Context
from powauth.events import CredentialChanged, Erased, SessionEnded, SessionStolen, SignedIn, SigningOut
from powauth.extensions.remember_me import operations
from powauth.extensions.remember_me.forms import RememberForm
from powauth.extensions.remember_me.handlers import END
from powauth.extensions.remember_me.operations import COOKIE, MADE_BY
from powauth.extensions.session_list import Device, DevicesListed, OthersEnded


def signed_in(lifetime: timedelta) -> Callable[[SignedIn, Context], Awaitable[None]]:
    """Return the hook that remembers a browser for so long, if its owner ticked the box."""

    async def hook(event: SignedIn, ctx: Context) -> None:
        """Remember the browser or do not: either way, whoever it was remembered for before is forgotten."""
        if event.session.transport != "cookie" or MADE_BY in event.session.meta:
            return
        await operations.end_of_browser(ctx)
        form = event.extras.get(RememberForm)
        if isinstance(form, RememberForm) and form.remember:
            await operations.remember(ctx, event.account, event.session, lifetime=lifetime)

    return hook


async def signing_out(event: SigningOut, ctx: Context) -> None:
    """Forget the browser that signs out, whether or not it is that session's own device."""
    await operations.end_of_browser(ctx, but=event.session.public_id)


async def session_ended(event: SessionEnded | SessionStolen, ctx: Context) -> None:
    """Forget the device that the session was of."""
    await operations.end_of_session(ctx, event.handle, event.session)


async def account_changed(event: CredentialChanged | Erased, ctx: Context) -> None:
    """Forget every device of the account."""
    await operations.end_all(ctx, event.account.handle)


async def others_ended(event: OthersEnded, ctx: Context) -> None:
    """Forget every other device of the account."""
    await operations.end_others(ctx, event.session)


async def devices_listed(event: DevicesListed, ctx: Context) -> None:
    """Add the remembered devices, and mark the sessions that they made."""
    families = operations.families_of(ctx)
    shown = families.read(ctx.caller.cookies.get(COOKIE))
    for family in await families.list(event.session.handle):
        if family.epoch in event.session.epochs:
            event.devices.append(
                Device(
                    id=family.public_id,
                    device=family.device,
                    client=family.client,
                    created_at=family.created_at,
                    used_at=family.used_at,
                    ends_at=family.ends_at,
                    is_current=shown is not None and shown.id == family.id,
                    end_url=ctx.path(END, id=family.public_id),
                    end_text="remember_me.end.submit",
                )
            )
    for session in event.sessions:
        if MADE_BY in session.meta:
            event.marks.setdefault(session.public_id, []).append("remember_me.made")
