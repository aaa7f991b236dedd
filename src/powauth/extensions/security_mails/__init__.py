"""Mails that tell an account's owner what happened to it, each with a link that locks the account down.

A change that its owner did not make is seen, and taken back: who changed an address has it put back from the former
mailbox; with `EmailConfirmation` that is told by its own mail, which does the same.
"""

from datetime import timedelta

from powauth.context import Context, on
from powauth.events import Closed, EmailChanged, EmailConfirmed, PasswordChanged, SessionStolen, SignedIn
from powauth.extension import Manifest
from powauth.extensions import sign_in
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.remember_me import DeviceStolen
from powauth.extensions.reopen import Reopen
from powauth.extensions.security_mails import mails, operations
from powauth.extensions.security_mails.messages import MESSAGES
from powauth.extensions.security_mails.settings import SecuritySettings
from powauth.forms import NoForm
from powauth.http import Request
from powauth.mail import MailKind
from powauth.pages import Done, Outcome, Shown
from powauth.routing import FormPage

__all__ = ["PUT_BACK", "SECURE", "SecurityMails"]

SETTLED = timedelta(minutes=5)
"""An account younger than that is being made: its first device is no news."""


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the button, if the link is valid: looking at it uses nothing up."""
    token = await operations.peek(ctx, request.params["token"])
    return Shown(words={"name": token.account.label})


async def secure(request: Request[NoForm], ctx: Context) -> Outcome:
    """Secure the account."""
    account = await operations.secure(ctx, request.params["token"])
    return Done(to=sign_in.NEW, notice="secured", signs_out=ctx.is_signed_in_as(account))


async def show_put_back(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the button, if the link is valid: looking at it uses nothing up."""
    token = await operations.peek_put_back(ctx, request.params["token"])
    return Shown(words={"former": token.data["former"], "email": token.data["email"]})


async def put_back(request: Request[NoForm], ctx: Context) -> Outcome:
    """Put the former address back."""
    account = await operations.put_back(ctx, request.params["token"])
    return Done(to=sign_in.NEW, notice="secured", signs_out=ctx.is_signed_in_as(account))


PUT_BACK = FormPage(name="put_back", path="/put-address-back/{token}", form=NoForm, show=show_put_back, submit=put_back)
SECURE = FormPage(name="secure", path="/secure-account/{token}", form=NoForm, show=show, submit=secure)


async def password_changed(event: PasswordChanged, ctx: Context) -> None:
    """Tell the owner."""
    await mails.tell(ctx, ctx[SecurityMails].mail("password_changed"), event.account, event.account.email)


async def email_changed(event: EmailChanged, ctx: Context) -> None:
    """Tell the former mailbox: the new one knows."""
    if event.former is None or ctx.has(EmailConfirmation):
        return
    more = {
        "former": event.former,
        "email": event.account.email or "–",
        "epoch": str(event.account.epoch),
        "proved": "yes" if event.was_confirmed else "no",
    }
    await mails.tell(ctx, ctx[SecurityMails].email_changed, event.account, event.former, more)


async def new_device(event: SignedIn, ctx: Context) -> None:
    """Tell the owner of a browser that never signed in to this account before."""
    account = event.account
    is_being_made = ctx.now - max(account.created_at, account.confirmed_at or account.created_at) <= SETTLED
    if not is_being_made and not await _is_known(event, ctx):
        await mails.tell(ctx, ctx[SecurityMails].mail("new_device"), event.account, event.account.email)


async def _is_known(event: SignedIn, ctx: Context) -> bool:
    """Say whether the owner saw this device before; a program keeps no cookie, and is known by its other sessions."""
    if event.session.transport == "cookie":
        return event.account.handle in ctx.caller.known
    others = await ctx.sessions.list(event.account.handle)
    return any(other.transport == "bearer" and other.device == event.session.device for other in others)


async def stolen(event: SessionStolen | DeviceStolen, ctx: Context) -> None:
    """Tell the owner that two held one cookie, of a session or of a remembered device."""
    account = await ctx.accounts.by_handle(event.handle)
    if account is not None:
        await mails.tell(ctx, ctx[SecurityMails].mail("stolen"), account, account.email)


async def closed(event: Closed, ctx: Context) -> None:
    """Tell the owner at the address that the account had, unless a mail with a way back does."""
    if not ctx.has(Reopen):
        await mails.tell(ctx, mails.CLOSED, event.account, event.account.email)


class SecurityMails(SecuritySettings):
    """Tell owners what happened to their accounts."""

    def mail(self, name: str) -> MailKind:
        """Return the mail of this name, with the link that locks the account down."""
        return mails.linked(name, SECURE, self.token)

    @property
    def email_changed(self) -> MailKind:
        """The mail to the former mailbox, with the link that puts its address back."""
        return mails.linked("email_changed", PUT_BACK, self.put_back_token)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(SECURE, PUT_BACK),
            tokens=(self.token, self.put_back_token),
            hooks=(
                on(PasswordChanged, password_changed),
                on(EmailChanged, email_changed),
                on(EmailConfirmed, operations.keep_proved),
                on(SignedIn, new_device),
                on(SessionStolen, stolen),
                on(DeviceStolen, stolen),
                on(Closed, closed),
            ),
            mails=(*(self.mail(name) for name in mails.LINKED), self.email_changed, mails.CLOSED),
            messages=MESSAGES,
        )
