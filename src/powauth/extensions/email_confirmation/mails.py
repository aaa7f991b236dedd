"""The mails about addresses."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from powauth.accounts import Account
from powauth.context import Context
from powauth.limits import Limit
from powauth.mail import MailKind
from powauth.pages import Page
from powauth.tokens import TokenKind

LIMIT = Limit(5, per=timedelta(hours=1))
"""For one account, or one typed address: each of these can be ordered by strangers."""


CHANGES = Limit(10, per=timedelta(hours=1))
"""Changes of address that one account may begin."""
BY_CLIENT = Limit(30, per=timedelta(minutes=10))


def is_unconfirmed(account: Account) -> bool:
    """Say whether an account's address waits to be proved."""
    return account.is_open and not account.is_confirmed


def is_open(account: Account) -> bool:
    """Say whether an account may be used."""
    return account.is_open


def confirm(page: Page, token: TokenKind) -> MailKind:
    """Return the mail to a new account's address."""
    return MailKind("confirm", page=page, token=token, limit=LIMIT, for_whom=is_unconfirmed)


def change(page: Page, token: TokenKind) -> MailKind:
    """Return the mail to an address that somebody wants to have from now on."""
    return MailKind("change", page=page, token=token, limit=LIMIT)


def changed(page: Page, token: TokenKind) -> MailKind:
    """Return the mail to the former address."""
    return MailKind("changed", page=page, token=token)


def attempted(page: Page, choose: Callable[[Context, Account], Awaitable[MailKind]] | None = None) -> MailKind:
    """Return the mail to an account's owner when somebody signs up with their address."""
    return MailKind("attempted", page=page, limit=LIMIT, for_whom=is_open, choose=choose)
