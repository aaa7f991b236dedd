"""The mails about locks."""

from powauth.accounts import Account
from powauth.context import Context
from powauth.events import Locked, Unlocked
from powauth.mail import MailKind
from powauth.operations.requests import ASKED_BY_IDENTIFIER
from powauth.pages import Page
from powauth.tokens import TokenKind

LOCKED = MailKind("locked")
"""An administrator locked the account."""
UNLOCKED = MailKind("unlocked")


def is_for(account: Account) -> bool:
    """Say whether an account's owner may open it: it is locked, and not by an administrator."""
    return account.is_locked and account.locked_by != "administrator"


def link(page: Page, token: TokenKind) -> MailKind:
    """Return the mail that was asked for."""
    return MailKind("link", page=page, token=token, limit=ASKED_BY_IDENTIFIER, for_whom=is_for)


def guarded(page: Page, token: TokenKind) -> MailKind:
    """Return the mail after very many failures."""
    return MailKind("guarded", page=page, token=token, for_whom=is_for)


def locked_down(page: Page, token: TokenKind) -> MailKind:
    """Return the mail after the account's owner locked it."""
    return MailKind("locked_down", page=page, token=token, for_whom=is_for)


async def tell_unlocked(event: Unlocked, ctx: Context) -> None:
    """Tell the owner."""
    await ctx.send(UNLOCKED, account=event.account, parts={"name": event.account.label})


async def tell_locked(ctx: Context, kind: MailKind, event: Locked) -> None:
    """Tell the owner."""
    await ctx.send(kind, account=event.account, parts={"name": event.account.label})
