"""What is over stays over: after a restart, and on every kind of guard at once (S27, S70)."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth.clock import SystemClock
from powauth.errors import InvalidToken
from powauth.operations import close_account, lock_account, unlock_account
from powauth.sqlite import SQLiteStore
from powauth.starlette import current_account, current_session, current_user, install
from powauth.stores import Key, Store
from powauth.testing import FrozenClock, Site
from powauth.testing.contestants import Contestant
from tests.durability.shop import VOUCHER, account_of, is_signed_in, mint, shop, signed_in, signed_up
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio

ADA = "ada@example.com"


def carried(site: Site, home: House) -> Site:
    """Return the same browser, cookies and all, before another life of the application."""
    twin = home.site(accept=site.accept, client=site.client)
    twin.jar = dict(site.jar)
    return twin


async def test_a_restart_keeps_sessions_and_revives_none_that_was_ended(database_url: str) -> None:  # S70
    clock = FrozenClock()
    async with shop(database_url, clock=clock) as home:
        kept = await signed_up(home)
        ended = await signed_in(home)
        thrown_out = await signed_in(home)
        ended_jar = dict(ended.jar)
        assert (await ended.post("/sign-out")).status == 204
        ended.jar = ended_jar
        listed = (await kept.get("/sessions")).json["sessions"]
        theirs = next(session["id"] for session in listed if not session["is_current"])
        assert (await kept.post(f"/sessions/{theirs}/end")).status == 204
    async with shop(database_url, clock=clock, create=False) as home:
        assert (await carried(kept, home).get("/account")).status == 200
        for over in (ended, thrown_out):
            assert not await is_signed_in(carried(over, home))
            assert (await carried(over, home).get("/account")).status == 401


async def test_a_restart_revives_neither_expired_sessions_nor_expired_tokens(database_url: str) -> None:  # S70
    clock = FrozenClock()
    async with shop(database_url, clock=clock) as home:
        site = await signed_up(home)
        voucher = await mint(home, VOUCHER, ADA)
    clock.move(timedelta(minutes=31))
    async with shop(database_url, clock=clock, create=False) as home:
        assert not await is_signed_in(carried(site, home))
        assert (await carried(site, home).get("/account")).status == 401
        async with home.auth.begin(writes=False) as ctx:
            await ctx.tokens.peek(VOUCHER, voucher)
    clock.move(timedelta(days=1))
    async with shop(database_url, clock=clock, create=False) as home:
        assert (await home.site(accept="application/json").post("/redeem", voucher=voucher)).status == 400


async def test_a_restart_revives_no_token_that_was_used(database_url: str) -> None:  # S70
    async with shop(database_url) as home:
        site = await signed_up(home)
        voucher = await mint(home, VOUCHER, ADA)
        assert (await site.post("/redeem", voucher=voucher)).status == 200
    async with shop(database_url, create=False) as home:
        async with home.auth.begin() as ctx:
            with pytest.raises(InvalidToken):
                await ctx.tokens.take(VOUCHER, voucher)
        assert (await carried(site, home).post("/redeem", voucher=voucher)).status == 400


# ---- locked, closed, erased ----


@pytest.fixture
async def home(database_url: str) -> AsyncGenerator[House]:
    async with shop(database_url) as opened:
        yield opened


def application(home: House) -> Starlette:
    async def of_session(request: Request) -> JSONResponse:
        return JSONResponse((await current_session(home.auth)(request)).public_id)

    async def of_account(request: Request) -> JSONResponse:
        return JSONResponse((await current_account(home.auth)(request)).email)

    async def of_user(request: Request) -> JSONResponse:
        async with home.sessionmaker() as db:
            return JSONResponse((await current_user(home.auth)(request, db)).email)

    pages = {"/of-session": of_session, "/of-account": of_account, "/of-user": of_user}
    app = Starlette(routes=[Route(path, page) for path, page in pages.items()])
    install(app, home.auth)
    return app


GUARDS = ("/of-session", "/of-account", "/of-user")


async def end_by(home: House, how: str) -> None:
    async with home.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        assert account
        if how == "closed":
            await close_account(ctx, account)
        else:
            await lock_account(ctx, account.handle)


@pytest.mark.parametrize("how", ["locked", "closed"])
async def test_an_account_that_is_over_is_refused_at_once_by_every_guard(home: House, how: str) -> None:  # S27
    site = home.site(application(home), accept="application/json")
    assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).status == 201
    for path in GUARDS:
        assert (await site.get(path)).status == 200
    await end_by(home, how)
    for path in GUARDS:
        assert (await site.get(path)).status == 401
    assert not await is_signed_in(site)


async def test_unlocking_brings_no_session_back(home: House) -> None:
    site = await signed_up(home)
    account = await account_of(home, ADA)
    assert account
    await end_by(home, "locked")
    async with home.auth.begin() as ctx:
        await unlock_account(ctx, account.handle)
    assert not await is_signed_in(site)
    assert (await site.get("/account")).status == 401


@pytest.mark.parametrize("how", ["locked_at", "closed_at", "epoch", "gone"])
async def test_a_row_that_was_changed_by_hand_is_refused_by_who_reads_it(home: House, how: str) -> None:  # S27
    site = home.site(application(home), accept="application/json")
    assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).status == 201
    async with home.sessionmaker() as db:
        if how == "gone":
            await db.delete(await db.get_one(home.user, await user_id(home)))
        else:
            value = 5 if how == "epoch" else home.clock.now()
            await db.execute(update(home.user).values({how: value}))
        await db.commit()
    for path in ("/of-user", "/of-account"):
        assert (await site.get(path)).status == 401
    assert (await site.get("/of-session")).status == 401  # the first who read the row ended the session


async def user_id(home: House) -> object:
    async with home.sessionmaker() as db:
        return (await db.execute(select(home.user.id))).scalar_one()


# ---- two processes, one file ----


async def start(store: Store, handle: str, id: str) -> None:
    await store.put(Key("s", handle, id), b"1", expires_at=SystemClock().now() + timedelta(hours=1))


async def is_there(store: Store, handle: str, id: str) -> bool:
    return await store.get(Key("s", handle, id)) is not None


async def end_all(store: Store, handle: str) -> int:
    return await store.delete_all("s", handle)


async def start_many(store: Store, handle: str, prefix: str) -> None:
    for number in range(200):
        await start(store, handle, f"{prefix}{number}")


async def count(store: Store, handle: str) -> int:
    return len(await store.list("s", handle))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[Contestant, Contestant, Callable[[], Store]]]:
    make: Callable[[], Store] = partial(SQLiteStore, tmp_path / "store.db")
    first, second = Contestant(), Contestant()
    first.open(make)
    second.open(make)
    yield first, second, make
    first.end()
    second.end()


async def test_what_one_process_ends_is_over_in_the_other_at_once(
    processes: tuple[Contestant, Contestant, Callable[[], Store]],
) -> None:
    first, second, _ = processes
    for number in range(25):
        await asyncio.to_thread(first.do, start, "ada", str(number))
        assert await asyncio.to_thread(second.do, is_there, "ada", str(number))
        assert await asyncio.to_thread(second.do, end_all, "ada") == 1
        assert not await asyncio.to_thread(first.do, is_there, "ada", str(number))


async def test_a_process_that_is_killed_amid_its_writes_loses_nothing_that_it_acknowledged(
    processes: tuple[Contestant, Contestant, Callable[[], Store]],
) -> None:
    first, second, make = processes
    first.begin(start_many, "ada", "a")
    second.begin(start_many, "ada", "b")
    await asyncio.to_thread(second.finish)
    await asyncio.to_thread(first.finish)
    first.begin(start_many, "grace", "c")
    await asyncio.sleep(0.01)
    await asyncio.to_thread(first.kill)
    third = Contestant()
    third.open(make)
    assert await asyncio.to_thread(third.do, count, "ada") == 400
    assert await asyncio.to_thread(second.do, end_all, "ada") == 400
    assert await asyncio.to_thread(third.do, count, "ada") == 0
    third.end()


async def test_two_applications_on_one_sqlite_file_see_each_others_sessions(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/app.db"
    async with shop(url) as first, shop(url, clock=first.clock) as second:
        site = await signed_up(first)
        assert (await carried(site, second).get("/account")).status == 200
        assert (await carried(site, second).post("/sign-out")).status == 204
        assert (await site.get("/account")).status == 401
    with closing(sqlite3.connect(tmp_path / "app.db-powauth-sessions.db")) as db:
        kinds = {kind for (kind,) in db.execute("SELECT kind FROM entries")}
        assert not any(kind.endswith(":session") for kind in kinds)
