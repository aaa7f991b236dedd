"""Mails that tell an account's owner what happened to it: a change they did not make is seen."""

from datetime import timedelta

from powauth.accounts import Account
from powauth.context import Context, on
from powauth.events import Closed, EmailChanged, PasswordChanged, SessionStolen, SignedIn
from powauth.extension import Extension, Manifest
from powauth.mail import MailKind

__all__ = ["CLOSED", "EMAIL_CHANGED", "NEW_DEVICE", "PASSWORD_CHANGED", "STOLEN", "SecurityMails"]

PASSWORD_CHANGED = MailKind(name="password_changed")
EMAIL_CHANGED = MailKind(name="email_changed")
NEW_DEVICE = MailKind(name="new_device")
STOLEN = MailKind(name="stolen")
CLOSED = MailKind(name="closed")

SETTLED = timedelta(minutes=5)
"""An account younger than that is being made: its first device is no news."""


async def password_changed(event: PasswordChanged, ctx: Context) -> None:
    """Tell the owner."""
    await tell(ctx, PASSWORD_CHANGED, event.account, event.account.email)


async def email_changed(event: EmailChanged, ctx: Context) -> None:
    """Tell the former mailbox: the new one knows."""
    await tell(ctx, EMAIL_CHANGED, event.account, event.former)


async def new_device(event: SignedIn, ctx: Context) -> None:
    """Tell the owner of a browser that never signed in to this account before."""
    is_known = event.account.handle in ctx.caller.known
    if not is_known and ctx.now - event.account.created_at > SETTLED:
        await tell(ctx, NEW_DEVICE, event.account, event.account.email)


async def stolen(event: SessionStolen, ctx: Context) -> None:
    """Tell the owner that two held one cookie."""
    account = await ctx.accounts.by_handle(event.handle)
    if account is not None:
        await tell(ctx, STOLEN, account, account.email)


async def closed(event: Closed, ctx: Context) -> None:
    """Tell the owner at the address that the account had."""
    await tell(ctx, CLOSED, event.account, event.account.email)


async def tell(ctx: Context, kind: MailKind, account: Account, to: str | None) -> None:
    """Owe somebody a mail that says what happened, when, and from where; an account without an address gets none."""
    if to is None:
        return
    parts = {
        "name": account.label,
        "time": f"{ctx.now:%Y-%m-%d %H:%M} UTC",
        "device": ctx.caller.device or "unknown",
        "client": ctx.caller.client or "unknown",
    }
    await ctx.send(kind, account=account, to=to, parts=parts)


_WHERE = "When: {time}\nDevice: {device}\nNetwork address: {client}"


class SecurityMails(Extension):
    """Tell owners what happened to their accounts."""

    name = "security_mails"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            hooks=(
                on(PasswordChanged, password_changed),
                on(EmailChanged, email_changed),
                on(SignedIn, new_device),
                on(SessionStolen, stolen),
                on(Closed, closed),
            ),
            mails=(PASSWORD_CHANGED, EMAIL_CHANGED, NEW_DEVICE, STOLEN, CLOSED),
            messages={
                "password_changed.subject": "Your password at {application} was changed",
                "password_changed.body": "Hello {name},\n\nyour password was changed, and every other "
                f"device was signed out.\n\n{_WHERE}\n\nIf this was not you, please answer this mail at once.",
                "email_changed.subject": "Your address at {application} was changed",
                "email_changed.body": "Hello,\n\nthis address no longer belongs to your account at {application}."
                f"\n\n{_WHERE}\n\nIf this was not you, please answer this mail at once.",
                "new_device.subject": "New sign-in at {application}",
                "new_device.body": "Hello {name},\n\nsomebody signed in to your account on a device that was not "
                f"seen before.\n\n{_WHERE}\n\nIf this was not you, please change your password now.",
                "stolen.subject": "A device was signed out at {application}",
                "stolen.body": "Hello {name},\n\nthe same sign-in was used from two places, so it was ended. Somebody "
                f"may have copied it.\n\n{_WHERE}\n\nPlease sign in again and change your password.",
                "closed.subject": "Your account at {application} is closed",
                "closed.body": "Hello {name},\n\nyour account and all that belonged to it is erased."
                f"\n\n{_WHERE}\n\nIf this was not you, please answer this mail at once.",
            },
        )
