"""HttpMailer: posts each mail as JSON to a service, and says whether it is worth trying again."""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from urllib.parse import urlsplit

import httpx2

from powauth.http_mail.bodies import whole
from powauth.mail import Mail, NotSent, Undeliverable
from powauth.services import certificate_problem, is_this_machine

FOR_EVER = frozenset({400, 410, 413, 422})
"""Answers about the mail itself. Others, such as 401 and 404, say that the settings are wrong or the account with the
service is: those are mended, and the mails then leave."""
NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")  # RFC 9110 §5.5, less what is obsolete
OURS = frozenset({"authorization", "content-type", "content-length", "host"})


@dataclass(frozen=True, kw_only=True)
class HttpMailer:
    """Posts mails to a service. `Auth(mailer=HttpMailer(url="https://api.example.com/mails", token=…))`.

    A service that refuses the mail itself is believed: `Undeliverable`. Everything else is tried again.
    """

    url: str
    """Where mails are posted: https, or this machine."""
    token: str | None = field(default=None, repr=False)
    """Sent as `Authorization: Bearer …`."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Sent besides: for services that want their secret elsewhere, as in `{"X-Api-Key": …}`."""
    body: Callable[[Mail], object] = whole
    """What the service is told, as what JSON can hold: `whole`, `for_templates`, or a function of your own."""
    idempotency_header: str = "Idempotency-Key"
    """The header with the mail's id, the same however often it is sent: a service that knows it sends the mail once."""
    timeout: timedelta = timedelta(seconds=20)
    """How long the service may take for one mail."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """For a certificate of an authority of your own; it has to check the service's certificate and name."""

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings, a sentence each. An `Auth` with this mailer refuses to start."""
        found = self._address_problems()
        if self.token is not None and not VALUE.fullmatch(self.token):
            found.append("token: it has a line break or another character that no header may hold")
        for name, value in self.headers.items():
            if not NAME.fullmatch(name) or name.lower() in OURS:
                found.append(f"headers: {name!r} cannot be set here")
            if not VALUE.fullmatch(value):
                found.append(f"headers: the value of {name!r} has a character that no header may hold")
        if not NAME.fullmatch(self.idempotency_header):
            found.append(f"idempotency_header: {self.idempotency_header!r} is no name of a header")
        if not timedelta(0) < self.timeout <= timedelta(minutes=1):
            found.append("timeout: more than nothing and at most a minute, or one mail keeps others waiting")
        if problem := certificate_problem(self.ssl_context):
            found.append(problem)
        return tuple(found)

    def _address_problems(self) -> list[str]:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ["url: write the whole address, as https://api.example.com/mails"]
        if parts.username is not None or parts.password is not None:  # and do not repeat it
            return ["url: an address is written into logs: give the secret as token or in headers"]
        if parts.scheme == "http" and not is_this_machine(parts.hostname):
            return [f"url: {parts.hostname} is not this machine: use https, or anybody on the way can read links"]
        return []

    async def __call__(self, mail: Mail) -> None:
        """Send a mail. Raises `Undeliverable` when the service will never take it, and `NotSent` to be called again."""
        headers = {self.idempotency_header: mail.id, **self.headers}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        status = await self._post(headers, self.body(mail))
        if 200 <= status < 300:
            return
        kind = Undeliverable if status in FOR_EVER else NotSent
        raise kind(f"{self._host} answered {status}")  # and not what it said, which may repeat the mail with its link

    async def _post(self, headers: Mapping[str, str], body: object) -> int:
        """Return the status of the answer, whose body nobody reads."""
        seconds = self.timeout.total_seconds()
        try:
            async with (
                asyncio.timeout(seconds),
                httpx2.AsyncClient(verify=self._context, timeout=seconds) as client,
                client.stream("POST", self.url, headers=headers, json=body) as answer,
            ):
                return answer.status_code
        except TimeoutError:
            raise NotSent(f"{self._host} took longer than {self.timeout}") from None
        except httpx2.HTTPError as error:
            raise NotSent(f"{self._host}: {type(error).__name__}") from None

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context() if self.ssl_context is None else self.ssl_context

    @property
    def _host(self) -> str:
        return str(urlsplit(self.url).hostname)
