"""The mailers of the foundation keep the contract of every mailer."""

from collections.abc import Sequence

import pytest

from powauth import ConsoleMailer, Mail, Mailer
from powauth.testing import MailerContract, Outbox


class TestOutbox(MailerContract):
    @pytest.fixture
    def mailer(self, powauth_outbox: Outbox) -> Mailer:
        return powauth_outbox

    async def received(self, mailer: Mailer) -> Sequence[Mail]:
        assert isinstance(mailer, Outbox)
        return mailer.mails


async def test_the_console_mailer_prints_what_a_person_needs(capsys: pytest.CaptureFixture[str]) -> None:
    mail = Mail("a.b", "ada@example.com", "Hello", "The words", "<p>The words</p>", {}, id="1")
    await ConsoleMailer()(mail)
    printed = capsys.readouterr().out
    assert "ada@example.com" in printed
    assert "The words" in printed
