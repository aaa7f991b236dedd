"""A page tells load balancers and people whether the parts work."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from powauth import MemoryStore
from powauth.errors import StoreUnavailable
from powauth.extensions.health import Health
from powauth.health import examine
from powauth.stores import Entry, Key
from powauth.testing import FrozenClock, Site
from tests.house import House, all_extensions, house, sign_up, whole_house

pytestmark = pytest.mark.anyio


class Store(MemoryStore):
    """A store that is away, or takes its time, when it is told to be."""

    is_away = False
    is_slow = False

    async def get(self, key: Key) -> Entry | None:
        if self.is_slow:
            await asyncio.sleep(60)
        if self.is_away:
            raise StoreUnavailable
        return await super().get(key)


@pytest.fixture
def store() -> Store:
    return Store(FrozenClock())


@pytest.fixture
async def home(tmp_path: Path, store: Store) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house(), store=store) as opened:
        yield opened


@pytest.fixture
def site(home: House) -> Site:
    return home.site()


async def test_everything_works(site: Site) -> None:
    answer = await site.program().get("/health")
    parts = {name: {"is_well": True} for name in ("store", "database", "outbox", "hashing")}
    assert (answer.status, answer.json) == (200, {"is_well": True, "parts": parts})
    page = await site.get("/health")
    assert (page.status, "Everything works." in page.text) == (200, True)


async def test_a_store_that_is_away_makes_it_503_and_the_other_parts_are_told_apart(site: Site, store: Store) -> None:
    store.is_away = True
    answer = await site.program().get("/health")
    assert answer.status == 503
    assert {name: part["is_well"] for name, part in answer.json["parts"].items()} == {
        "store": False,
        "database": True,
        "outbox": True,
        "hashing": True,
    }
    assert "Something does not work." in (await site.get("/health")).text


async def test_a_store_that_does_not_answer_is_waited_for_two_seconds(home: House, store: Store) -> None:
    store.is_slow = True
    async with asyncio.timeout(10):
        state = await examine(home.auth.plan, home.auth.plan.single)
    part = {part.name: part for part in state.parts}["store"]
    assert (part.is_well, 1900 <= part.took < 5000) == (False, True)


async def test_a_database_that_is_away_is_found(home: House) -> None:
    async with home.engine.begin() as connection:
        await connection.execute(text("DROP TABLE powauth_outbox"))
    state = await examine(home.auth.plan, home.auth.plan.single)
    assert {part.name: part.is_well for part in state.parts} == {
        "store": True,
        "database": False,
        "outbox": False,
        "hashing": True,
    }


async def test_mails_that_nobody_sends_are_found(home: House) -> None:
    async with home.auth.begin() as ctx:
        await ctx.send_on_request(home.auth.plan.mail_kinds["reset_password.link"], identifier="ada@example.com")
    home.clock.move(timedelta(minutes=5))
    assert (await examine(home.auth.plan, home.auth.plan.single)).is_well
    home.clock.move(timedelta(minutes=11))
    outbox = (await examine(home.auth.plan, home.auth.plan.single)).parts[2]
    assert (outbox.name, outbox.is_well, outbox.waiting) == ("outbox", False, 1)


async def test_hashing_that_is_closed_is_found(site: Site, home: House) -> None:
    home.auth.plan.hasher.close()
    assert (await site.program().get("/health")).json["parts"]["hashing"] == {"is_well": False}


async def test_strangers_are_told_numbers_only_where_the_application_says_so(tmp_path: Path, site: Site) -> None:
    assert "took" not in (await site.program().get("/health")).text
    (tmp_path / "other").mkdir()
    async with house(tmp_path / "other", extensions=(*all_extensions(), Health(details=True))) as home:
        await sign_up(home.site())
        parts = (await home.site().program().get("/health")).json["parts"]
        assert parts["outbox"]["waiting"] == 0
        assert set(parts["store"]) == {"name", "is_well", "took", "waiting"}
