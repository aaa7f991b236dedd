"""The event log: a line of JSON for every event, without a table. What is in none stands in `test_secrets`. S68."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from powauth import Event, TokenRefused
from powauth.events import SessionStarted
from powauth.extensions.audit import event_log
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from tests.house import House, house

pytestmark = pytest.mark.anyio

ADA = {"email": "ada@example.com", "password": "four quiet green owls"}
NAMES = {"auth", "tenant", "id", "at", "event", "account", "actor", "behalf", "operator", "session", "client", "device"}


@pytest.fixture(autouse=True)
def all_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="powauth.events")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "powauth.events"]


async def test_a_sign_in_is_a_line_with_names_that_do_not_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path, extensions=(SignUp(), SignIn()), hooks=event_log()) as home:
        site = home.site()
        await site.post("/sign-up", **ADA)
        (line,) = [line for line in lines(caplog) if line["event"] == "signed_in"]
    assert set(line) == NAMES | {"details"}
    assert len(line["account"]) == 32
    assert line["client"] == "127.0.0.1"
    assert "ada@example.com" not in caplog.text


async def test_what_is_refused_is_a_warning_and_leaves_a_line_although_nothing_was_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path, extensions=(SignUp(), SignIn()), hooks=event_log(clients="network")) as home:
        await home.site().post("/sign-up", **ADA)
        stranger = home.site().browser(client="203.0.113.9")
        assert (await stranger.post("/sign-in", email="ada@example.com", password="nonsense")).status == 401
    (record,) = [record for record in caplog.records if "authentication_failed" in record.getMessage()]
    assert record.levelno == logging.WARNING
    assert json.loads(record.getMessage()) == record.__dict__["powauth"]
    assert record.__dict__["powauth"]["client"] == "203.0.113.0"


async def undone(home: House, event: Event) -> None:
    async with home.auth.begin() as ctx:
        await ctx.emit(event)
        raise RuntimeError


async def test_what_is_undone_leaves_no_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with house(tmp_path, extensions=(SignIn(),), hooks=event_log()) as home:
        with pytest.raises(RuntimeError):
            await undone(home, TokenRefused(kind="first"))
        async with home.auth.begin() as ctx:
            await ctx.emit(TokenRefused(kind="second"))
            assert lines(caplog) == []
    (line,) = lines(caplog)
    assert line["details"] == {"kind": "second"}


async def test_events_can_be_left_out_and_addresses_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = event_log(clients="none", leaves_out=(SessionStarted,))
    async with house(tmp_path, extensions=(SignUp(), SignIn()), hooks=log) as home:
        await home.site().post("/sign-up", **ADA)
    assert "signed_in" in {line["event"] for line in lines(caplog)}
    assert "session_started" not in {line["event"] for line in lines(caplog)}
    assert {line["client"] for line in lines(caplog)} == {""}
