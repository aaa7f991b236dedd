"""What the owner is told, where that is set."""

from powauth.accounts import Account
from powauth.context import Context
from powauth.mail import MailKind
from powauth.session import Session

TOLD = MailKind(name="told")


async def tell_owner(ctx: Context, account: Account, session: Session) -> None:
    """Owe the owner a mail in the language of their site; neither who it was nor the reason leaves the house."""
    if account.email is None:
        return
    parts = {
        "name": account.label,
        "time": f"{ctx.now:%Y-%m-%d %H:%M} UTC",
        "until": f"{session.ends_at:%Y-%m-%d %H:%M} UTC",
    }
    language = ctx.plan.language_of(ctx.tenant)
    await ctx.send(TOLD, account=account, to=account.email, parts=parts, language=language)
