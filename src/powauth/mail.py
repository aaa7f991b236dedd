"""Mail is data; a mailer is any async callable that sends it."""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from powauth.accounts import Account, Handle
from powauth.errors import PowauthError
from powauth.limits import Limit
from powauth.pages import Page
from powauth.tokens import TokenKind


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished mail. `parts` are what it was made of, for services that have templates of their own."""

    kind: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    parts: Mapping[str, str] = field(repr=False)
    id: str
    """The same however often it is sent: the left side of its Message-ID."""
    language: str = "en"


Mailer = Callable[[Mail], Awaitable[None]]
"""Sends a mail, or raises: then it is tried again later, unless it raises `Undeliverable`."""


class NotSent(PowauthError):
    """A mail that was not taken this time: it is tried again."""


class Undeliverable(PowauthError):
    """A mail that nobody will ever take: it is given up at once."""


@runtime_checkable
class Checked(Protocol):
    """A mailer that knows what is wrong with its settings: an `Auth` with it then refuses to start."""

    def problems(self) -> Sequence[str]:
        """Return what is wrong, a sentence each."""
        ...


def problems_of(mailer: object) -> Sequence[str]:
    """Return what a mailer says is wrong with its settings."""
    return mailer.problems() if isinstance(mailer, Checked) else ()


def everybody(account: Account) -> bool:  # noqa: ARG001  the shape of `for_whom`
    """Return `True`."""
    return True


@dataclass(frozen=True, slots=True)
class MailKind:
    """A mail that an extension sends. Its words are `<extension>.<name>.subject`, `.body` and `.button`."""

    name: str
    page: Page | None = None
    """The page that its link leads to."""
    token: TokenKind | None = None
    """What the sender mints into that link, as `token` in the page's path."""
    limit: Limit | None = None
    """How often one account gets it: what is over is not sent."""
    for_whom: Callable[[Account], bool] = everybody
    """Which accounts get it, asked as it is sent."""
    choose: Callable[[Any, Account], Awaitable["MailKind"]] | None = None
    """Says, given the context and the account, which mail is sent instead; in the unit in which its link is minted."""
    still: Callable[[Any, Handle], Awaitable[bool]] | None = None
    """For a mail about something that is no account: says, given the context and the handle of that, whether it is
    owed still; in the unit in which its link is minted."""


@dataclass(frozen=True, slots=True)
class ConsoleMailer:
    """Prints mails instead of sending them: for development, refused on a public address."""

    async def __call__(self, mail: Mail) -> None:
        """Print the mail."""
        sys.stdout.write(f"\n--- mail to {mail.to}: {mail.subject}\n{mail.text}\n---\n")
        sys.stdout.flush()
