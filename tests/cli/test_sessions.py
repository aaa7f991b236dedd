"""`powauth sessions`: where somebody is signed in, seen and ended from a terminal."""

from collections.abc import Callable
from typing import Any

import pytest

from powauth import Auth
from tests.cli.shop import ADA, Shop

HEARD = """
heard = []

async def hear(event, ctx):
    import pathlib
    pathlib.Path("heard").write_text(event.session)
"""


def is_alive(shop: Shop, secret: str) -> bool:
    """Say whether a cookie still opens a session."""

    async def find(auth: Auth[Any]) -> bool:
        return (await auth.plan.sessions("").find(secret, "cookie")).session is not None

    alive: bool = shop.work(find)
    return alive


def secret_of(shop: Shop, session: Any) -> str:
    async def write(auth: Auth[Any]) -> str:
        return auth.plan.sessions("").secret(session)

    secret: str = shop.work(write)
    return secret


def test_sessions_on_redis_are_seen_and_ended(make_shop: Callable[..., Shop], valkey_url: str) -> None:
    shop = make_shop(store=f"__import__('powauth.redis', fromlist=['_']).RedisStore.from_url('{valkey_url}')")
    shop.create()
    secret = secret_of(shop, shop.sign_in())
    assert is_alive(shop, secret)
    assert len(shop.data("sessions", "list", ADA)) == 1
    shop.data("sessions", "end", ADA, "--all")
    assert not is_alive(shop, secret)


def test_a_list_shows_sessions_and_nothing_that_opens_them(shop: Shop) -> None:
    shop.create()
    session = shop.sign_in()
    secret = secret_of(shop, session)
    (row,) = shop.data("sessions", "list", ADA)
    assert (row["id"], row["factors"]) == (session.public_id, ["password"])
    for output in (shop.run("sessions", "list", ADA).output, shop.run("sessions", "list", ADA, "--json").output):
        assert session.public_id in output
        assert session.id not in output
        assert secret not in output


def test_ending_one_session_leaves_the_others(shop: Shop) -> None:
    shop.create()
    first, second = shop.sign_in(), shop.sign_in()
    assert shop.data("sessions", "end", ADA, first.public_id) == {"ended": [first.public_id]}
    assert [row["id"] for row in shop.data("sessions", "list", ADA)] == [second.public_id]
    assert not is_alive(shop, secret_of(shop, first))
    assert is_alive(shop, secret_of(shop, second))


def test_all_sessions_of_one_account_end_and_nobody_elses(shop: Shop) -> None:
    shop.create()
    shop.create("bob@example.com")
    shop.sign_in()
    shop.sign_in()
    bobs = shop.sign_in("bob@example.com")
    assert len(shop.data("sessions", "end", ADA, "--all")["ended"]) == 2
    assert shop.data("sessions", "list", ADA) == []
    assert is_alive(shop, secret_of(shop, bobs))


def test_another_accounts_session_cannot_be_ended_by_mistake(shop: Shop) -> None:
    shop.create()
    shop.create("bob@example.com")
    bobs = shop.sign_in("bob@example.com")
    assert shop.refusal("sessions", "end", ADA, bobs.public_id)["code"] == "no_session"
    assert is_alive(shop, secret_of(shop, bobs))


def test_hooks_hear_of_a_session_that_an_administrator_ends(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(more=f"from powauth.events import SessionEnded\n{HEARD}", hooks="[on(SessionEnded, hear)]")
    shop.create()
    session = shop.sign_in()
    shop.data("sessions", "end", ADA, "--all")
    assert (shop.folder / "heard").read_text() == session.public_id


@pytest.mark.parametrize("options", [(), ("an-id", "--all")])
def test_which_sessions_to_end_has_to_be_said(shop: Shop, options: tuple[str, ...]) -> None:
    shop.create()
    assert shop.run("sessions", "end", ADA, *options).exit_code == 2


@pytest.mark.parametrize("verb", [("list",), ("end", "--all")])
def test_an_account_that_nobody_has_is_told(shop: Shop, verb: tuple[str, ...]) -> None:
    assert shop.refusal("sessions", *verb, "nobody@example.com")["code"] == "no_account"


@pytest.mark.parametrize("verb", [("list",), ("end", "--all")])
def test_sessions_in_the_memory_of_another_process_are_out_of_reach(
    make_shop: Callable[..., Shop], verb: tuple[str, ...]
) -> None:
    shop = make_shop(store="MemoryStore()")
    shop.create()
    assert shop.refusal("sessions", *verb, ADA)["code"] == "out_of_reach"
