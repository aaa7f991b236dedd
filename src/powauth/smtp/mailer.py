"""SMTPMailer: hands each mail to a mail server, over TLS, and says whether it is worth trying again."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Literal

import aiosmtplib

from powauth.accounts import InvalidEmail
from powauth.clock import Clock, SystemClock
from powauth.mail import Mail, NotSent, Undeliverable
from powauth.services import certificate_problem, is_this_machine
from powauth.smtp.message import UNSEEN, address_of, is_ascii, parse_mailbox, written

Security = Literal["starttls", "tls", "none"]
PORTS: dict[Security, int] = {
    "starttls": 587,
    "tls": 465,
    "none": 25,
}  # RFC 6409 §3.1, RFC 8314 §3.3, RFC 5321 §4.5.4.2
FOR_EVER = range(550, 557)
"""Replies about a recipient or a message that time does not mend (RFC 5321 §4.2.3, RFC 7504). Others, such as 530 and
535, say that the settings are wrong: those are mended, and the mails then leave."""
PARTING = 2.0
"""Seconds for the good-bye to a server that has taken a mail."""


@dataclass(frozen=True, kw_only=True)
class SMTPMailer:
    """Sends mails by SMTP. `Auth(mailer=SMTPMailer(host="smtp.example.com", sender="Example <hello@example.com>"))`.

    A server that refuses the recipient or the message is believed: `Undeliverable`. Everything else is tried again.
    """

    host: str
    """The server to which mails are handed, as its certificate names it."""
    sender: str
    """Whom mails come from: `Example <no-reply@example.com>`, or an address alone."""
    port: int | None = None
    """587 with STARTTLS, 465 with TLS, 25 without, if none is given."""
    username: str | None = field(default=None, repr=False)
    """With `password`: who signs in to the server."""
    password: str | None = field(default=None, repr=False)
    security: Security = "starttls"
    """`starttls` insists on it, `tls` begins with it; `none` only on this machine, unless `trusts_network`."""
    trusts_network: bool = False
    """Whether mails, and the links in them, may go to another machine unencrypted. A password never does."""
    reply_to: str | None = None
    """Where answers go; to the sender if nothing is given."""
    timeout: timedelta = timedelta(seconds=20)
    """How long the server may take for one mail, from connecting to its last word."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """For a certificate of an authority of your own; it has to check the server's certificate and name."""
    local_hostname: str | None = None
    """What this machine calls itself to the server; the domain of the sender if nothing is given."""
    clock: Clock = field(default_factory=SystemClock, repr=False)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings, a sentence each. An `Auth` with this mailer refuses to start."""
        found: list[str] = []
        if not self.host or not self.host.isascii() or not self.host.isprintable() or set("/@ ") & set(self.host):
            found.append(f"host {self.host!r}: write the name of the mail server alone, as smtp.example.com")
        if self.security not in PORTS:
            found.append('security: use "starttls", "tls" or "none"')
        if self.port is not None and not 0 < self.port < 65536:
            found.append(f"port {self.port}: ports are 1 to 65535")
        for name, mailbox in (("sender", self.sender), ("reply_to", self.reply_to)):
            if mailbox is not None and not _is_mailbox(mailbox):
                found.append(f"{name} {mailbox!r}: write one address, as Example <no-reply@example.com>")
        if (self.username is None) != (self.password is None):
            found.append("username and password belong together: give both or neither")
        if not timedelta(0) < self.timeout <= timedelta(minutes=1):
            found.append("timeout: more than nothing and at most a minute, or one mail keeps others waiting")
        return (*found, *self._ways_to_be_read())

    def _ways_to_be_read(self) -> list[str]:
        """Return how somebody on the way could read mails or the password."""
        found: list[str] = []
        if self.security == "none" and not is_this_machine(self.host):
            if self.username is not None:
                found.append('security "none": the password would leave this machine unencrypted: use "starttls"')
            elif not self.trusts_network:
                found.append('security "none": links would leave this machine unencrypted: use "starttls"')
        if problem := certificate_problem(self.ssl_context):
            found.append(problem)
        return found

    async def __call__(self, mail: Mail) -> None:
        """Send a mail. Raises `Undeliverable` when the server will never take it, and `NotSent` to be called again."""
        _, sender = parse_mailbox(self.sender)
        to = address_of(mail)
        message = written(mail, to=to, sender=self.sender, reply_to=self.reply_to, now=self.clock.now())
        client = self._client(sender)
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                await self._hand_over(client, sender, to, message)
            await self._part(client)
        except TimeoutError:
            raise NotSent(f"{self.host} took longer than {self.timeout}") from None
        finally:
            client.close()

    def _client(self, sender: str) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=PORTS[self.security] if self.port is None else self.port,
            local_hostname=self.local_hostname or sender.rpartition("@")[2],
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",  # a server that does not offer it is refused, not obeyed
            tls_context=None if self.security == "none" else self._context,
            timeout=self.timeout.total_seconds(),
        )

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context() if self.ssl_context is None else self.ssl_context

    async def _hand_over(self, client: aiosmtplib.SMTP, sender: str, to: str, message: bytes) -> None:
        """Let the server take the mail, or say in our own words why not: its own may repeat what the mail holds."""
        try:
            await client.connect()
            if self.username is not None and self.password is not None:
                await client.login(self.username.encode(), self.password.encode())
            await self._send(client, sender, to, message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise self._refusal("the recipient", error.recipients[0]) from None
        except aiosmtplib.SMTPDataError as error:
            raise self._refusal("the message", error) from None
        except aiosmtplib.SMTPResponseException as error:
            raise NotSent(f"{self.host} answered {error.code} {_said(error.message)}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            cause = error.__cause__ or error  # what the library wraps: a connection, a certificate
            raise NotSent(f"{self.host}: {type(cause).__name__}: {_said(str(cause))}") from None

    async def _send(self, client: aiosmtplib.SMTP, sender: str, to: str, message: bytes) -> None:
        options = [] if is_ascii(sender, to) else ["SMTPUTF8"]
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        if options and not client.supports_extension("smtputf8"):
            raise Undeliverable(f"{self.host} takes addresses in ASCII only")
        await client.sendmail(sender, [to], message, mail_options=options)

    def _refusal(self, what: str, error: aiosmtplib.SMTPResponseException) -> Undeliverable | NotSent:
        kind = Undeliverable if error.code in FOR_EVER else NotSent
        return kind(f"{self.host} refused {what}: {error.code} {_said(error.message)}")

    async def _part(self, client: aiosmtplib.SMTP) -> None:
        """Take leave. The mail is taken: what goes wrong now must not send it a second time."""
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=PARTING)


def _said(text: str) -> str:
    """Return what a server said, fit for a log: a line, and no address of a page, which may hold a secret."""
    words = UNSEEN.sub(" ", text).split()
    return " ".join("…" if "/" in word else word for word in words)[:200]


def _is_mailbox(text: str) -> bool:
    try:
        parse_mailbox(text)
    except InvalidEmail:
        return False
    return True
