"""What the owner is told, where `security_mails` does not tell it with a link that locks the account down."""

from powauth.accounts import Account
from powauth.clients import spoken_device
from powauth.context import Context
from powauth.extensions.remember_me.families import Family
from powauth.mail import MailKind

STOLEN = MailKind(name="stolen")


async def tell_stolen(ctx: Context, account: Account, family: Family) -> None:
    """Owe the owner a mail that says whose cookie was used, when, and from where; without an address there is none."""
    tells_more = any(known.name == "security_mails" for known in ctx.plan.extensions.values())
    if account.email is None or tells_more:
        return
    parts = {
        "name": account.label,
        "remembered": spoken_device(family.device, ctx.words) if family.device else "–",
        "time": f"{ctx.now:%Y-%m-%d %H:%M} UTC",
        "device": spoken_device(ctx.caller.device, ctx.words) if ctx.caller.device else "–",
        "client": ctx.caller.client or "–",
    }
    await ctx.send(STOLEN, account=account, to=account.email, parts=parts)
