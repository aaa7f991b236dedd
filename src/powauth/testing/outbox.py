"""Outbox: a mailer that keeps what it was given."""

from collections.abc import Iterator

from powauth.mail import Mail


class Outbox:
    """Every mail that was sent, oldest first. `Auth(mailer=outbox)`."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def __call__(self, mail: Mail) -> None:
        """Keep a mail."""
        self.mails.append(mail)

    def __len__(self) -> int:
        return len(self.mails)

    def __iter__(self) -> Iterator[Mail]:
        return iter(self.mails)

    @property
    def last(self) -> Mail:
        """The newest mail."""
        return self.mails[-1]

    @property
    def link(self) -> str:
        """The address in the newest mail that has one."""
        return next(mail.parts["url"] for mail in reversed(self.mails) if "url" in mail.parts)

    def kinds(self) -> list[str]:
        """Return the kind of each mail, oldest first."""
        return [mail.kind for mail in self.mails]

    def clear(self) -> None:
        """Forget all mails."""
        self.mails.clear()
