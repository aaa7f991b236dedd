"""A closed account is kept for a while, with its address, and a mailed link opens it again. Then it is erased."""

from powauth.accounts import Account
from powauth.context import Context, on
from powauth.events import Closed, Closing, EmailRestored, Reopened
from powauth.extension import Chore, Link, Manifest
from powauth.extensions import reset_password, sign_in
from powauth.extensions.reopen import operations
from powauth.extensions.reopen.records import ClosureRecord
from powauth.extensions.reopen.settings import ReopenSettings
from powauth.extensions.reset_password import RequestForm
from powauth.forms import NoForm
from powauth.http import Request
from powauth.mail import MailKind
from powauth.operations import request_mail
from powauth.operations.requests import ASKED_BY_ADDRESS, ASKED_BY_IDENTIFIER
from powauth.pages import Detour, Done, Outcome, Shown
from powauth.routing import FormPage

__all__ = ["REOPEN", "REQUEST", "ClosureRecord", "Reopen"]


def is_closed(account: Account) -> bool:
    """Say whether an account can be opened again."""
    return account.is_closed


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the button, if the link is valid: looking at it uses nothing up."""
    account = await operations.peek(ctx, request.params["token"])
    return Shown(words={"name": account.label})


async def reopen(request: Request[NoForm], ctx: Context) -> Outcome:
    """Open the account again."""
    await operations.reopen(ctx, request.params["token"])
    return Done(to=sign_in.NEW, notice="reopened")


async def request(request: Request[RequestForm], ctx: Context) -> Outcome:
    """Owe a mail to whoever this is: the same row for everybody, the sender looks who it is (S11)."""
    await request_mail(ctx, ctx[Reopen].again, request.form.email or request.form.username)
    return Done(notice="requested")


REQUEST = FormPage(name="request", path="/reopen", form=RequestForm, submit=request, limit=ASKED_BY_ADDRESS)
REOPEN = FormPage(name="reopen", path="/reopen/{token}", form=NoForm, show=show, submit=reopen)


async def keep(event: Closing, ctx: Context) -> Detour | None:
    """Keep an account whose owner can be mailed; the others are erased at once."""
    if event.account.email is None or not ctx[Reopen].within:
        return None
    await operations.keep(ctx, event.account)
    return Detour(REOPEN)


async def tell(event: Closed, ctx: Context) -> None:
    """Mail the way back."""
    await send_link(ctx, event.account)


async def tell_restored(event: EmailRestored, ctx: Context) -> None:
    """Mail the way back to an address that its owner took back from whoever closed the account."""
    await send_link(ctx, event.account)


async def send_link(ctx: Context, account: Account) -> None:
    """Owe the owner of a closed account the link that opens it, as long as it is kept."""
    kept = await operations.closure(ctx, account)
    if kept is not None:
        parts = {"name": account.label, "until": f"{kept.erase_at:%Y-%m-%d}"}
        await ctx.send(ctx[Reopen].mail, account=account, parts=parts)


class Reopen(ReopenSettings):
    """Closing with a way back."""

    @property
    def mail(self) -> MailKind:
        """The mail that holds the link."""
        return MailKind("closed", page=REOPEN, token=self.token)

    @property
    def again(self) -> MailKind:
        """The mail that was asked for, because the first one was lost."""
        return MailKind("link", page=REOPEN, token=self.token, limit=ASKED_BY_IDENTIFIER, for_whom=is_closed)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(REQUEST, REOPEN),
            tokens=(self.token,),
            records=(ClosureRecord,),
            hooks=(
                on(Closing, keep),
                on(Closed, tell),
                on(EmailRestored, tell_restored),
                on(Reopened, operations.forget),
            ),
            mails=(self.mail, self.again),
            links=(
                Link(on=reset_password.REQUEST, to=REQUEST, text="closed_link"),
                Link(on=REQUEST, to=sign_in.NEW, text="back"),
            ),
            chores=(Chore(name="erase", run=operations.erase_due),),
            messages={
                "closed_link": "Did you close your account?",
                "back": "Back to sign-in",
                "request.title": "Open a closed account again",
                "request.intro": "If your account is closed and not erased yet, we send you a link that opens it.",
                "request.submit": "Send the link",
                "requested": "If there is something to open, a mail is on its way. Please look into your mailbox.",
                "link.subject": "Open your account at {application} again",
                "link.body": "Hello,\n\nhere you open your closed account at {application} again.\n\n"
                "If you did not ask for this, you need not do anything.",
                "link.button": "Open my account again",
                "reopen.title": "Open your account again",
                "reopen.intro": "The account of {name} is as it was. Sign in with your password afterwards.",
                "reopen.submit": "Open it again",
                "reopened": "Your account is open again. Please sign in.",
                "closed.subject": "Your account at {application} is closed",
                "closed.body": "Hello {name},\n\nyour account is closed, and every device was signed out. On {until} "
                "it is erased with all that belongs to it.\n\nUntil then you can change your mind. If it was not you "
                "who closed it, open it again and set a new password.",
                "closed.button": "Open my account again",
            },
        )
