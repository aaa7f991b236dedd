"""PwnedPasswords: asks a list of breached passwords over HTTP, and tells it five digits of a SHA-1 and nothing else."""

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from urllib.parse import urlsplit

import httpx2

from powauth.passwords import NotAnswered
from powauth.services import certificate_problem, is_this_machine

LARGEST = 512 * 1024
"""Bytes of one answer. A padded one has about 1,000 lines of 40 bytes."""
PREFIX = re.compile(r"[0-9A-F]{5}")
LINE = re.compile(r"([0-9A-F]{35}):([0-9]{1,12})")
AGENT = re.compile(r"[!-~]([ -~]{0,198}[!-~])?")  # RFC 9110 §5.5, less what is obsolete


@dataclass(slots=True)
class Health:
    """How the list did."""

    failures: int = 0
    """How often it did not answer since the process began."""
    rests_until: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PwnedPasswords:
    """Have I Been Pwned's list, or a mirror that speaks as it does. `Passwords(breach=PwnedPasswords())`.

    What becomes of a password while it does not answer is `Passwords(breach_failure=…)`.
    """

    url: str = "https://api.pwnedpasswords.com/range/"
    """What stands before the five digits: https, or this machine."""
    timeout: timedelta = timedelta(seconds=3)
    """How long somebody who sets a password waits for the list, at most."""
    pause: timedelta = timedelta(seconds=10)
    """How long a list that did not answer is not asked again: nobody else waits for it in vain."""
    user_agent: str = "powauth"
    """How the application names itself: the list refuses who does not."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """For a mirror whose certificate is of an authority of your own; it has to check certificate and name."""
    now: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    """The clock of the pause, in seconds."""

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the settings, a sentence each. An `Auth` with this list refuses to start."""
        found = self._address_problems()
        if not timedelta(0) < self.timeout <= timedelta(seconds=30):
            found.append("timeout: more than nothing and at most 30 seconds: somebody waits for it")
        if not timedelta(0) <= self.pause <= timedelta(hours=1):
            found.append("pause: at most an hour, or breached passwords are taken for longer than the list is away")
        if not AGENT.fullmatch(self.user_agent):
            found.append("user_agent: 1 to 200 printable ASCII characters: the list refuses who does not say who asks")
        if problem := certificate_problem(self.ssl_context):
            found.append(problem)
        return tuple(found)

    def _address_problems(self) -> list[str]:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return ["url: write the whole address, as https://api.pwnedpasswords.com/range/"]
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            return ["url: it ends with the path that stands before the five digits, and holds no secret"]
        if not self.url.endswith("/"):
            return ["url: it has to end with a slash: five digits follow"]
        if parts.scheme == "http" and not is_this_machine(parts.hostname):
            return [f"url: {parts.hostname} is not this machine: use https, or anybody on the way answers in its place"]
        return []

    async def counts(self, prefix: str) -> Mapping[str, int]:
        """Return how often each password was breached whose SHA-1 begins with `prefix`, without padding.

        Raises `NotAnswered`.
        """
        if not PREFIX.fullmatch(prefix):
            raise ValueError("a prefix is five upper-case hexadecimal digits")
        if self.now() < self.health.rests_until:
            raise NotAnswered(f"{self._host} did not answer a moment ago")
        try:
            return _read(await self._get(prefix))
        except NotAnswered:
            self.health.failures += 1
            self.health.rests_until = self.now() + self.pause.total_seconds()
            raise

    async def _get(self, prefix: str) -> bytes:
        seconds = self.timeout.total_seconds()
        # Uncompressed: what is counted below is what is held, and nothing small unfolds into something large. Padding
        # hides from who watches the line how many passwords share the digits, and so which digits they are.
        headers = {"User-Agent": self.user_agent, "Add-Padding": "true", "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(seconds),
                httpx2.AsyncClient(verify=self._context, timeout=seconds, follow_redirects=False) as client,
                client.stream("GET", self.url + prefix, headers=headers) as answer,
            ):
                return await self._body(answer)
        except TimeoutError:
            raise NotAnswered(f"{self._host} took longer than {self.timeout}") from None
        except httpx2.HTTPError as error:  # without its text, which may hold the digits
            raise NotAnswered(f"{self._host}: {type(error).__name__}") from None

    async def _body(self, answer: httpx2.Response) -> bytes:
        if answer.status_code != 200:
            raise NotAnswered(f"{self._host} answered {answer.status_code}")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise NotAnswered(f"{self._host} answered in an encoding that was not asked for")
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > LARGEST:
                raise NotAnswered(f"{self._host} answered more than {LARGEST} bytes")
        return bytes(body)

    @cached_property
    def health(self) -> Health:
        """How the list did in this process."""
        return Health()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context() if self.ssl_context is None else self.ssl_context

    @property
    def _host(self) -> str:
        return str(urlsplit(self.url).hostname)


def _read(body: bytes) -> Mapping[str, int]:
    """Return the counts of an answer; what is padding, with the count 0, is left out. Raises `NotAnswered`."""
    found: dict[str, int] = {}
    for line in body.decode("ascii", "replace").split():
        entry = LINE.fullmatch(line.upper())
        if entry is None:  # a page of whoever stands in between: it must not pass for an empty list
            raise NotAnswered("the answer is no list of suffixes and counts")
        if int(entry[2]):
            found[entry[1]] = int(entry[2])
    return found
