"""An address counts once its mailbox is proved: at sign-up, and at every change of it.

With it, sign-up tells nobody which addresses are taken, and signs nobody in: the mailbox is told, and nobody else. The
former mailbox hears of a change, and can take it back for a while.
"""

from pathlib import Path

from powauth.accounts import Account
from powauth.context import Context, on
from powauth.errors import InvalidCredentials
from powauth.events import (
    CredentialChanged,
    EmailChanged,
    EmailChanging,
    EmailConfirmed,
    EmailTaken,
    SignedUp,
    SigningIn,
)
from powauth.extension import Chore, Link, Manifest
from powauth.extensions import sign_in, sign_up
from powauth.extensions.email_confirmation import handlers, mails, operations
from powauth.extensions.email_confirmation.events import Unconfirmed
from powauth.extensions.email_confirmation.forms import AgainForm
from powauth.extensions.email_confirmation.messages import MESSAGES
from powauth.extensions.email_confirmation.records import PendingEmail, UnprovedRecord
from powauth.extensions.email_confirmation.settings import ConfirmationSettings
from powauth.extensions.manage_account import AccountShown
from powauth.extensions.reset_password import ResetPassword
from powauth.forms import NoForm
from powauth.http import Request
from powauth.mail import MailKind
from powauth.operations import identifier_key, request_mail
from powauth.pages import Detour, Done, Outcome
from powauth.routing import SIGNED_IN, FormPage, Get, Post

__all__ = ["AGAIN", "CANCEL", "CONFIRM", "TAKE_BACK", "UNDO", "WAITING", "WAIVE", "EmailConfirmation", "Unconfirmed"]


async def send_again(request: Request[AgainForm], ctx: Context) -> Outcome:
    """Send the link again: who is signed in gets what their account waits for, others are owed the same row (S11)."""
    account = await ctx.account_if_any()
    if account is not None:
        await _send_to(ctx, account)
        return Done(notice="sent")
    await request_mail(ctx, ctx[EmailConfirmation].confirm, request.form.email, limit=mails.LIMIT, field="email")
    return Done(notice="sent")


async def _send_to(ctx: Context, account: Account) -> None:
    """Send what an account waits for once more, if it waits for anything."""
    waiting = await operations.pending(ctx, account.handle)
    if waiting is not None:
        await ctx.limit("change_email", mails.CHANGES, account.handle)
        await ctx.send(ctx[EmailConfirmation].change, account=account, to=waiting.email, parts={"email": waiting.email})
    elif account.email is not None and not account.is_confirmed:
        await ctx.send(ctx[EmailConfirmation].confirm, account=account)


AGAIN = Post(name="again", path="/confirm-email", form=AgainForm, submit=send_again, limit=mails.BY_CLIENT)
CANCEL = Post(name="cancel", path="/confirm-email/cancel", form=NoForm, submit=handlers.cancel, requires=SIGNED_IN)
WAITING = Get(name="waiting", path="/confirm-email", show=handlers.waiting, forms=(AGAIN, CANCEL))
CONFIRM = FormPage(
    name="confirm", path="/confirm-email/{token}", form=NoForm, show=handlers.show, submit=handlers.confirm
)
UNDO = Post(name="undo", path="/confirm-email/undo/{token}", form=NoForm, submit=handlers.undo, is_dangerous=True)
WAIVE = Post(name="waive", path="/confirm-email/waive/{token}", form=NoForm, submit=handlers.waive)
TAKE_BACK = Get(name="take_back", path="/confirm-email/undo/{token}", show=handlers.show_undo, forms=(UNDO, WAIVE))


async def ask(event: SignedUp, ctx: Context) -> Detour | None:
    """Mail a new account's owner, who is signed in only after the address is confirmed."""
    if event.account.email is None or event.account.is_confirmed:
        return None
    await operations.note_unproved(ctx, event.account)
    await ctx.send(ctx[EmailConfirmation].confirm, account=event.account)
    return Detour(WAITING) if not ctx[EmailConfirmation].grace else None


async def tell_owner(event: EmailTaken, ctx: Context) -> Detour | None:
    """Mail the owner of a taken address; whoever typed it sees what they would see for a free one."""
    if event.new.email is None or ctx[EmailConfirmation].grace:
        return None
    await operations.note_unproved(ctx, event.stand_in)
    await ctx.send_on_request(ctx[EmailConfirmation].attempted, identifier_key(event.new.email))
    return Detour(WAITING)


async def hold(event: SigningIn, ctx: Context) -> None:
    """Refuse whoever has not confirmed the address, with the words of a wrong password: only a mail tells more."""
    account = event.account
    if account.email is None or account.is_confirmed:
        return
    if account.created_at + ctx[EmailConfirmation].grace <= ctx.now:
        ctx.trace(Unconfirmed(handle=account.handle))
        raise InvalidCredentials


async def remind(event: Unconfirmed, ctx: Context) -> None:
    """Mail the link again to somebody who has the right password and no confirmed address."""
    account = await ctx.accounts.by_handle(event.handle)
    if account is not None and account.email is not None:
        await ctx.send_on_request(ctx[EmailConfirmation].confirm, identifier_key(account.email))


async def wait(event: EmailChanging, ctx: Context) -> Detour | None:
    """Let a new address wait until its mailbox is proved; one that is taken hears of the attempt instead."""
    account, email = event.account, event.email
    if operations.is_own(account, email):  # another spelling, or the change is taken back
        await operations.cancel(ctx, account)
        return None
    await ctx.limit("change_email", mails.CHANGES, account.handle)
    if await operations.wait_for(ctx, account, email):
        await _tell_new_mailbox(ctx, account, email)
    return Detour(WAITING)


async def _tell_new_mailbox(ctx: Context, account: Account, email: str) -> None:
    if await ctx.accounts.by_email(email) is None:
        await ctx.send(ctx[EmailConfirmation].change, account=account, to=email, parts={"email": email})
    else:
        await ctx.send_on_request(ctx[EmailConfirmation].attempted, identifier_key(email))


async def tell_former(event: EmailChanged, ctx: Context) -> None:
    """Tell the former mailbox, which can take the change back; one that nobody proved may be anybody's."""
    account, former = event.account, event.former
    if former is None or account.email is None or not event.was_confirmed or operations.is_own(account, former):
        return
    parts = {"former": former, "email": account.email, "name": account.label, "epoch": str(account.epoch)}
    await ctx.send(ctx[EmailConfirmation].changed, account=account, to=former, parts=parts)


async def forget(event: CredentialChanged, ctx: Context) -> None:
    """Give a pending address up with every change of a credential (S18)."""
    await operations.cancel(ctx, event.account)


async def proved(event: EmailConfirmed, ctx: Context) -> None:
    """Keep an account whose address is proved."""
    await operations.forget_unproved(ctx, event.account)


async def answer_attempt(ctx: Context, account: Account) -> MailKind:
    """Choose what the owner of a taken address is mailed: of one that nobody proved, the way to an own password."""
    may_be_in_use = account.is_confirmed or ctx[EmailConfirmation].grace
    if may_be_in_use or not ctx.has(ResetPassword):
        return ctx[EmailConfirmation].attempted
    await operations.give_up_password(ctx, account)
    return ctx[ResetPassword].mail


async def show_pending(event: AccountShown, ctx: Context) -> None:
    """Show on the account page which address waits."""
    waiting = await operations.pending(ctx, event.account.handle)
    if waiting is not None:
        event.data.update(pending_email=waiting.email, pending_url=ctx.path(WAITING))


class EmailConfirmation(ConfirmationSettings):
    """Addresses are confirmed."""

    templates = Path(__file__).parent / "templates"

    @property
    def confirm(self) -> MailKind:
        """The mail to a new account's address."""
        return mails.confirm(CONFIRM, self.token)

    @property
    def change(self) -> MailKind:
        """The mail to an address that somebody wants to have from now on."""
        return mails.change(CONFIRM, self.token)

    @property
    def changed(self) -> MailKind:
        """The mail to the former address."""
        return mails.changed(TAKE_BACK, self.undo_token)

    @property
    def attempted(self) -> MailKind:
        """The mail to an account's owner when somebody signs up with their address."""
        return mails.attempted(sign_in.NEW, choose=answer_attempt)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(WAITING, AGAIN, CANCEL, CONFIRM, TAKE_BACK, UNDO, WAIVE),
            tokens=(self.token, self.undo_token),
            records=(PendingEmail, UnprovedRecord),
            hooks=(
                on(SignedUp, ask),
                on(EmailTaken, tell_owner),
                on(SigningIn, hold),
                on(Unconfirmed, remind),
                on(EmailChanging, wait),
                on(EmailChanged, tell_former),
                on(EmailConfirmed, proved),
                on(CredentialChanged, forget),
                on(AccountShown, show_pending),
            ),
            mails=(self.confirm, self.change, self.changed, self.attempted),
            chores=(Chore(name="erase_unproved", run=operations.erase_unproved),),
            holds=() if self.grace else (sign_up.NEW,),
            links=(
                Link(on=WAITING, to=sign_in.NEW, text="to_sign_in"),
                Link(on=sign_in.NEW, to=WAITING, text="again"),
            ),
            messages=MESSAGES,
        )
