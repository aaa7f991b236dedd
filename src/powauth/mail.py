"""Mail is data; a mailer is any async callable that sends it."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

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
"""Sends a mail, or raises: then it is tried again later."""


@dataclass(frozen=True, slots=True)
class MailKind:
    """A mail that an extension sends. Its words are `<extension>.<name>.subject`, `.body` and `.button`."""

    name: str
    page: Page | None = None
    """The page that its link leads to."""
    token: TokenKind | None = None
    """What the sender mints into that link, as `token` in the page's path."""


@dataclass(frozen=True, slots=True)
class ConsoleMailer:
    """Prints mails instead of sending them: for development, refused on a public address."""

    async def __call__(self, mail: Mail) -> None:
        """Print the mail."""
        sys.stdout.write(f"\n--- mail to {mail.to}: {mail.subject}\n{mail.text}\n---\n")
        sys.stdout.flush()
