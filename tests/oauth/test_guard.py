"""No request of ours reaches what only we can reach, whoever wrote the address (S52, S57)."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from powauth.oauth import ForbiddenAddress, HttpRequest, Malformed, Network, TooBig, TooSlow, Unreachable, admit
from powauth.oauth.guard import Resolve, address_problem, is_public
from powauth.oauth.httpx2 import Httpx2
from tests.mail_servers import Posted, Script, certified, mail_service, scripted, trusting

pytestmark = pytest.mark.anyio

INSIDE = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8", "169.254.169.254"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::10.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
    *("fec0::1", "ff02::1", "3fff::1", "5f00::1"),
]
ODD = [
    *("https://0x7f.1/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://2130706433/"),
    *("https://127.0.0.1./", "https://id.example.com./", "https://1.2.3.4.5/", "https://8.8.8.08/", "https://a.0x10/"),
    *("https://[::ffff:127.0.0.1]/", "https://[::1%25lo]/", "https://[fe80::1%eth0]/", "https://[::1/", "https://::1/"),
    *("https://user@id.example.com/", "https://id.example.com:443@evil.example/", "https://:pw@id.example.com/"),
    *(
        "https://id.example.com\\@evil.example/",
        "https://id.example.com /",
        "https://id.exam\tple.com/",
        " https://a.b/",
    ),
    *("https://id.example.com/#a", "https://id.example.com#", "https://id.example.com:0/", "https://id.example.com:/"),
    *(
        "https://id.example.com:99999/",
        "https://id.example.com:x/",
        "https://%31%32%37.0.0.1/",
        "https://\uff11\uff12\uff17.0.0.1/",
    ),
    *(
        "https://\u0131d.example.com/",
        "https://localhost/",
        "https://metadata/",
        "https://-a.example/",
        "https://a..b/",
        "https:///",
    ),
    *(
        "//id.example.com/",
        "id.example.com",
        "",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://id.example.com/",
    ),
    *("http://id.example.com/", "HTTP://id.example.com/", "ftp://id.example.com/", f"https://{'a' * 254}.example/"),
    "https://id.example.com/\r\nHost: evil",
]


def knows(*addresses: str) -> Resolve:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


@pytest.mark.parametrize("address", INSIDE)
async def test_an_address_that_is_not_of_the_open_internet_is_refused_however_it_is_reached(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(ForbiddenAddress):
        await admit(f"https://{literal}/", Network.PUBLIC)
    with pytest.raises(ForbiddenAddress):
        await admit("https://id.example.com/", Network.PUBLIC, resolve=knows(address))
    with pytest.raises(ForbiddenAddress):  # one good address beside it does not help
        await admit("https://id.example.com/", Network.PUBLIC, resolve=knows("8.8.8.8", address))


@pytest.mark.parametrize("url", ODD)
@pytest.mark.parametrize("network", Network)
async def test_an_odd_spelling_is_refused(url: str, network: Network) -> None:
    if network is not Network.PUBLIC and url in {"https://localhost/", "https://metadata/"}:
        return
    assert address_problem(url, network)
    with pytest.raises(ForbiddenAddress):
        await admit(url, network, resolve=knows("8.8.8.8"))


async def test_an_address_of_the_open_internet_is_admitted_and_pinned() -> None:
    admitted = await admit("https://ID.Example.com/keys?a=1", Network.PUBLIC, resolve=knows("8.8.8.8", "2606:4700::1"))
    assert (admitted.host, admitted.port, admitted.target) == ("id.example.com", 443, "/keys?a=1")
    assert admitted.addresses == ["8.8.8.8", "2606:4700::1"]
    assert (await admit("https://8.8.8.8:8443", Network.PUBLIC)).authority == "8.8.8.8:8443"


async def test_a_name_that_nobody_knows_is_unreachable_and_one_without_addresses_refused() -> None:
    async def fails(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(Unreachable):
        await admit("https://id.example.com/", Network.PUBLIC, resolve=fails)
    with pytest.raises(ForbiddenAddress):
        await admit("https://id.example.com/", Network.PUBLIC, resolve=knows())
    with pytest.raises(ForbiddenAddress):
        await admit("https://id.example.com/", Network.PUBLIC, resolve=knows("fe80::1%eth0"))


async def test_a_private_network_is_reached_only_where_the_author_says_so_and_the_cloud_s_metadata_never() -> None:
    assert (await admit("https://idp/", Network.PRIVATE, resolve=knows("10.0.0.5"))).addresses == ["10.0.0.5"]
    with pytest.raises(ForbiddenAddress):
        await admit("http://idp/", Network.PRIVATE, resolve=knows("10.0.0.5"))
    inside = ("::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1")
    for metadata in (
        "169.254.169.254",
        "168.63.129.16",
        "fd00:ec2::254",
        "100.100.100.200",
        "fe80::1",
        "0.0.0.0",
        "224.0.0.1",
        *inside,
    ):
        with pytest.raises(ForbiddenAddress):
            await admit("https://idp.example.com/", Network.PRIVATE, resolve=knows(metadata))
        with pytest.raises(ForbiddenAddress):
            await admit(f"https://{f'[{metadata}]' if ':' in metadata else metadata}/", Network.PRIVATE)


async def test_this_machine_is_reached_only_where_the_author_says_so() -> None:
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert (await admit(f"http://{host}:8000/", Network.LOOPBACK)).port == 8000
        with pytest.raises(ForbiddenAddress):
            await admit(f"http://{host}:8000/", Network.PUBLIC)
    with pytest.raises(ForbiddenAddress):  # a name that an attacker points at this machine is not written so
        await admit("https://id.example.com/", Network.LOOPBACK, resolve=knows("127.0.0.1"))
    for elsewhere in ("10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1", "::127.0.0.1"):
        with pytest.raises(ForbiddenAddress):
            await admit("http://localhost/", Network.LOOPBACK, resolve=knows(elsewhere))
    with pytest.raises(ForbiddenAddress):
        await admit("http://id.example.com/", Network.LOOPBACK, resolve=knows("8.8.8.8"))


# ---- over the wire ----


@asynccontextmanager
async def service(status: str, body: str = "{}", asked: list[Posted] | None = None) -> AsyncGenerator[int]:
    def answer(posted: Posted) -> tuple[str, str]:
        if asked is not None:
            asked.append(posted)
        return status, body

    async with mail_service(answer) as port:
        yield port


def to(port: int, *, host: str = "127.0.0.1") -> HttpRequest:
    return HttpRequest(method="GET", url=f"http://{host}:{port}/keys", network=Network.LOOPBACK)


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    asked: list[Posted] = []
    async with service("302 Found\r\nLocation: http://127.0.0.1:1/secret", asked=asked) as port:
        assert (await Httpx2().send(to(port))).status == 302
    assert len(asked) == 1


async def test_what_is_sent_names_the_host_and_keeps_no_cookie() -> None:
    asked: list[Posted] = []
    http = Httpx2()
    async with service("200 OK\r\nSet-Cookie: a=b", asked=asked) as port:
        await http.send(to(port, host="localhost"))
        await http.send(to(port, host="localhost"))
    assert [posted.headers["host"] for posted in asked] == [f"localhost:{port}"] * 2
    assert not any("cookie" in posted.headers for posted in asked)


async def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with service("200 OK") as port:
        assert (await Httpx2().send(to(port))).status == 200


async def test_a_slow_provider_is_given_up_whole_and_by_drips() -> None:
    http = Httpx2(timeout=timedelta(milliseconds=200))
    for kind in ("STALL", "DRIP"):
        async with service(kind) as port:
            with pytest.raises(TooSlow):
                await http.send(to(port))


async def test_a_slow_name_is_given_up_too() -> None:
    async def slow(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(TooSlow):
        await Httpx2(resolve=slow, timeout=timedelta(milliseconds=100)).send(to(1, host="localhost"))


async def test_a_provider_that_hangs_up_or_is_not_there_is_unreachable() -> None:
    async with service("DROP") as port:
        with pytest.raises(Unreachable):
            await Httpx2().send(to(port))
    with pytest.raises(Unreachable):
        await Httpx2().send(to(port))


async def test_an_answer_may_have_so_many_bytes_and_no_more() -> None:
    async with service("200 OK", "x" * 1000) as port:
        assert len((await Httpx2(longest=1000).send(to(port))).body) == 1000
        with pytest.raises(TooBig):
            await Httpx2(longest=999).send(to(port))


async def test_a_packed_answer_that_nobody_asked_for_is_refused() -> None:
    async with service("200 OK\r\nContent-Encoding: gzip") as port:
        with pytest.raises(Malformed):
            await Httpx2().send(to(port))


async def test_an_endless_header_is_refused() -> None:
    async with service("200 OK\r\nX: " + "x" * 1_000_000) as port:
        with pytest.raises(Unreachable):
            await Httpx2().send(to(port))


async def test_the_connection_goes_where_the_guard_looked_and_the_name_is_not_looked_up_again() -> None:
    looked_up: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.0.0.1"]

    async with service("200 OK") as port:
        assert (await Httpx2(resolve=rebinding).send(to(port, host="localhost"))).status == 200
    assert looked_up == ["localhost"]


async def test_the_next_address_is_tried_where_the_first_takes_no_connection() -> None:
    async with service("200 OK") as port:
        assert (await Httpx2(resolve=knows("::1", "127.0.0.1")).send(to(port, host="localhost"))).status == 200


# ---- TLS ----


def says_yes(seen: list[str | None]) -> Script:
    async def script(reader: object, writer: object) -> None:
        await reader.readuntil(b"\r\n\r\n")  # type: ignore[attr-defined]
        seen.append("asked")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")  # type: ignore[attr-defined]
        await writer.drain()  # type: ignore[attr-defined]

    return script


def over_tls(port: int) -> HttpRequest:
    return HttpRequest(method="GET", url=f"https://localhost:{port}/keys", network=Network.LOOPBACK)


@pytest.mark.parametrize(
    ("name", "context", "is_trusted"),
    [
        ("localhost", trusting, True),
        ("other.example", trusting, False),
        ("127.0.0.1", trusting, False),  # the certificate is for the name that was asked for, not for where it led
        ("localhost", ssl.create_default_context, False),
    ],
)
async def test_a_certificate_has_to_hold_and_to_be_the_name_s(
    name: str,
    context: Callable[[], ssl.SSLContext],
    is_trusted: bool,  # noqa: FBT001
) -> None:
    seen: list[str | None] = []
    async with scripted(says_yes(seen), tls=certified(name)) as port:
        http = Httpx2(ssl_context=context(), resolve=knows("127.0.0.1"))
        if is_trusted:
            assert (await http.send(over_tls(port))).status == 200
        else:
            with pytest.raises(Unreachable):
                await http.send(over_tls(port))
    assert seen == (["asked"] if is_trusted else [])


def test_a_context_that_takes_anybody_s_certificate_is_refused() -> None:
    lax = ssl.create_default_context()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="anybody"):
        Httpx2(ssl_context=lax)
    lax.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="anybody"):
        Httpx2(ssl_context=lax)
