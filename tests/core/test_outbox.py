"""Mails are owed in the transaction that causes them, and sent by whoever leases them."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from powauth import Mail, NewAccount, on, sign_up
from powauth.context import Context
from powauth.events import MailFailed
from powauth.outbox import OutboxRecord
from powauth.testing import Outbox
from tests.house import PASSWORD, House, house

pytestmark = pytest.mark.anyio


class Broken(Outbox):
    """A mailer whose service is down."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = True

    async def __call__(self, mail: Mail) -> None:
        if self.is_down:
            raise ConnectionError
        await super().__call__(mail)


heard: list[MailFailed] = []


async def hear(event: MailFailed, ctx: Context) -> None:
    heard.append(event)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    heard.clear()
    async with house(tmp_path, mailer=Broken(), hooks=(on(MailFailed, hear),)) as opened:
        async with opened.auth.begin() as ctx:
            await sign_up(ctx, NewAccount(email="ada@example.com"), PASSWORD)
        yield opened


def mailer_of(home: House) -> Broken:
    mailer = home.auth.plan.mailer
    assert isinstance(mailer, Broken)
    return mailer


async def owed(home: House) -> int:
    async with home.auth.begin(writes=False) as ctx:
        return len(await ctx.records(OutboxRecord).find())


async def test_a_mail_that_could_not_be_sent_is_tried_again_later(home: House) -> None:
    sender = home.auth.sender()
    assert await sender.send_due() == 0
    mailer_of(home).is_down = False
    assert await sender.send_due() == 0
    home.clock.move(timedelta(seconds=31))
    assert await sender.send_due() == 1
    assert (mailer_of(home).kinds(), await owed(home)) == (["sign_up.welcome"], 0)


async def test_a_mail_that_cannot_be_sent_for_two_days_is_given_up_with_an_event(home: House) -> None:
    sender = home.auth.sender()
    for _ in range(40):
        await sender.send_due()
        home.clock.move(timedelta(hours=2, minutes=1))
    assert await owed(home) == 0
    assert [event.kind for event in heard] == ["sign_up.welcome"]


async def test_a_sent_mail_is_not_sent_again(home: House) -> None:
    mailer_of(home).is_down = False
    sender = home.auth.sender()
    assert [await sender.send_due(), await sender.send_due()] == [1, 0]


async def test_two_workers_send_one_mail_once(home: House) -> None:
    mailer_of(home).is_down = False
    one, other = home.auth.sender(), home.auth.sender()
    async with home.auth.begin(writes=False) as ctx:
        row = (await ctx.records(OutboxRecord).find())[0]
    tenant = home.auth.plan.single
    assert await one._send(tenant, row) is True
    assert await other._send(tenant, row) is False
    assert len(mailer_of(home)) == 1


async def test_a_worker_that_stalls_past_its_lease_loses_the_mail_to_another(home: House) -> None:
    sender = home.auth.sender()
    async with home.auth.begin(writes=False) as ctx:
        row = (await ctx.records(OutboxRecord).find())[0]
    assert await sender._lease(home.auth.plan.single, row) is not None
    mailer_of(home).is_down = False
    assert await sender.send_due() == 0
    home.clock.move(timedelta(minutes=3))
    assert await sender.send_due() == 1


async def test_a_mail_has_text_and_html_and_no_line_break_in_its_subject(home: House) -> None:
    mailer_of(home).is_down = False
    await home.auth.sender().send_due()
    mail = mailer_of(home).last
    assert mail.to == "ada@example.com"
    assert "\n" not in mail.subject
    assert "Example" in mail.text
