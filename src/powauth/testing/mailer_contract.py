"""What every mailer has to do."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from powauth.mail import Mail, Mailer

MAIL = Mail(
    kind="example.hello",
    to="ada@example.com",
    subject="Grüße an Ada",
    text="Hello Ada,\n\nplease go to https://example.com/auth/hello?x=1&y=2\n",
    html='<p>Hello Ada</p><p><a href="https://example.com/auth/hello?x=1&amp;y=2">Go</a></p>',
    parts={"name": "Ada", "url": "https://example.com/auth/hello?x=1&y=2"},
    id="5f1c9a3e7b2d4860",
)


class MailerContract:
    """Subclass it with a fixture `mailer`, and say in `received` what arrived at the other end, oldest first."""

    pytestmark = pytest.mark.anyio

    async def received(self, mailer: Mailer) -> Sequence[Mail]:
        """Return the mails that arrived."""
        raise NotImplementedError

    async def test_a_mail_arrives_whole(self, mailer: Mailer) -> None:
        await mailer(MAIL)
        mail = (await self.received(mailer))[-1]
        assert (mail.to, mail.subject) == (MAIL.to, MAIL.subject)
        assert "https://example.com/auth/hello?x=1&y=2" in mail.text

    async def test_mails_arrive_in_their_order(self, mailer: Mailer) -> None:
        for number in range(3):
            await mailer(replace(MAIL, id=f"{number}", subject=f"Mail {number}"))
        assert [mail.subject for mail in (await self.received(mailer))[-3:]] == ["Mail 0", "Mail 1", "Mail 2"]

    async def test_what_a_mail_holds_is_no_header(self, mailer: Mailer) -> None:
        await mailer(replace(MAIL, text="Bcc: eve@example.com\n\nHello"))
        mail = (await self.received(mailer))[-1]
        assert mail.to == MAIL.to
        assert "Bcc: eve@example.com" in mail.text
