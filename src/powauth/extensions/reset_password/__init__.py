"""Reset a forgotten password by a mailed link. Known or unknown, the answer and the work are the same."""

from powauth.accounts import Account
from powauth.context import Context
from powauth.extension import Link, Manifest
from powauth.extensions import sign_in
from powauth.extensions.reset_password import handlers
from powauth.extensions.reset_password.forms import RequestForm, ResetForm
from powauth.extensions.reset_password.settings import ResetSettings
from powauth.http import Request
from powauth.mail import MailKind
from powauth.operations import request_mail, restore_email
from powauth.operations.requests import ASKED_BY_ADDRESS, ASKED_BY_IDENTIFIER
from powauth.pages import Done, Outcome
from powauth.routing import FormPage
from powauth.tokens import Token

__all__ = ["REQUEST", "RESET", "RequestForm", "ResetForm", "ResetPassword", "restore", "send_link"]


async def request(request: Request[RequestForm], ctx: Context) -> Outcome:
    """Owe a mail to whoever this is: the same row for everybody, the sender looks who it is (S11)."""
    typed = request.form.email or request.form.username
    await request_mail(ctx, ctx[ResetPassword].mail, typed)
    return Done(notice="requested")


REQUEST = FormPage(name="request", path="/reset-password", form=RequestForm, submit=request, limit=ASKED_BY_ADDRESS)
RESET = FormPage(
    name="reset", path="/reset-password/{token}", form=ResetForm, show=handlers.show, submit=handlers.submit
)


async def send_link(ctx: Context, account: Account) -> None:
    """Owe an account's owner an ordinary link: for the operations of other extensions."""
    await ctx.send(ctx[ResetPassword].mail, account=account)


async def restore(ctx: Context, account: Account, token: Token) -> Account:
    """Put a former address back, and mail there how a password is set; where none can be set by mail, it is kept."""
    can_reset = ctx.has(ResetPassword)
    restored = await restore_email(ctx, account, token, keeps_password=not can_reset)
    if can_reset:
        await send_link(ctx, restored)
    return restored


class ResetPassword(ResetSettings):
    """Reset a forgotten password."""

    @property
    def mail(self) -> MailKind:
        """The mail that holds the link."""
        return MailKind("link", page=RESET, token=self.token, limit=ASKED_BY_IDENTIFIER)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(REQUEST, RESET),
            tokens=(self.token,),
            mails=(self.mail,),
            links=(
                Link(on=sign_in.NEW, to=REQUEST, text="forgot"),
                Link(on=REQUEST, to=sign_in.NEW, text="back"),
            ),
            messages={
                "forgot": "Forgot your password?",
                "back": "Back to sign-in",
                "request.title": "Set a new password",
                "request.intro": "We send you a link with which you choose a new password.",
                "request.submit": "Send the link",
                "requested": "If there is an account, a mail is on its way. Please look into your mailbox.",
                "reset.title": "Choose a new password",
                "reset.intro": "For {name}. You are signed out on every other device, and sign in with it afterwards.",
                "reset.submit": "Set password",
                "changed": "Your password is set. Please sign in with it.",
                "link.subject": "Set a new password at {application}",
                "link.body": "Hello,\n\nsomebody asked for a new password for your account at {application}. If it was "
                "you, choose one here.\n\nIf it was not you, you need not do anything: nothing was changed.",
                "link.button": "Choose a new password",
            },
        )
