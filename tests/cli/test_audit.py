"""`powauth audit`: what happened is listed, filtered and exported, by who works at the command line too."""

import csv
import getpass
import json
from collections.abc import Callable
from typing import Any

import pytest

from powauth import Auth, Handle
from powauth.events import SessionEnded, TokenRefused
from powauth.extensions.audit import operations
from tests.cli.shop import ADA, Shop

MakeShop = Callable[..., Shop]

AUDITED = {
    "extensions": "(SignUp(), SignIn(), ManageAccount(), Audit())",
    "more": "from powauth.extensions.audit import Audit",
}


@pytest.fixture
def shop(make_shop: MakeShop) -> Shop:
    made = make_shop(**AUDITED)
    made.create()
    return made


def many(shop: Shop, count: int) -> None:
    async def write(auth: Auth[Any]) -> None:
        async with auth.begin() as ctx:
            for number in range(count):
                await ctx.emit(TokenRefused(kind=f"kind {number}"))

    shop.work(write)


def test_who_works_at_the_command_line_is_written_down(shop: Shop) -> None:
    shop.run("accounts", "lock", ADA)
    (locked,) = shop.data("audit", "list", "--event", "locked")
    assert locked["by"] == getpass.getuser()
    assert locked["account"] == ADA


def test_the_list_is_for_people_and_has_the_newest_first(shop: Shop) -> None:
    shop.run("accounts", "lock", ADA)
    output = shop.run("audit", "list").stdout
    assert output.index("locked") < output.index("signed up" if "signed up" in output else "signed_up")
    assert ADA in output
    assert [row["event"] for row in shop.data("audit", "list", "--limit", "1")] == ["locked"]


def test_it_is_filtered_by_account_event_and_time(shop: Shop) -> None:
    shop.create("bob@example.com")
    many(shop, 2)
    shown = shop.data("audit", "list", "--account", "bob@example.com")
    assert {row["account"] for row in shown} == {"bob@example.com"}
    handle = shop.data("accounts", "show", ADA)["handle"]
    assert [row["account"] for row in shop.data("audit", "list", "--account", handle)] == [ADA]
    assert len(shop.data("audit", "list", "--event", "token_refused")) == 2
    assert shop.data("audit", "list", "--since", "2999-01-01") == []
    assert shop.data("audit", "list", "--until", "7d") == []
    assert len(shop.data("audit", "list", "--since", "12h", "--until", "2999-01-01T00:00+01:00")) == 4
    assert shop.data("audit", "list", "--client", "203.0.113.9") == []
    assert shop.data("audit", "list", "--actor", handle) == []


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--since", "yesterday", "wrong_type"),
        ("--until", "7x", "wrong_type"),
        ("--account", "nobody@example.com", "unknown_account"),
        ("--limit", "0", "out_of_range"),
    ],
)
def test_what_cannot_be_meant_is_told(shop: Shop, option: str, value: str, code: str) -> None:
    (told,) = shop.refusal("audit", "list", option, value)["errors"][option.removeprefix("--")]
    assert told["code"] == code


def test_an_erased_account_is_found_by_its_handle(shop: Shop) -> None:
    handle = shop.data("accounts", "show", ADA)["handle"]
    shop.run("accounts", "close", ADA, "--yes")
    shown = shop.data("audit", "list", "--account", handle)
    assert shown[0]["account"] == handle
    assert {"signed_up", "closed", "erased"} <= {row["event"] for row in shown}


def test_everything_is_exported_in_the_order_of_time_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    many(shop, 25)
    monkeypatch.setattr(operations, "BATCH", 10)
    lines = [json.loads(line) for line in shop.run("audit", "export").stdout.splitlines()]
    assert [line["details"].get("kind") for line in lines][1:] == [f"kind {number}" for number in range(25)]
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    rest = shop.run("audit", "export", "--after", lines[-3]["id"]).stdout.splitlines()
    assert [json.loads(line)["id"] for line in rest] == [line["id"] for line in lines[-2:]]
    assert len(shop.run("audit", "export", "--event", "token_refused").stdout.splitlines()) == 25
    assert shop.run("audit", "export", "--since", "2999-01-01").stdout == ""


def test_a_table_calculates_nothing_of_what_strangers_sent(shop: Shop) -> None:
    async def write(auth: Auth[Any]) -> None:
        async with auth.begin() as ctx:
            await ctx.emit(SessionEnded(handle=Handle("a" * 32), session="=cmd|' /C calc'!A0"))

    shop.work(write)
    output = shop.run("audit", "export", "--format", "csv").stdout
    head, *_, last = list(csv.reader(output.splitlines()))
    row = dict(zip(head, last, strict=True))
    assert row["event"] == "session_ended"
    assert row["session"] == "'=cmd|' /C calc'!A0"


def test_an_export_keeps_nobody_from_writing(shop: Shop) -> None:
    """It reads in units that give their connection back: a write in between does not wait."""

    async def both(auth: Auth[Any]) -> int:
        async with auth.begin() as ctx:
            for number in range(5):
                await ctx.emit(TokenRefused(kind=str(number)))
        seen = 0
        async with auth.begin(writes=False) as ctx:
            async for _ in operations.oldest(ctx, operations.Search(where={"event": "token_refused"})):
                seen += 1
                async with auth.begin() as other:
                    await other.emit(SessionEnded(handle=Handle("a" * 32), session="s"))
        return seen

    assert shop.work(both) == 5
