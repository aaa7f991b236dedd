"""The list of breached passwords, against a real HTTP server on this machine: S7."""

import asyncio
import gzip
import hashlib
import logging
import ssl
import tracemalloc
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import Context, Event, Passwords, on
from powauth.events import BreachLookupFailed
from powauth.http_breaches import PwnedPasswords
from powauth.passwords import BreachLookup, NotAnswered, breach
from tests.house import PASSWORD, House, house, sign_up
from tests.mail_servers import HOST, certified, scripted, trusting

pytestmark = pytest.mark.anyio

OWLS = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
OTHERS = [hashlib.sha1(f"other {n}".encode(), usedforsecurity=False).hexdigest()[5:].upper() for n in range(800)]


def body(count: int) -> bytes:
    """Return what the list answers: this password so often, and eight hundred that are padding."""
    return "\r\n".join([f"{OWLS[5:]}:{count}", *(f"{suffix}:0" for suffix in OTHERS)]).encode()


@dataclass
class Service:
    """A list that answers what the test wants."""

    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    status: str = "200 OK"
    more: str = ""
    body: bytes = field(default_factory=lambda: body(7))
    stalls: bool = False
    repeats: int = 1


@asynccontextmanager
async def serving(known: Service, *, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        known.asked.append(head[0])
        known.headers.append({n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:]) if n})
        if known.stalls:
            await asyncio.sleep(3600)
        length = len(known.body) * known.repeats
        writer.write(f"HTTP/1.1 {known.status}\r\nContent-Length: {length}\r\n{known.more}\r\n".encode())
        for _ in range(known.repeats):
            writer.write(known.body)
            await writer.drain()

    async with scripted(script, tls=tls) as port:
        yield port


@pytest.fixture
async def service() -> AsyncGenerator[Service]:
    known = Service()
    async with serving(known) as port:
        known.url = f"http://{HOST}:{port}/range/"
        yield known


async def test_a_breached_password_is_found_and_five_digits_leave(service: Service) -> None:
    lookup = PwnedPasswords(url=service.url, user_agent="shop")
    assert await breach.count(PASSWORD, lookup) == 7
    assert service.asked == [f"GET /range/{OWLS[:5]} HTTP/1.1"]
    assert OWLS[5:] not in str(service.headers)
    assert service.headers[0]["add-padding"] == "true"
    assert service.headers[0]["user-agent"] == "shop"


async def test_padding_is_no_breach_and_takes_no_room(service: Service) -> None:
    service.body = body(0)
    lookup = PwnedPasswords(url=service.url)
    assert await lookup.counts(OWLS[:5]) == {}
    assert await breach.problems(PASSWORD, lookup) == []


async def test_no_prefix_but_five_digits_is_asked_for(service: Service) -> None:
    for prefix in (OWLS, "5baa6", "../..", ""):
        with pytest.raises(ValueError, match="five"):
            await PwnedPasswords(url=service.url).counts(prefix)
    assert service.asked == []


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Elsewhere", "400 No", "404 No", "429 Slow", "503 No"]
)
async def test_another_answer_is_none_and_nobody_is_followed_elsewhere(service: Service, status: str) -> None:
    service.status, service.more = status, f"Location: {service.url}00000\r\n"
    with pytest.raises(NotAnswered, match=status[:3]):
        await PwnedPasswords(url=service.url).counts("00000")
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "says", [b"<html>Sign in to this network</html>", f"{OWLS[5:]}:many".encode(), OWLS.encode() + b":1", b"\xff:1"]
)
async def test_what_is_no_list_does_not_pass_for_an_empty_one(service: Service, says: bytes) -> None:
    service.body = says
    with pytest.raises(NotAnswered):
        await PwnedPasswords(url=service.url).counts(OWLS[:5])


async def test_an_answer_without_end_fills_no_memory(service: Service) -> None:
    service.body, service.repeats = b"0" * 65536, 2000  # 128 MiB
    tracemalloc.start()
    try:
        with pytest.raises(NotAnswered, match="more than"):
            await PwnedPasswords(url=service.url).counts("00000")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


async def test_an_answer_that_unfolds_is_not_unfolded(service: Service) -> None:
    service.body, service.more = gzip.compress(b"0" * 50_000_000), "Content-Encoding: gzip\r\n"
    with pytest.raises(NotAnswered, match="encoding"):
        await PwnedPasswords(url=service.url).counts("00000")
    assert service.headers[0]["accept-encoding"] == "identity"


async def test_a_list_that_stalls_or_is_not_there_is_waited_for_no_longer_than_is_set(service: Service) -> None:
    service.stalls = True
    with pytest.raises(NotAnswered, match="longer"):
        await PwnedPasswords(url=service.url, timeout=timedelta(seconds=0.2)).counts("00000")
    with pytest.raises(NotAnswered, match="ConnectError"):
        await PwnedPasswords(url=f"http://{HOST}:1/").counts("00000")


async def test_after_a_failure_nobody_waits_for_it_in_vain_for_a_while(service: Service) -> None:
    time = [100.0]
    lookup = PwnedPasswords(url=service.url, pause=timedelta(seconds=10), now=lambda: time[0])
    service.status = "503 No"
    with pytest.raises(NotAnswered):
        await lookup.counts("00000")
    service.status = "200 OK"
    with pytest.raises(NotAnswered, match="a moment ago"):
        await lookup.counts("00000")
    assert (len(service.asked), lookup.health.failures) == (1, 1)
    time[0] += 10
    assert await lookup.counts(OWLS[:5]) == {OWLS[5:]: 7}


async def test_its_certificate_is_looked_at() -> None:
    known = Service()
    async with serving(known, tls=certified()) as port:
        url = f"https://{HOST}:{port}/range/"
        with pytest.raises(NotAnswered):
            await PwnedPasswords(url=url).counts(OWLS[:5])
        assert known.asked == []
        assert await PwnedPasswords(url=url, ssl_context=trusting()).counts(OWLS[:5]) == {OWLS[5:]: 7}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"url": "lists.example.com/range/"}, "whole address"),
        ({"url": "http://lists.example.com/range/"}, "use https"),
        ({"url": "https://me:key@lists.example.com/range/"}, "no secret"),
        ({"url": "https://lists.example.com/range"}, "slash"),
        ({"timeout": timedelta(minutes=1)}, "30 seconds"),
        ({"timeout": timedelta(0)}, "30 seconds"),
        ({"pause": timedelta(hours=2)}, "an hour"),
        ({"user_agent": ""}, "who asks"),
        ({"user_agent": "a\r\nX: y"}, "who asks"),
        ({"ssl_context": ssl._create_unverified_context()}, "anybody's certificate"),  # noqa: S323  what is refused
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_start(settings: dict[str, Any], problem: str) -> None:
    (found,) = Passwords(breach=PwnedPasswords(**settings)).problems()
    assert problem in found


def test_settings_that_can_be_meant_are_not() -> None:
    assert Passwords(breach=PwnedPasswords()).problems() == ()
    assert Passwords(breach=PwnedPasswords(url="http://localhost:8080/range/")).problems() == ()


# ---- in an application ----


@asynccontextmanager
async def asking(folder: Path, lookup: BreachLookup, heard: list[Event], **settings: Any) -> AsyncGenerator[House]:
    async def hear(event: BreachLookupFailed, ctx: Context) -> None:
        heard.append(event)

    passwords = Passwords(memory=64, time=1, breach=lookup, **settings)
    async with house(folder, passwords=passwords, hooks=[on(BreachLookupFailed, hear)]) as open_:
        yield open_


async def test_nobody_sets_a_breached_password(tmp_path: Path, service: Service) -> None:
    async with asking(tmp_path, PwnedPasswords(url=service.url), []) as home:
        answer = await home.site().post("/sign-up", email="ada@example.com", password=PASSWORD)
        assert answer.status == 422
        assert "data breach" in answer.text


@pytest.mark.parametrize(("policy", "status"), [("pass", 303), ("refuse", 503)])
async def test_what_a_list_that_is_away_means_is_a_setting_and_is_announced(
    tmp_path: Path, service: Service, policy: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Event] = []
    service.status = "503 No"
    async with asking(tmp_path, PwnedPasswords(url=service.url), heard, breach_failure=policy) as home:
        with caplog.at_level(logging.WARNING, logger="powauth"):
            answer = await home.site().post("/sign-up", email="ada@example.com", password=PASSWORD)
    assert answer.status == status
    assert heard == [BreachLookupFailed(passed=policy == "pass")]
    assert "did not answer" in caplog.text
    assert OWLS[:5] not in caplog.text


async def test_no_connection_is_held_while_the_list_is_asked(tmp_path: Path) -> None:
    """One connection, and it is free while somebody waits for the list."""
    held: list[Sequence[str]] = []

    class Watching:
        async def counts(self, prefix: str) -> dict[str, int]:
            held.append([] if home.engine.pool.checkedout() == 0 else ["held"])  # type: ignore[attr-defined]
            return {}

    async with asking(tmp_path, Watching(), []) as home:
        site = home.site()
        await sign_up(site)
        answer = await site.post("/account/password", current_password=PASSWORD, new_password=f"{PASSWORD} more")
        assert answer.status == 303, answer.text
    assert held == [[], []]
