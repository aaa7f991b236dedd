"""Locked accounts: by very many failures, their owner, or an administrator; and their owner's way back in.

Delays that grow are core. A limit's lock leaves browsers that signed in before alone, and whoever is signed in, so that
no stranger shuts anybody out. A proof of the mailbox lifts it, and an owner's; never an administrator's.
"""

from powauth.context import Context, on
from powauth.events import AuthenticationFailed, Locked, PasswordChanged, SignedIn, Unlocked
from powauth.extension import Link, Manifest
from powauth.extensions import reset_password, sign_in
from powauth.extensions.lock import mails, operations
from powauth.extensions.lock.settings import LockSettings
from powauth.forms import NoForm
from powauth.http import Request
from powauth.mail import MailKind
from powauth.operations import request_mail
from powauth.operations.requests import ASKED_BY_ADDRESS
from powauth.pages import Done, Outcome, Shown
from powauth.routing import FormPage

__all__ = ["REQUEST", "UNLOCK", "Lock"]


async def request(request: Request[reset_password.RequestForm], ctx: Context) -> Outcome:
    """Owe a mail to whoever this is: the same row for everybody, the sender looks who it is (S11)."""
    await request_mail(ctx, ctx[Lock].link, request.form.email or request.form.username)
    return Done(notice="requested")


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the button, if the link is valid: looking at it uses nothing up."""
    account = await operations.peek(ctx, request.params["token"])
    return Shown(words={"name": account.label})


async def unlock(request: Request[NoForm], ctx: Context) -> Outcome:
    """Unlock the account; whoever locked it down has no password left, and sets one first."""
    account = await operations.unlock(ctx, request.params["token"])
    is_without = account.password_hash is None and ctx.has_page(reset_password.REQUEST)
    return Done(to=reset_password.REQUEST if is_without else sign_in.NEW, notice="unlocked")


async def tell_locked(event: Locked, ctx: Context) -> None:
    """Tell the owner what happened, with the way back in where there is one."""
    kinds = {"limit": ctx[Lock].guarded, "owner": ctx[Lock].locked_down}
    await mails.tell_locked(ctx, kinds.get(event.account.locked_by or "", mails.LOCKED), event)


REQUEST = FormPage(
    name="request", path="/unlock", form=reset_password.RequestForm, submit=request, limit=ASKED_BY_ADDRESS
)
UNLOCK = FormPage(name="unlock", path="/unlock/{token}", form=NoForm, show=show, submit=unlock)


class Lock(LockSettings):
    """Locked accounts, and their owner's way back in."""

    @property
    def link(self) -> MailKind:
        """The mail that was asked for."""
        return mails.link(UNLOCK, self.token)

    @property
    def guarded(self) -> MailKind:
        """The mail after very many failures."""
        return mails.guarded(UNLOCK, self.token)

    @property
    def locked_down(self) -> MailKind:
        """The mail after the account's owner locked it."""
        return mails.locked_down(UNLOCK, self.token)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(REQUEST, UNLOCK),
            tokens=(self.token,),
            hooks=(
                on(AuthenticationFailed, operations.count),
                on(SignedIn, operations.forget),
                on(Unlocked, operations.forget),
                on(PasswordChanged, operations.forget),
                on(Locked, operations.revoke),
                on(Locked, tell_locked),
                on(Unlocked, mails.tell_unlocked),
            ),
            mails=(self.link, self.guarded, self.locked_down, mails.LOCKED, mails.UNLOCKED),
            links=(
                Link(on=sign_in.NEW, to=REQUEST, text="locked_out"),
                Link(on=REQUEST, to=sign_in.NEW, text="back"),
            ),
            messages={
                "back": "Back to sign-in",
                "locked_out": "Is your account locked?",
                "request.title": "Unlock your account",
                "request.intro": "If your account is locked, we send you a link that opens it again.",
                "request.submit": "Send the link",
                "requested": "If there is something to unlock, a mail is on its way. Please look into your mailbox.",
                "unlock.title": "Unlock your account",
                "unlock.intro": "The account of {name} can be signed in to again afterwards.",
                "unlock.submit": "Unlock",
                "unlocked": "Your account is unlocked.",
                "link.subject": "Unlock your account at {application}",
                "link.body": "Hello,\n\nhere you unlock your account at {application}.\n\n"
                "If you did not ask for this, you need not do anything.",
                "link.button": "Unlock my account",
                "guarded.subject": "Many failed sign-ins at {application}",
                "guarded.body": "Hello {name},\n\nsomebody tried very often to guess your password, in vain. Your "
                "account can therefore be signed in to only on devices that you used before. If you need another one "
                "now, or locked yourself out, open your account here.",
                "guarded.button": "Unlock my account",
                "locked_down.subject": "Your account at {application} is locked",
                "locked_down.body": "Hello {name},\n\nyour account was locked, as you asked: every device was signed "
                "out, and its password does not work any more. When you are ready, unlock it here and choose "
                "a new one.",
                "locked_down.button": "Unlock my account",
                "locked.subject": "Your account at {application} is locked",
                "locked.body": "Hello {name},\n\nyour account was locked by those who run {application}, and every "
                "device was signed out. Please answer this mail if you think that this is a mistake.",
                "unlocked.subject": "Your account at {application} is unlocked",
                "unlocked.body": "Hello {name},\n\nyour account can be signed in to again.\n\n"
                "If this was not you, please set a new password now.",
            },
        )
