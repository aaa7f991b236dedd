"""The mailer that speaks SMTP, against real servers on this machine: those that behave, and those that do not."""

import asyncio
import ssl
import traceback
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import trustme

from powauth import Auth, ConfigurationError, Mail, Mailer, MemoryStore
from powauth.mail import NotSent, Undeliverable
from powauth.smtp import SMTPMailer
from powauth.testing import FrozenClock, MailerContract
from powauth.testing.mailer_contract import MAIL
from tests.house import BASE_URL, SECRET
from tests.mail_servers import (
    HOST,
    PASSWORD,
    USERNAME,
    MailServer,
    answering,
    mail_server,
    scripted,
    trusting,
)

pytestmark = pytest.mark.anyio

SENDER = "Grüße & Co <no-reply@shop.example.com>"
LINK = "https://example.com/auth/hello?x=1&y=2"


def mailer_to(port: int, **settings: Any) -> SMTPMailer:
    defaults: dict[str, Any] = {"host": HOST, "port": port, "sender": SENDER, "ssl_context": trusting()}
    mailer = SMTPMailer(**{**defaults, **settings})
    assert mailer.problems() == ()
    return mailer


def plainly_to(port: int, **settings: Any) -> SMTPMailer:
    return mailer_to(port, security="none", ssl_context=None, **settings)


@pytest.fixture
async def server() -> AsyncGenerator[MailServer]:
    async with mail_server(needs_auth=True) as running:
        yield running


@pytest.fixture
def mailer(server: MailServer) -> SMTPMailer:
    return mailer_to(server.port, username=USERNAME, password=PASSWORD)


class TestSMTP(MailerContract):
    """With STARTTLS and a password."""

    @pytest.fixture
    def mailer(self, server: MailServer) -> Mailer:
        self.server = server
        return mailer_to(server.port, username=USERNAME, password=PASSWORD)

    async def received(self, mailer: Mailer) -> Sequence[Mail]:
        return [delivered.mail for delivered in self.server.delivered]


async def test_a_mail_travels_encrypted_and_signed_in(server: MailServer, mailer: SMTPMailer) -> None:
    await mailer(MAIL)
    (delivered,) = server.delivered
    assert delivered.is_encrypted
    assert delivered.username == USERNAME
    assert (delivered.sender, delivered.recipients) == ("no-reply@shop.example.com", ["ada@example.com"])
    assert delivered.hello == "shop.example.com"  # and not what this machine is called inside


async def test_tls_from_the_beginning_works_as_well() -> None:
    async with mail_server(security="tls") as server:
        await mailer_to(server.port, security="tls")(MAIL)
        assert [delivered.is_encrypted for delivered in server.delivered] == [True]


async def test_a_server_on_this_machine_needs_no_tls() -> None:
    async with mail_server(security="none") as server:
        await plainly_to(server.port)(MAIL)
        assert [delivered.is_encrypted for delivered in server.delivered] == [False]


# ---- the message ----


async def test_the_message_has_text_and_html_and_the_headers_of_an_automatic_mail(
    server: MailServer, mailer: SMTPMailer
) -> None:
    clock = FrozenClock()
    mail = replace(MAIL, language="de")
    await replace(mailer, clock=clock, reply_to="Help <help@example.com>")(mail)
    message = server.delivered[0].message
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    html = message.get_body(("html",))
    assert html
    assert html.get_content().strip() == MAIL.html
    assert message["From"] == SENDER
    assert message["To"] == "ada@example.com"
    assert message["Reply-To"] == "Help <help@example.com>"
    assert message["Subject"] == "Grüße an Ada"
    assert message["Message-ID"] == f"<{MAIL.id}@shop.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "de"
    assert parsedate_to_datetime(str(message["Date"])) == clock.now().replace(microsecond=0)
    raw = server.delivered[0].raw
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322 §2.1.1


async def test_a_mail_without_html_is_text_alone(server: MailServer, mailer: SMTPMailer) -> None:
    await mailer(replace(MAIL, html=""))
    assert server.delivered[0].message.get_content_type() == "text/plain"


async def test_the_same_mail_has_the_same_id_however_often_it_is_sent(server: MailServer, mailer: SMTPMailer) -> None:
    await mailer(MAIL)
    await mailer(MAIL)
    first, second = (delivered.message["Message-ID"] for delivered in server.delivered)
    assert first == second


EVIL = "Bcc: eve@example.com"
SUBJECTS = (
    f"Hello\r\n{EVIL}",
    f"Hello\n{EVIL}\n\nA body",
    f"Hello\r{EVIL}",
    f"Hello\u2028{EVIL}\x85{EVIL}\x0b{EVIL}\x00",
    f"=?utf-8?q?Hello=0D=0A{EVIL.replace(' ', '_')}?=",
    "=?utf-8?b?SGVsbG8NCkJjYzogZXZlQGV4YW1wbGUuY29t?=",
    f"{'x' * 70} {EVIL}",
    f"Grüße {'ü' * 60}\n {EVIL}",
    "half a character: \ud83d",
)


HEADERS = [
    *("Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "MIME-Version", "Message-ID"),
    *("Subject", "To"),
]


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_no_subject_makes_a_header(server: MailServer, mailer: SMTPMailer, subject: str) -> None:
    await mailer(replace(MAIL, subject=subject))
    (delivered,) = server.delivered
    message = delivered.message
    assert message["Bcc"] is None
    assert sorted(message.keys()) == HEADERS
    assert delivered.mail.text == MAIL.text
    head, _, _ = delivered.raw.partition(b"\r\n\r\n")
    assert not any(line.startswith(b"Bcc") for line in head.split(b"\n"))


async def test_a_subject_that_looks_encoded_is_shown_as_it_was_written(server: MailServer, mailer: SMTPMailer) -> None:
    subject = "=?utf-8?q?not_mine?="
    await mailer(replace(MAIL, subject=subject))
    raw = next(line for line in server.delivered[0].raw.split(b"\r\n") if line.startswith(b"Subject: "))
    assert str(make_header(decode_header(raw.decode().removeprefix("Subject: ")))) == subject


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nRCPT TO:<eve@example.com>",
        "ada@example.com, eve@example.com",
        "ada@example.com> SIZE=1",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        '"ada eve"@example.com',
        "ada",
        "",
    ],
)
async def test_what_is_not_one_address_is_given_up(server: MailServer, mailer: SMTPMailer, to: str) -> None:
    with pytest.raises(Undeliverable):
        await mailer(replace(MAIL, to=to))
    assert server.delivered == []


@pytest.mark.parametrize("text", ["a\n.\nQUIT\nb", "a\r\n.\r\nMAIL FROM:<eve@example.com>\r\n", ".\n..\n", "a\r.\rb\n"])
async def test_no_text_ends_the_message_early(server: MailServer, mailer: SMTPMailer, text: str) -> None:
    await mailer(replace(MAIL, text=text))
    (delivered,) = server.delivered
    assert delivered.mail.text.split() == text.split()
    assert delivered.mail.html.strip() == MAIL.html


async def test_an_address_in_another_script_travels_as_it_is_written(server: MailServer, mailer: SMTPMailer) -> None:
    await mailer(replace(MAIL, to="ada@bücher.example"))
    assert server.delivered[0].recipients == ["ada@xn--bcher-kva.example"]
    assert "SMTPUTF8" not in server.delivered[0].options
    await mailer(replace(MAIL, to="アダ@bücher.example"))
    assert server.delivered[1].recipients == ["アダ@xn--bcher-kva.example"]
    assert "SMTPUTF8" in server.delivered[1].options
    assert "To: アダ@xn--bcher-kva.example\r\n".encode() in server.delivered[1].raw


async def test_an_address_that_the_server_cannot_write_is_given_up() -> None:
    async with scripted(answering({})) as port:
        with pytest.raises(Undeliverable, match="ASCII"):
            await plainly_to(port)(replace(MAIL, to="アダ@example.com"))


# ---- who must not read it ----


async def test_a_certificate_of_an_unknown_authority_is_refused(server: MailServer) -> None:
    stranger = mailer_to(server.port, ssl_context=trusting(trustme.CA()), username=USERNAME, password=PASSWORD)
    with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        await stranger(MAIL)
    assert (server.delivered, server.tried) == ([], [])


async def test_a_certificate_of_another_name_is_refused() -> None:
    for security in ("starttls", "tls"):
        async with mail_server(security=security, name="other.example.com") as server:
            with pytest.raises(NotSent, match="certificate"):
                await mailer_to(server.port, security=security)(MAIL)
            assert server.delivered == []


async def test_a_server_without_starttls_gets_neither_password_nor_mail() -> None:
    heard: list[str] = []
    stripped = {"EHLO": "250-mail.example.com\r\n250 AUTH PLAIN LOGIN", "STARTTLS": "502 no such thing"}
    async with scripted(answering(stripped, heard)) as port:
        with pytest.raises(NotSent):
            await mailer_to(port, username=USERNAME, password=PASSWORD)(MAIL)
    assert {line.split()[0] for line in heard} <= {"EHLO", "STARTTLS", "QUIT"}


async def test_what_a_stranger_says_before_tls_is_not_taken_for_the_server_s_word() -> None:
    heard: list[str] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        heard.append((await reader.readline()).decode())
        writer.write(b"250-hello\r\n250 STARTTLS\r\n")
        heard.append((await reader.readline()).decode())
        writer.write(b"220 go\r\n250-mine\r\n250 AUTH PLAIN\r\n235 fine\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
        await writer.drain()
        await reader.read()

    async with scripted(script) as port:
        with pytest.raises(NotSent):
            await mailer_to(port, username=USERNAME, password=PASSWORD, timeout=timedelta(seconds=1))(MAIL)
    assert [line.split()[0].upper() for line in heard] == ["EHLO", "STARTTLS"]


async def test_a_wrong_password_is_tried_again_and_written_nowhere(server: MailServer) -> None:
    mailer = mailer_to(server.port, username=USERNAME, password="wr0ng-password")
    with pytest.raises(NotSent, match="535") as refused:
        await mailer(MAIL)
    told = "".join(traceback.format_exception(refused.value))
    assert "wr0ng" not in told + repr(mailer)
    assert f"'{USERNAME}'" not in repr(mailer)


async def test_a_link_that_the_server_repeats_is_not_written_into_a_log() -> None:
    async with scripted(answering({".": f"550 5.7.1 spam: {LINK} is listed"})) as port:
        with pytest.raises(Undeliverable, match=r"550 5\.7\.1 spam: … is listed") as refused:
            await plainly_to(port)(MAIL)
    assert LINK not in "".join(traceback.format_exception(refused.value))


# ---- servers that do not behave ----


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, Undeliverable),
        ({"RCPT": "553 5.1.3 what"}, Undeliverable),
        ({"RCPT": "450 4.2.0 greylisted"}, NotSent),
        ({"RCPT": "451 4.3.0 later"}, NotSent),
        ({"RCPT": "530 5.7.0 sign in first"}, NotSent),
        ({"MAIL": "550 5.7.1 not you"}, NotSent),
        ({"MAIL": "451 4.3.0 later"}, NotSent),
        ({"DATA": "554 5.5.1 no"}, Undeliverable),
        ({"DATA": "421 4.3.2 going down"}, NotSent),
        ({".": "552 5.3.4 too big"}, Undeliverable),
        ({".": "452 4.3.1 full"}, NotSent),
        ({"hello": "554 5.7.1 go away"}, NotSent),
        ({"hello": "421 busy"}, NotSent),
        ({"EHLO": "550 who", "HELO": "550 who"}, NotSent),
        ({"hello": "nonsense"}, NotSent),
        ({"hello": "DROP"}, NotSent),
        ({"EHLO": "DROP"}, NotSent),
        ({"RCPT": "DROP"}, NotSent),
        ({"DATA": "DROP"}, NotSent),
        ({".": "DROP"}, NotSent),
    ],
    ids=str,
)
async def test_a_refusal_for_ever_is_told_from_one_for_now(answers: dict[str, str], outcome: type[Exception]) -> None:
    async with scripted(answering(answers)) as port:
        with pytest.raises(outcome):
            await plainly_to(port)(MAIL)


@pytest.mark.parametrize("where", ["hello", "EHLO", "MAIL", "DATA", "."])
async def test_a_server_that_stalls_is_left_after_the_timeout(where: str) -> None:
    async with scripted(answering({where: "STALL"})) as port, asyncio.timeout(10):
        with pytest.raises(NotSent):
            await plainly_to(port, timeout=timedelta(seconds=0.3))(MAIL)


async def test_a_server_that_drips_is_left_after_the_timeout_too() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"220-wait\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with scripted(drip) as port, asyncio.timeout(10):
        with pytest.raises(NotSent, match="took longer"):
            await plainly_to(port, timeout=timedelta(seconds=0.4))(MAIL)


@pytest.mark.parametrize("end", ["DROP", "500 what", "STALL"])
async def test_a_mail_that_was_taken_is_sent_whatever_the_server_does_next(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("powauth.smtp.mailer.PARTING", 0.2)
    async with scripted(answering({"QUIT": end})) as port, asyncio.timeout(10):
        await plainly_to(port)(MAIL)


async def test_nobody_listening_is_no_reason_to_give_up() -> None:
    async with scripted(answering({})) as port:
        pass
    with pytest.raises(NotSent):
        await plainly_to(port)(MAIL)


# ---- settings ----


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"host": "smtp://mail"}, "alone"),
        ({"host": ""}, "alone"),
        ({"sender": "Shop"}, "one address"),
        ({"sender": "a@example.com, b@example.com"}, "one address"),
        ({"sender": "Shop\nBcc: x <a@example.com>"}, "one address"),
        ({"reply_to": "nobody"}, "one address"),
        ({"username": "shop"}, "belong together"),
        ({"password": "secret-word"}, "belong together"),
        ({"port": 70000}, "65535"),
        ({"security": "ssl"}, "starttls"),
        ({"timeout": timedelta(0)}, "at most a minute"),
        ({"timeout": timedelta(minutes=2)}, "at most a minute"),
        ({"security": "none"}, "links would leave"),
        ({"security": "none", "trusts_network": True, "username": "u", "password": "secret-word"}, "password would"),
        ({"ssl_context": ssl._create_unverified_context()}, "anybody's certificate"),  # noqa: S323  what is refused
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_start(settings: dict[str, Any], problem: str) -> None:
    given: dict[str, Any] = {"host": "mail.example.com", "sender": SENDER, **settings}
    mailer = SMTPMailer(**given)
    assert any(problem in sentence for sentence in mailer.problems())
    assert "secret-word" not in " ".join(mailer.problems()) + repr(mailer)
    with pytest.raises(ConfigurationError, match="mailer: "):
        refused(mailer)


def refused(mailer: Mailer) -> Auth[Any]:
    return Auth(secret=SECRET, base_url=BASE_URL, database=NoDatabase(), store=MemoryStore(), mailer=mailer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  no database is looked at


class NoDatabase:
    def declare(self, schema: object) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"security": "tls", "username": "u", "password": "p"},
        {"security": "none", "trusts_network": True},
        {"security": "none", "host": "localhost", "username": "u", "password": "p"},
        {"sender": "no-reply@example.com", "reply_to": '"Help, quick" <help@example.com>'},
    ],
    ids=str,
)
def test_settings_that_can_be_meant_are_not(settings: dict[str, Any]) -> None:
    given: dict[str, Any] = {"host": "mail.example.com", "sender": SENDER, **settings}
    assert SMTPMailer(**given).problems() == ()
