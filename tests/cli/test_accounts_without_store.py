"""`powauth accounts` while the server of the store does not answer."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests import servers
from tests.cli.shop import ADA, Shop

MakeShop = Callable[..., Shop]
OwnServer = Callable[[str], AbstractContextManager[servers.Server]]


def test_accounts_are_locked_and_closed_while_the_server_of_the_store_does_not_answer(
    make_shop: MakeShop, own_server: OwnServer
) -> None:
    quick = "timeout=__import__('datetime').timedelta(seconds=0.3)"
    store = f"__import__('powauth.redis').redis.RedisStore.from_url('redis://127.0.0.1:{{}}/0', {quick})"
    with own_server("valkey") as server:
        shop = make_shop(store=store.format(server.port))
        shop.create()
        shop.create("bob@example.com")
        shop.sign_in()
    result = shop.run("accounts", "lock", ADA)
    assert result.exit_code == 0, result.output
    assert "sessions ended: all, by the database alone" in result.output
    assert "the store does not answer; every process refuses the account's sessions within 10 seconds" in result.output
    again = shop.data("accounts", "lock", ADA)
    assert (again["state"], again["ended_sessions"]) == ("locked", None)
    assert shop.run("accounts", "close", "bob@example.com", "--yes").exit_code == 0
