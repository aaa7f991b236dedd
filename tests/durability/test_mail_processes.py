"""Processes that send by SMTP: two at once send one mail once, and one that is killed loses none."""

import asyncio
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from powauth import NewAccount, operations
from powauth.outbox import LEASE, OutboxRecord
from tests.durability.shop import rows, shop
from tests.mail_servers import Delivered, MailServer, mail_server

pytestmark = pytest.mark.anyio

AFTER_LEASE = int(LEASE.total_seconds()) + 60


async def owe(url: str, count: int = 1) -> None:
    async with shop(url) as home:
        for number in range(count):
            async with home.auth.begin() as ctx:
                await operations.sign_up(ctx, NewAccount(email=f"p{number}@example.com", password_hash="x"))


async def owed(url: str) -> int:
    async with shop(url, create=False) as home:
        return len(await rows(home, OutboxRecord))


class Postman:
    """A process that sends."""

    def __init__(
        self, url: str, server: MailServer, folder: Path, *, worker: str, name: str = "", later: int = 1
    ) -> None:
        program = str(Path(__file__).with_name("postman.py"))
        self._command = [sys.executable, program, url, str(server.port), worker, str(folder), name, str(later)]
        self.process: asyncio.subprocess.Process | None = None

    async def work(self) -> int:
        """Return how many it sent; -1 if it was killed."""
        self.process = await asyncio.create_subprocess_exec(
            *self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        async with asyncio.timeout(60):
            out, errors = await self.process.communicate()
        if self.process.returncode == -9:
            return -1
        assert self.process.returncode == 0, errors.decode()[-3000:]
        return int(out)


def ids(server: MailServer) -> Counter[str]:
    return Counter(str(delivered.message["Message-ID"]) for delivered in server.delivered)


async def race(url: str, folder: Path, worker: str) -> list[int]:
    """Let two processes want the same mail at the same moment; return how often each mail arrived."""
    await owe(url)
    second = asyncio.Event()
    arrived: list[Delivered] = []

    async def together(delivered: Delivered) -> str:
        """Answer when the other has come as far: who is done first would forget the mail that the other makes."""
        arrived.append(delivered)
        if len(arrived) > 1:
            second.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(second.wait(), 6)
        return "250 taken"

    async with mail_server(security="none") as server:
        server.on_data = together
        both = [Postman(url, server, folder, worker=worker, name=name) for name in ("one", "other")]
        sent = await asyncio.gather(*(postman.work() for postman in both))
        times = list(ids(server).values())
        assert sum(sent) == sum(times)
    assert await owed(url) == 0
    return times


async def test_two_processes_send_one_mail_once(database_url: str, tmp_path: Path) -> None:
    assert await race(database_url, tmp_path, "fair") == [1]


async def test_the_twin_that_gets_and_then_puts_sends_it_again(database_url: str, tmp_path: Path) -> None:
    (times,) = await race(database_url, tmp_path, "naive")
    assert times >= 2


async def test_two_processes_share_many_mails(database_url: str, tmp_path: Path) -> None:
    await owe(database_url, 30)
    async with mail_server(security="none") as server:
        both = [Postman(database_url, server, tmp_path, worker="alone", name=name) for name in ("one", "other")]
        assert sum(await asyncio.gather(*(postman.work() for postman in both))) == 30
        assert list(ids(server).values()) == [1] * 30
    assert await owed(database_url) == 0


@pytest.mark.parametrize(("is_taken", "times"), [(True, 2), (False, 1)])
async def test_a_process_killed_while_it_sends_leaves_a_mail_that_is_sent_again_with_the_same_id(
    database_url: str, tmp_path: Path, *, is_taken: bool, times: int
) -> None:
    await owe(database_url)
    async with mail_server(security="none") as server:
        postman = Postman(database_url, server, tmp_path, worker="alone")

        async def kill(delivered: Delivered) -> str:
            assert postman.process
            if is_taken:
                server.delivered.append(delivered)
            postman.process.kill()
            return "451 nobody hears it"

        server.on_data = kill
        assert await postman.work() == -1
        server.on_data = None
        assert await owed(database_url) == 1
        assert await Postman(database_url, server, tmp_path, worker="alone").work() == 0  # leased to the dead one
        assert await Postman(database_url, server, tmp_path, worker="alone", later=AFTER_LEASE).work() == 1
        assert list(ids(server).values()) == [times]
    assert await owed(database_url) == 0
