"""`powauth mail`: mails that are owed, sent and seen from a terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.shop import ADA, Shop

MAILER = """
import asyncio, pathlib

class Write:
    async def __call__(self, mail):
        pathlib.Path("begun").write_text("yes")
        await asyncio.sleep({seconds})
        if {is_down}:
            raise ConnectionError
        with pathlib.Path("sent").open("a") as sent:
            sent.write(f"{{mail.id}} {{mail.to}} {{bool(mail.html)}}\\n")
"""


@pytest.fixture
def mailing(make_shop: Callable[..., Shop]) -> Callable[..., Shop]:
    """Make a shop whose mails stand in a file."""

    def make(*, seconds: float = 0, is_down: bool = False, **settings: str) -> Shop:
        return make_shop(more=MAILER.format(seconds=seconds, is_down=is_down), mailer="Write()", **settings)

    return make


def sent(shop: Shop) -> list[list[str]]:
    path = shop.folder / "sent"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def test_what_is_due_is_sent_once_and_with_html(mailing: Callable[..., Shop]) -> None:
    shop = mailing()
    shop.create()
    assert shop.data("mail", "run", "--once") == {"sent": 1}
    assert shop.data("mail", "run", "--once") == {"sent": 0}
    assert [line[1:] for line in sent(shop)] == [[ADA, "True"]]


def test_a_list_shows_what_is_owed_and_nothing_of_what_it_says(mailing: Callable[..., Shop]) -> None:
    shop = mailing(is_down=True)
    assert shop.data("mail", "list") == []
    shop.create()
    (row,) = shop.data("mail", "list")
    assert (row["kind"], row["to"], row["attempts"]) == ("sign_up.welcome", ADA, 0)
    assert set(row) == {"id", "kind", "to", "attempts", "owed_at", "due_at"}
    assert shop.data("mail", "run", "--once") == {"sent": 0}
    (later,) = shop.data("mail", "list")
    assert (later["id"], later["attempts"]) == (row["id"], 1)
    assert later["due_at"] > row["due_at"]
    assert ADA in shop.run("mail", "list").output
    assert "more" in shop.run("mail", "list", "--limit", "1").output


@contextmanager
def running(shop: Shop) -> Generator["subprocess.Popen[str]"]:
    start = "from powauth.cli import main; main()"
    command = [sys.executable, "-c", start, "mail", "run", "--json", "--app", shop.app]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, cwd=shop.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path: Path) -> None:
    for _ in range(300):
        if path.exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{path.name} never came")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_sends_until_it_is_stopped_and_lets_arrive_what_is_on_its_way(
    mailing: Callable[..., Shop], number: signal.Signals
) -> None:
    shop = mailing(seconds=1)
    shop.create()
    with running(shop) as process:
        wait_for(shop.folder / "begun")
        process.send_signal(number)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert json.loads(out) == {"sent": 1}
    assert len(sent(shop)) == 1
    assert shop.data("mail", "list") == []


def test_one_that_is_killed_loses_nothing(mailing: Callable[..., Shop]) -> None:
    shop = mailing(seconds=30)
    shop.create()
    with running(shop) as process:
        wait_for(shop.folder / "begun")
        process.kill()
        process.communicate()
    (row,) = shop.data("mail", "list")
    assert (row["to"], row["attempts"]) == (ADA, 1)
