"""What acting listens to."""

from powauth.context import Context
from powauth.events import SignedIn, SigningOut
from powauth.extensions.impersonation import operations
from powauth.extensions.session_list import DevicesListed


async def signing_out(event: SigningOut, ctx: Context) -> None:
    """Sign the administrator out together with the account that they act as."""
    if event.session.actor is not None:
        await operations.announce(ctx, event.session)
    await operations.end_put_aside(ctx)


async def signed_in(event: SignedIn, ctx: Context) -> None:
    """Leave nothing of whoever acted before in a browser that somebody signs in on."""
    if event.session.transport == "cookie":
        await operations.end_put_aside(ctx)


async def devices_listed(event: DevicesListed, ctx: Context) -> None:  # noqa: ARG001  the shape of a hook
    """Say to the owner which sessions are not theirs."""
    for session in event.sessions:
        if session.actor is not None:
            event.marks.setdefault(session.public_id, []).append("impersonation.mark")
