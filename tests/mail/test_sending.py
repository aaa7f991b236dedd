"""What the sender promises, whatever mailers, templates, hooks and strangers do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from powauth import (
    Account,
    Extension,
    Limit,
    LimitReached,
    Mail,
    MailFailed,
    MailKind,
    Manifest,
    NewAccount,
    Tenant,
    TenantsByHost,
    Undeliverable,
    on,
)
from powauth.context import Context
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.jinja import JinjaTemplates
from powauth.outbox import GIVE_UP_AFTER, LEASE, OutboxRecord, next_try
from powauth.sender import AT_ONCE, MOST_ATTEMPTS
from powauth.templates import MailView
from powauth.testing import Outbox
from tests.house import PASSWORD, House, house

pytestmark = pytest.mark.anyio

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
HELLO = MailKind(name="hello")
FEW = MailKind(name="few", limit=Limit(2, timedelta(hours=1)))
OPEN_ONLY = MailKind(name="open_only", for_whom=lambda account: account.is_confirmed)


class Letters(Extension):
    """Mails of several kinds, without pages."""

    name = "letters"

    def manifest(self) -> Manifest:
        """Return what it adds."""
        kinds = (HELLO, FEW, OPEN_ONLY)
        words = {f"{kind.name}.{part}": "{text}" for kind in kinds for part in ("subject", "body")}
        return Manifest(mails=kinds, messages=words)


@dataclass
class Moody(Outbox):
    """A mailer that does with some mails what it is told, by their text."""

    moods: dict[str, Exception | float] = field(default_factory=dict[str, Exception | float])
    begun: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        super().__init__()
        self._begins = asyncio.Event()

    async def has_begun(self, count: int) -> None:
        """Return when so many have been handed over."""
        while len(self.begun) < count:
            self._begins.clear()
            await self._begins.wait()

    async def __call__(self, mail: Mail) -> None:
        text = mail.parts.get("text", mail.kind)
        self.begun.append(text)
        self._begins.set()
        mood = self.moods.get(text)
        if isinstance(mood, Exception):
            raise mood
        if mood is not None:
            await asyncio.sleep(mood)
        await super().__call__(mail)

    @property
    def texts(self) -> list[str]:
        return [mail.parts["text"] for mail in self.mails]


@dataclass
class Office:
    """A house with letters to send."""

    home: House
    mailer: Moody
    heard: list[Any]

    async def account(self, email: str = ADA) -> Account:
        async with self.home.auth.begin() as ctx:
            return await ctx.accounts.add(NewAccount(email=email), now=ctx.now)

    async def owe(self, *texts: str, kind: MailKind = HELLO, to: Account | None = None, **more: Any) -> None:
        async with self.home.auth.begin() as ctx:
            account = to or await ctx.accounts.by_email(ADA)
            for text in texts:
                await ctx.send(kind, account=account, parts={"text": text}, **more)
                self.home.clock.move(timedelta(milliseconds=1))  # so that they have an order

    async def owe_on_request(self, identifier: str, text: str, kind: MailKind = HELLO) -> None:
        async with self.home.auth.begin() as ctx:
            await ctx.send_on_request(kind, identifier, parts={"text": text})
        self.home.clock.move(timedelta(milliseconds=1))

    async def send(self, templates: Any = None) -> int:
        return await self.home.auth.sender(templates).send_due()

    async def owed(self) -> list[OutboxRecord]:
        async with self.home.auth.begin(writes=False) as ctx:
            return list(await ctx.records(OutboxRecord).find(order=("due_at",)))


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncGenerator[Office]:
    mailer, heard = Moody(), list[Any]()

    async def hear(event: MailFailed | LimitReached, ctx: Context) -> None:
        heard.append(event)

    hooks = (on(MailFailed, hear), on(LimitReached, hear))
    extensions = (SignUp(), SignIn(), Letters())
    given: dict[str, Any] = {"mailer": mailer, "hooks": hooks, "extensions": extensions, **settings}
    async with house(folder, **given) as home:
        yield Office(home, mailer, heard)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncGenerator[Office]:
    async with opened(tmp_path) as office:
        await office.account()
        yield office


# ---- mailers that hang ----


async def test_a_mailer_that_hangs_on_one_mail_does_not_hold_up_the_others(office: Office) -> None:
    office.mailer.moods["slow"] = 2
    await office.owe("slow", "one", "two", "three")
    await office.send()
    assert office.mailer.texts == ["one", "two", "three", "slow"]


async def test_a_mailer_that_hangs_is_left_and_the_mail_is_tried_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("powauth.sender.LONGEST", timedelta(seconds=0.4))
    office.mailer.moods["slow"] = 3600
    await office.owe("slow")
    async with asyncio.timeout(20):
        assert await office.send() == 0
    del office.mailer.moods["slow"]
    office.home.clock.move(next_try(1))
    assert await office.send() == 1


async def test_mails_that_are_owed_meanwhile_leave_beside_those_that_hang(office: Office) -> None:
    office.mailer.moods |= {"slow": 3, "slower": 3}
    await office.owe("slow", "slower")
    sending = asyncio.create_task(office.send())
    async with asyncio.timeout(20):
        await office.mailer.has_begun(2)
        await office.owe("quick")
        await sending
    assert office.mailer.texts[0] == "quick"


async def test_no_more_than_a_few_are_on_their_way_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("powauth.sender.PATIENCE", 0.01)
    texts = [f"slow {number}" for number in range(AT_ONCE + 4)]
    office.mailer.moods |= dict.fromkeys(texts, 3600.0)
    await office.owe(*texts)
    sending = asyncio.create_task(office.send())
    async with asyncio.timeout(20):
        await office.mailer.has_begun(AT_ONCE)
        await asyncio.sleep(0.5)
    assert len(office.mailer.begun) == AT_ONCE
    monkeypatch.setattr("powauth.sender.GRACE", 0.01)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert len(await office.owed()) == len(texts)


async def test_mails_leave_in_the_order_in_which_they_are_owed(office: Office) -> None:
    texts = [f"{number}" for number in range(30)]
    await office.owe(*texts)
    await office.send()
    assert office.mailer.texts == texts


async def test_a_request_never_waits_for_a_mailer(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.mailer.moods["sign_up.welcome"] = 3600
    sending = asyncio.create_task(office.home.auth.sender().run())
    async with asyncio.timeout(5):
        for email in (BOB, EVE):
            site = office.home.site()
            site.deliver = nothing  # type: ignore[method-assign]
            assert (await site.post("/sign-up", email=email, password=PASSWORD)).status == 303
        await office.mailer.has_begun(1)
    monkeypatch.setattr("powauth.sender.GRACE", 0.01)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def nothing() -> None: ...


async def test_what_is_on_its_way_when_sending_is_stopped_arrives_and_is_marked(office: Office) -> None:
    office.mailer.moods["slow"] = 0.6
    await office.owe("slow")
    sending = asyncio.create_task(office.send())
    await office.mailer.has_begun(1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (office.mailer.texts, await office.owed()) == (["slow"], [])


# ---- who sends ----


@pytest.mark.parametrize("sends_mail", [True, False])
async def test_an_application_can_leave_sending_to_others(office: Office, tmp_path: Path, *, sends_mail: bool) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    async with opened(folder, sends_mail=sends_mail) as other, other.home.auth.lifespan():
        await other.account()
        await other.owe("hello")
        for _ in range(40 if sends_mail else 4):
            await asyncio.sleep(0.05)
            if other.mailer.mails:
                break
        assert bool(other.mailer.mails) == sends_mail


async def test_the_mails_of_one_tenant_do_not_hold_up_those_of_another(tmp_path: Path) -> None:
    tenants = {name: Tenant(name, f"https://{name}.example/auth") for name in ("first", "second")}
    by_host = TenantsByHost({f"{name}.example": tenant for name, tenant in tenants.items()})
    async with opened(tmp_path, tenant=by_host, base_url="https://first.example/auth") as office:
        for name, count in (("first", 50), ("second", 2)):
            async with office.home.auth.begin(tenant=tenants[name]) as ctx:
                account = await ctx.accounts.add(NewAccount(email=ADA), now=ctx.now)
                for number in range(count):  # each to another mailbox: one takes no more than thirty an hour
                    to = f"ada{number}@example.com"
                    await ctx.send(HELLO, account=account, to=to, parts={"text": name})
        await office.send()
    assert len(office.mailer.texts) == 52
    assert max(place for place, name in enumerate(office.mailer.texts) if name == "second") < 30


# ---- what goes wrong ----


async def test_a_mail_that_nobody_will_take_is_given_up_at_once_with_an_event(office: Office) -> None:
    office.mailer.moods["bad"] = Undeliverable("550")
    await office.owe("bad", "good")
    assert await office.send() == 1
    (event,) = office.heard
    assert (event.kind, event.parts) == ("letters.hello", {"text": "bad"})
    assert event.handle is not None
    assert await office.owed() == []


async def test_delays_grow_to_two_hours_and_end_after_two_days(office: Office) -> None:
    office.mailer.moods["bad"] = ConnectionError("down")
    await office.owe("bad")
    delays: list[timedelta] = []
    while True:
        await office.send()
        rows = await office.owed()
        if not rows:
            break
        delays.append(rows[0].due_at - office.home.clock.now())
        office.home.clock.move(delays[-1])
    assert delays[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert delays == sorted(delays)
    assert delays[-1] == timedelta(hours=2)
    assert GIVE_UP_AFTER <= sum(delays, timedelta()) <= GIVE_UP_AFTER + timedelta(hours=2)
    assert len(delays) <= MOST_ATTEMPTS / 2
    assert [event.kind for event in office.heard] == ["letters.hello"]


async def test_a_mail_whose_worker_always_dies_comes_back_ever_later_and_is_given_up(office: Office) -> None:
    await office.owe("deadly")
    sender, tenant = office.home.auth.sender(), office.home.auth.plan.single
    for attempt in range(MOST_ATTEMPTS):
        (row,) = await office.owed()
        assert await sender._lease(tenant, row)  # and then the worker dies
        (row,) = await office.owed()
        assert row.due_at - office.home.clock.now() == max(LEASE, next_try(attempt))
        office.home.clock.move(row.due_at - office.home.clock.now())
    assert await office.send() == 0
    assert (office.mailer.mails, await office.owed()) == ([], [])
    assert [event.kind for event in office.heard] == ["letters.hello"]


async def test_a_hook_that_fails_keeps_the_mail_and_holds_up_no_other(tmp_path: Path) -> None:
    async def fail(event: MailFailed, ctx: Context) -> None:
        raise RuntimeError

    async with opened(tmp_path, hooks=(on(MailFailed, fail),)) as office:
        await office.account()
        office.mailer.moods["bad"] = Undeliverable("550")
        await office.owe("bad", "good")
        assert await office.send() == 1
        (row,) = await office.owed()
        assert row.due_at == office.home.clock.now() + next_try(1)


@dataclass(frozen=True)
class Broken(JinjaTemplates):
    """The theme, with a mistake in its mails."""

    def with_folders(self, folders: Any) -> "Broken":
        return self

    def mail(self, view: MailView) -> tuple[str, str]:
        raise ZeroDivisionError


async def test_a_broken_template_loses_no_mail(office: Office) -> None:
    await office.owe("hello")
    assert await office.send(Broken()) == 0
    office.home.clock.move(next_try(1))
    assert await office.send(JinjaTemplates()) == 1


async def test_a_template_of_the_application_replaces_one_of_the_theme(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "letters" / "mails"
    folder.mkdir(parents=True)
    (folder / "hello.txt").write_text("Mine: {{ view.parts.text }}\n")
    (folder / "hello.html").write_text("<p>Mine: {{ view.parts.text }}</p>\n")
    await office.owe("<b>Eve</b>")
    await office.send(JinjaTemplates(tmp_path / "templates"))
    mail = office.mailer.last
    assert mail.text.strip() == "Mine: <b>Eve</b>"
    assert mail.html.strip() == "<p>Mine: &lt;b&gt;Eve&lt;/b&gt;</p>"


# ---- limits ----


async def test_strangers_can_order_no_more_of_a_kind_for_an_account_than_its_limit(office: Office) -> None:
    await office.account(BOB)
    for number in range(4):
        await office.owe_on_request(ADA, f"ada {number}", FEW)
    await office.owe("from within", kind=FEW)
    await office.owe_on_request(BOB, "bob", FEW)
    await office.owe("another kind")
    await office.send()
    assert sorted(office.mailer.texts) == ["ada 0", "ada 1", "another kind", "bob", "from within"]
    assert await office.owed() == []
    assert {event.limit for event in office.heard} == {"mail:letters.few"}
    office.home.clock.move(timedelta(hours=1))
    await office.owe_on_request(ADA, "an hour later", FEW)
    assert await office.send() == 1


async def test_an_address_that_is_no_account_s_yet_gets_no_more_than_the_limit(office: Office) -> None:
    for number in range(5):
        account = await office.account(f"p{number}@example.com")
        async with office.home.auth.begin() as ctx:
            await ctx.send(FEW, account=account, to=("Victim@example.com", "victim@example.com")[number % 2])
    await office.send()
    assert len(office.mailer) == 2


async def test_a_retry_counts_only_once(office: Office) -> None:
    office.mailer.moods["down"] = ConnectionError()
    await office.owe_on_request(ADA, "down", FEW)
    for _ in range(4):
        await office.send()
        office.home.clock.move(timedelta(minutes=10))
    office.mailer.moods.clear()
    await office.owe_on_request(ADA, "another", FEW)
    assert await office.send() == 2


async def test_who_asked_for_a_mail_to_nobody_costs_a_row_and_no_mail(office: Office) -> None:
    for identifier in ("stranger@example.com", "nobody", ""):
        await office.owe_on_request(identifier, "hello")
    assert len(await office.owed()) == 3
    assert await office.send() == 0
    assert (len(office.mailer), await office.owed()) == (0, [])


async def test_a_mail_on_request_goes_to_the_stored_address_and_not_to_the_typed_one(office: Office) -> None:
    await office.owe_on_request("ADA@EXAMPLE.COM".casefold(), "hello")
    await office.send()
    assert [mail.to for mail in office.mailer.mails] == [ADA]


async def test_a_kind_may_be_for_some_accounts_only_asked_as_it_is_sent(office: Office) -> None:
    await office.owe("hello", kind=OPEN_ONLY)
    await office.owe_on_request(ADA, "hello", OPEN_ONLY)
    assert (await office.send(), await office.owed()) == (0, [])


async def test_sending_stops_although_the_bell_rings_at_that_moment(office: Office) -> None:
    for _ in range(20):
        task = asyncio.create_task(office.home.auth.sender().run())
        for _turn in range(20):
            await asyncio.sleep(0.002)  # until it waits for the bell
        office.home.auth.plan.ring()
        await asyncio.sleep(0)
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()
    assert office.home.auth.plan.bells == []
