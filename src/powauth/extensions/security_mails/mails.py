"""The mails about what happened to an account."""

from powauth.accounts import Account
from powauth.clients import spoken_device
from powauth.context import Context
from powauth.mail import MailKind
from powauth.pages import Page
from powauth.tokens import TokenKind

CLOSED = MailKind(name="closed")
LINKED = ("password_changed", "new_device", "stolen")
"""The mails with a link that secures the account."""


def linked(name: str, page: Page, token: TokenKind) -> MailKind:
    """Return a mail with a link that secures the account."""
    return MailKind(name, page=page, token=token)


async def tell(
    ctx: Context, kind: MailKind, account: Account, to: str | None, more: dict[str, str] | None = None
) -> None:
    """Owe somebody a mail that says what happened, when, and from where; an account without an address gets none."""
    if to is None:
        return
    parts = {
        "name": account.label,
        "time": f"{ctx.now:%Y-%m-%d %H:%M} UTC",
        "device": spoken_device(ctx.caller.device, ctx.words) if ctx.caller.device else "–",
        "client": ctx.caller.client or "–",
    }
    await ctx.send(kind, account=account, to=to, parts={**parts, **(more or {})})
