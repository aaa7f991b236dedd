"""Two connections want the same thing at once: one gets it, on every engine; a naive twin shows the race."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from powauth.accounts import Account, Changes, NewAccount
from powauth.errors import Stale, Taken
from powauth.records import new_id
from powauth.testing.accounts_contract import NOW
from powauth.testing.backend import ACME
from powauth.testing.records_contract import SCHEMA, Note
from tests.sqlalchemy_adapter import models
from tests.sqlalchemy_adapter.models import App

Update = Callable[[App, Note, int], Awaitable[bool]]


@dataclass(frozen=True)
class Pair:
    """Two applications on one database: engines, pools and connections of their own."""

    url: str
    first: App
    second: App


@pytest.fixture
async def pair(url: str) -> AsyncIterator[Pair]:
    async with (
        models.app_on(url, models.with_uuid, SCHEMA) as first,
        models.app_on(url, models.with_uuid, SCHEMA) as second,
    ):
        yield Pair(url, first, second)


async def compare_and_set(app: App, note: Note, count: int) -> bool:
    try:
        async with app.unit() as unit:
            await unit.records(Note).update(note, count=count)
    except Stale:
        return False
    return True


def get_then_put(barrier: asyncio.Barrier) -> Update:
    async def update(app: App, note: Note, count: int) -> bool:
        async with app.unit(writes=False) as unit:
            found = await unit.records(Note).get(note.id)
        await barrier.wait()
        if found is None or found.version != note.version:
            return False
        async with app.unit() as unit:
            table = app.layout.record_table(SCHEMA, Note).table
            await models.transaction_of(unit).write(table.update().where(table.c.id == note.id).values(count=count))
        return True

    return update


async def race(pair: Pair, update: Update) -> int:
    """Let both read a row, then both update it; return how many were told that theirs was stored."""
    async with pair.first.unit() as unit:
        await unit.records(Note).add(Note(id="1"))
    barrier = asyncio.Barrier(2)

    async def contend(app: App, count: int) -> bool:
        async with app.unit(writes=False) as unit:
            note = await unit.records(Note).get("1")
        assert note
        await barrier.wait()
        return await update(app, note, count)

    return sum(await asyncio.gather(contend(pair.first, 1), contend(pair.second, 2)))


async def test_of_two_updates_of_one_state_exactly_one_is_stored(pair: Pair) -> None:
    assert await race(pair, compare_and_set) == 1


async def test_the_twin_that_gets_and_then_puts_stores_both(pair: Pair) -> None:
    assert await race(pair, get_then_put(asyncio.Barrier(2))) == 2


async def test_a_hundred_sign_ups_with_one_address_make_one_account(pair: Pair) -> None:
    async def add(app: App, spelling: str) -> Account | None:
        try:
            async with app.unit() as unit:
                return await unit.accounts.add(NewAccount(email=spelling), now=NOW)
        except Taken:
            return None

    spellings = ["ada@example.com", "ADA@example.com", "Ada@Example.com", "aDa@eXample.com"] * 25
    apps = [pair.first, pair.second] * 50
    made = await asyncio.gather(*(add(*each) for each in zip(apps, spellings, strict=True)))
    assert sum(account is not None for account in made) == 1
    async with pair.first.unit(writes=False) as unit:
        assert len(await unit.accounts.find()) == 1


async def test_epochs_are_counted_one_by_one(pair: Pair) -> None:
    async with pair.first.unit() as unit:
        ada = await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)

    async def raise_epoch(app: App) -> None:
        async with app.unit() as unit:
            await unit.accounts.lock(ada.handle)
            await unit.accounts.change(ada, Changes(raise_epoch=True))

    await asyncio.gather(*(raise_epoch(app) for app in [pair.first, pair.second] * 10))
    async with pair.first.unit(writes=False) as unit:
        assert (await unit.accounts.get(ada.id) or ada).epoch == 20


async def at_most_three(pair: Pair, *, lock: bool) -> int:
    """Let both add notes of one account as long as there are fewer than three; return how many there are then."""
    async with pair.first.unit() as unit:
        ada = await unit.accounts.add(NewAccount(email="ada@example.com"), now=NOW)
        for number in range(2):
            await unit.records(Note).add(Note(id=str(number), room=ada.handle))

    barrier = asyncio.Barrier(4)

    async def add(app: App) -> None:
        async with app.unit() as unit:
            if lock:
                await unit.accounts.by_email("ada@example.com")  # a snapshot that is old when the lock is given
                await unit.accounts.lock(ada.handle)
            if len(await unit.records(Note).find(where={"room": ada.handle})) < 3:
                await (asyncio.sleep(0.05) if lock or is_one_writer(pair) else barrier.wait())
                await unit.records(Note).add(Note(id=new_id(), room=ada.handle))

    await asyncio.gather(*(add(app) for app in [pair.first, pair.second] * 2))
    async with pair.first.unit(writes=False) as unit:
        return len(await unit.records(Note).find(where={"room": ada.handle}))


async def test_a_locked_account_guards_a_rule_across_rows(pair: Pair) -> None:
    assert await at_most_three(pair, lock=True) == 3


async def test_the_twin_without_the_lock_breaks_the_rule(pair: Pair) -> None:
    assert await at_most_three(pair, lock=False) == (3 if is_one_writer(pair) else 6)


def is_one_writer(pair: Pair) -> bool:
    return "sqlite" in pair.url  # a unit that writes holds the one write lock from its start


@pytest.mark.parametrize(("how", "stored"), [("compare-and-set", 1), ("get-then-put", 2)])
async def test_of_two_processes_exactly_one_stores(pair: Pair, how: str, stored: int, tmp_path: Path) -> None:
    async with pair.first.unit() as unit:
        await unit.records(Note).add(Note(id="1"))
    command = [sys.executable, "-m", "tests.sqlalchemy_adapter.contender", pair.url, how, str(tmp_path)]
    root = Path(__file__).parents[2]
    answers = await asyncio.gather(*(anyio.run_process([*command, str(number)], cwd=root) for number in (1, 2)))
    assert [answer.stdout.strip() for answer in answers].count(b"stored") == stored


async def test_a_deadlock_is_told_as_one(pair: Pair) -> None:
    if "sqlite" in pair.url:
        pytest.skip("SQLite has one write lock: whoever waits holds nothing")
    async with pair.first.unit() as unit:
        handles = [(await unit.accounts.add(NewAccount(username=name), now=NOW)).handle for name in ("ada", "grace")]
    barrier = asyncio.Barrier(2)

    async def lock_both(app: App, first: int) -> None:
        async with app.unit() as unit:
            await unit.accounts.lock(handles[first])
            await barrier.wait()
            await unit.accounts.lock(handles[1 - first])

    outcomes = await asyncio.gather(lock_both(pair.first, 0), lock_both(pair.second, 1), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Deadlocked", "NoneType"]


async def test_a_unit_that_reads_takes_no_lock(pair: Pair) -> None:
    reader = pair.second.database.unit(SCHEMA, ACME, writes=False)
    await reader.accounts.find()
    async with asyncio.timeout(5), pair.first.unit() as unit:
        await unit.accounts.add(NewAccount(username="ada"), now=NOW)
        await reader.accounts.find()
    await reader.rollback()


async def test_a_row_is_locked_only_until_its_unit_ends(pair: Pair) -> None:
    async with pair.first.unit() as unit:
        ada = await unit.accounts.add(NewAccount(username="ada"), now=NOW)
    for end in ("commit", "rollback"):
        unit = pair.first.database.unit(SCHEMA, ACME, writes=True)
        await unit.accounts.lock(ada.handle)
        waiting = asyncio.create_task(raised(pair.second, ada))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await getattr(unit, end)()
        async with asyncio.timeout(10):
            await waiting


async def raised(app: App, account: Account) -> None:
    async with app.unit() as unit:
        await unit.accounts.lock(account.handle)
