"""The URL of a RedisStore is read strictly, says nothing of its password, and TLS is always verified."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from powauth.errors import ConfigurationError, StoreUnavailable
from powauth.redis import RedisStore
from powauth.redis.urls import Address, Kind, read
from powauth.testing.store_contract import KEY, value_of
from powauth.testing.store_races import later
from tests import servers
from tests.stores.road import Road


@pytest.mark.parametrize(
    ("url", "kind", "addresses", "database", "service"),
    [
        ("redis://localhost", "single", ["localhost:6379"], 0, ""),
        ("redis://:secret@10.0.0.1:7000/3", "single", ["10.0.0.1:7000"], 3, ""),
        ("valkeys://shop:secret@cache.example.com/", "single", ["cache.example.com:6379"], 0, ""),
        ("redis://[::1]:7000", "single", ["::1:7000"], 0, ""),
        ("unix:///run/redis.sock", "single", ["/run/redis.sock"], 0, ""),
        ("redis+sentinel://one,two:7001,[::2]/main", "sentinel", ["one:26379", "two:7001", "::2:26379"], 0, "main"),
        ("rediss+sentinel://shop:secret@one/main/2", "sentinel", ["one:26379"], 2, "main"),
        ("redis+cluster://one,two:7001", "cluster", ["one:6379", "two:7001"], 0, ""),
    ],
)
def test_one_url_for_a_server_for_sentinel_and_for_a_cluster(
    url: str, kind: Kind, addresses: list[str], database: int, service: str
) -> None:
    target = read(url)
    assert (target.kind, [str(one) for one in target.addresses]) == (kind, addresses)
    assert (target.database, target.service) == (database, service)
    assert target.login.tls == url.startswith(("rediss", "valkeys"))
    assert target.login.password == ("secret" if "secret" in url else None)


def test_user_and_password_may_have_any_characters_if_they_are_quoted() -> None:
    login = read("rediss://sh%40p:s%3A%2F%2C%23@host").login
    assert (login.username, login.password) == ("sh@p", "s:/,#")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://secret@host", "does not know 'http'"),
        ("secret", "does not know ''"),
        ("redis://", "cannot read"),
        ("redis://user@host", "cannot read"),
        ("redis://:secret@host:port", "cannot read"),
        ("redis://:secret@host/one", "cannot read"),
        ("redis://:secret@host/1/2", "cannot read"),
        ("redis://:secret@host#1", "cannot read"),
        ("redis://:secret@host, other", "cannot read|one address"),
        ("redis://:secret@one,two", "one address"),
        ("redis+sentinel://:secret@one,two", "watches by name"),
        ("redis+cluster://:secret@one/1", "no numbered databases"),
        ("rediss://:secret@host?ssl_cert_reqs=none", "does not know 'ssl_cert_reqs'"),
        ("redis://:secret@host?ca=/ca.pem", "without TLS"),
        ("unix://:secret@host/path", "cannot read"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_repeated(url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        RedisStore.from_url(url)
    assert "secret" not in str(caught.value)


def test_no_password_is_in_any_repr() -> None:
    url = "rediss+sentinel://shop:secret@one,two/main"
    assert "secret" not in repr(read(url)) + repr(RedisStore.from_url(url)) + repr(vars(RedisStore.from_url(url)))


@pytest.mark.parametrize("prefix", ["", "a b", "a{b}", "*", "a" * 65, "ä"])
def test_a_prefix_is_a_plain_word(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix"):
        RedisStore.from_url("redis://localhost", prefix=prefix)


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("10.0.0.1", False), ("localhost.example.com", False)],
)
def test_only_what_stays_on_the_machine_is_local(host: str, is_local: bool) -> None:  # noqa: FBT001  a table
    assert Address(host, 6379).is_local == is_local


# ---- TLS ----


@pytest.fixture
async def tls_road(redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """A server behind TLS, by the name of localhost: what follows the host in its URL, and its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    port, _, number = redis_url.rsplit(":", 1)[1].partition("/")
    road = Road(servers.HOST, int(port), tls=context)
    await road.mend()
    yield f":{road.port}/{number}", tmp_path / "ca.pem"
    await road.cut()


async def test_a_server_whose_certificate_holds_is_used(tls_road: tuple[str, Path]) -> None:
    rest, authority = tls_road
    store = RedisStore.from_url(f"rediss://localhost{rest}?ca={authority}", near_cache=True)
    await store.open()
    await store.put(KEY, b"value", expires_at=later())
    assert await value_of(store, KEY) == b"value"
    assert store.near_cache
    assert store.near_cache.holds(KEY)
    await store.close()


async def test_a_certificate_of_an_unknown_authority_is_refused(tls_road: tuple[str, Path]) -> None:
    with pytest.raises(ConfigurationError, match="certificate does not hold"):
        await RedisStore.from_url(f"rediss://localhost{tls_road[0]}").open()


async def test_a_certificate_of_another_name_is_refused(tls_road: tuple[str, Path]) -> None:
    rest, authority = tls_road
    with pytest.raises(ConfigurationError, match="certificate does not hold"):
        await RedisStore.from_url(f"rediss://127.0.0.1{rest}?ca={authority}").open()


async def test_a_server_that_speaks_no_tls_is_not_used_without(redis_url: str) -> None:
    with pytest.raises(StoreUnavailable):
        await RedisStore.from_url(redis_url.replace("redis://", "rediss://")).open()
