"""A closed account is kept for a while, with its address, and a mailed link opens it again. Then it is erased."""

from powauth.accounts import Account
from powauth.context import Context, on
from powauth.events import Closed, Closing, EmailRestored
from powauth.extension import Chore, Manifest
from powauth.extensions import sign_in
from powauth.extensions.reopen import operations
from powauth.extensions.reopen.records import ClosureRecord
from powauth.extensions.reopen.settings import ReopenSettings
from powauth.forms import NoForm
from powauth.http import Request
from powauth.mail import MailKind
from powauth.pages import Detour, Done, Outcome, Shown
from powauth.routing import FormPage

__all__ = ["REOPEN", "ClosureRecord", "Reopen"]


async def show(request: Request[NoForm], ctx: Context) -> Outcome:
    """Show the button, if the link is valid: looking at it uses nothing up."""
    account = await operations.peek(ctx, request.params["token"])
    return Shown(words={"name": account.label})


async def reopen(request: Request[NoForm], ctx: Context) -> Outcome:
    """Open the account again."""
    await operations.reopen(ctx, request.params["token"])
    return Done(to=sign_in.NEW, notice="reopened")


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
    if await operations.is_kept(ctx, account):
        until = f"{ctx.now + ctx[Reopen].within:%Y-%m-%d}"
        await ctx.send(ctx[Reopen].mail, account=account, parts={"name": account.label, "until": until})


class Reopen(ReopenSettings):
    """Closing with a way back."""

    @property
    def mail(self) -> MailKind:
        """The mail that holds the link."""
        return MailKind("closed", page=REOPEN, token=self.token)

    def manifest(self) -> Manifest:
        """Return what it adds."""
        return Manifest(
            routes=(REOPEN,),
            tokens=(self.token,),
            records=(ClosureRecord,),
            hooks=(on(Closing, keep), on(Closed, tell), on(EmailRestored, tell_restored)),
            mails=(self.mail,),
            chores=(Chore(name="erase", run=operations.erase_due),),
            messages={
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
