"""What the owner is told of a way in that came or went."""

from powauth.accounts import Account
from powauth.clients import spoken_device
from powauth.context import Context
from powauth.extensions.providers.ports import title_of
from powauth.extensions.providers.settings import ProviderSettings
from powauth.mail import MailKind

CONNECTED = MailKind(name="connected")
DISCONNECTED = MailKind(name="disconnected")


async def tell(ctx: Context, kind: MailKind, account: Account, provider: str) -> None:
    """Owe the owner a mail; without an address there is none."""
    if account.email is None:
        return
    titles = {each.name: title_of(each) for each in await ctx[ProviderSettings].all(ctx)}
    parts = {
        "name": account.label,
        "provider": titles.get(provider, provider),
        "time": f"{ctx.now:%Y-%m-%d %H:%M} UTC",
        "device": spoken_device(ctx.caller.device, ctx.words) if ctx.caller.device else "–",
        "client": ctx.caller.client or "–",
    }
    await ctx.send(kind, account=account, to=account.email, parts=parts)
