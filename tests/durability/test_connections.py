"""Connections: every flow runs with one of them and no patience, and none is held by who waits or hashes."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from powauth import Passwords
from powauth.passwords import Hasher
from powauth.sqlite import SQLiteStore
from powauth.testing import Site
from tests.ci import STEP
from tests.durability.shop import (
    NEW_PASSWORD,
    ONE_CONNECTION,
    account_of,
    is_signed_in,
    shop,
    signed_in,
    signed_up,
)
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio

IMPATIENT = {"connect_args": {"timeout": 0}}


@asynccontextmanager
async def one_connection(url: str, **settings: Any) -> AsyncGenerator[House]:
    engine_settings: dict[str, Any] = {**ONE_CONNECTION, **(IMPATIENT if "sqlite" in url else {})}
    async with shop(url, engine_settings=engine_settings, **settings) as home:
        yield home


def taken(home: House) -> int:
    """Return how many connections of the application's pool are out."""
    return home.engine.pool.checkedout()  # type: ignore[attr-defined, no-any-return]


# ---- every flow ----


async def every_flow(home: House, site: Site, email: str) -> None:
    """Go through all that a person can do, from sign-up to the closed account."""

    async def post(path: str, status: int = 200, **fields: object) -> None:
        answer = await site.post(path, **fields)
        assert answer.status == status, (path, answer.text)

    await post("/sign-up", 201, email=email, username=email.split("@", maxsplit=1)[0], password=PASSWORD)
    assert (await site.get("/account")).status == 200
    await post("/sign-out", 204)
    await post("/sign-in", 401, email=email, password="wrong")
    await post("/sign-in", email=email, password=PASSWORD)
    await post("/prove", password=PASSWORD)
    await post("/account/profile", name="Ada")
    await post("/account/username", username=f"{email.split('@', maxsplit=1)[0]}-2", current_password=PASSWORD)
    await post("/account/password", current_password=PASSWORD, new_password=NEW_PASSWORD)
    await post("/account/email", email=f"new-{email}", current_password=NEW_PASSWORD)
    other = site.program()
    assert (await other.post("/sign-in", email=f"new-{email}", password=NEW_PASSWORD)).status == 200
    listed = (await site.get("/sessions")).json["sessions"]
    assert len(listed) == 2
    theirs = next(session["id"] for session in listed if not session["is_current"])
    await post(f"/sessions/{theirs}/end", 204)
    assert not await is_signed_in(other)
    await post("/sessions/end-others")
    await post("/account/close", 204, current_password=NEW_PASSWORD)
    assert await account_of(home, f"new-{email}") is None
    assert (await site.get("/session")).json["session"] is None
    assert taken(home) == 0


async def test_every_flow_runs_on_one_connection_without_patience(database_url: str) -> None:
    async with one_connection(database_url, identifiers=("email", "username")) as home:
        async with asyncio.timeout(60):
            await every_flow(home, home.site(accept="application/json"), "ada@example.com")


async def test_beside_a_sqlite_file_sessions_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    async with one_connection(f"sqlite+aiosqlite:///{tmp_path}/app.db") as home:
        assert isinstance(home.auth.plan.store, SQLiteStore)
        await signed_up(home)
        with closing(sqlite3.connect(tmp_path / "app.db-powauth-sessions.db")) as db:
            assert db.execute("SELECT count(*) FROM entries WHERE kind LIKE '%:session'").fetchone() == (1,)


async def test_many_people_go_every_way_at_once_on_one_connection(database_url: str) -> None:
    async with one_connection(database_url, identifiers=("email", "username")) as home, asyncio.timeout(120):
        await asyncio.gather(
            *(
                every_flow(
                    home, home.site(accept="application/json", client=f"10.0.1.{number}"), f"p{number}@example.com"
                )
                for number in range(6)
            )
        )


async def test_fifty_sign_ups_and_sign_ins_at_once_finish_on_one_connection(database_url: str) -> None:
    async with one_connection(database_url) as home:

        async def up_and_in(number: int) -> None:
            client = f"10.0.0.{number}"
            await signed_up(home, f"p{number}@example.com", client=client)
            site = await signed_in(home, f"p{number}@example.com", client=client)
            assert await is_signed_in(site)

        async with asyncio.timeout(120):
            await asyncio.gather(*(up_and_in(number) for number in range(50)))
        assert taken(home) == 0


# ---- nothing is held by who waits ----


class HeldHasher:
    """The hasher, which waits before its work until it is let go."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self.waiting = 0
        self.go = asyncio.Event()
        self._changed = asyncio.Condition()

    async def hash(self, password: str, *, client: str) -> str:
        await self._wait()
        return await self._hasher.hash(password, client=client)

    async def verify(self, password: str, hash: str | None, *, client: str) -> Any:
        await self._wait()
        return await self._hasher.verify(password, hash, client=client)

    def close(self) -> None:
        self._hasher.close()

    async def _wait(self) -> None:
        async with self._changed:
            self.waiting += 1
            self._changed.notify_all()
        await self.go.wait()

    async def until(self, number: int) -> None:
        """Wait until so many wait."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.waiting >= number)


def hold(home: House) -> HeldHasher:
    held = HeldHasher(home.auth.plan.hasher)
    object.__setattr__(home.auth.plan, "hasher", held)
    return held


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-up", {"email": "new@example.com", "password": PASSWORD}),
        ("/sign-in", {"email": "ada@example.com", "password": PASSWORD}),
        ("/sign-in", {"email": "nobody@example.com", "password": PASSWORD}),
        ("/prove", {"password": PASSWORD}),
        ("/account/password", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
        ("/account/email", {"email": "ada2@example.com", "current_password": PASSWORD}),
        ("/account/close", {"current_password": PASSWORD}),
    ],
)
async def test_nobody_holds_a_connection_while_hashing(database_url: str, path: str, fields: dict[str, object]) -> None:
    async with one_connection(database_url) as home, asyncio.timeout(60):
        site = await signed_up(home)
        if path in {"/sign-up", "/sign-in"}:
            site = site.program()
        held = hold(home)
        request = asyncio.create_task(site.post(path, **fields))
        await held.until(1)
        assert taken(home) == 0
        await account_of(home, "ada@example.com")  # whoever else needs the only connection gets it
        held.go.set()
        assert (await request).status in {200, 201, 204, 401}


async def test_sign_ins_that_wait_for_the_queue_hold_no_connection(database_url: str) -> None:
    async with one_connection(database_url) as home, asyncio.timeout(60):
        site = await signed_up(home)
        held = hold(home)
        browsers = [site.program(client=f"10.0.0.{number}") for number in range(20)]
        waiting = [
            asyncio.create_task(browser.post("/sign-in", email=f"p{number}@example.com", password="wrong"))
            for number, browser in enumerate(browsers)
        ]
        await held.until(len(waiting))
        assert taken(home) == 0
        assert (await site.get("/account")).status == 200
        held.go.set()
        assert {(await answer).status for answer in waiting} == {401}


async def test_a_full_queue_answers_503_while_signed_in_requests_go_on(database_url: str) -> None:
    slow = Passwords(memory=64 * 1024, time=8, threads=1, max_wait=timedelta(milliseconds=50))  # about a second each
    async with shop(database_url, passwords=slow) as home, asyncio.timeout(60):
        site = await signed_up(home)
        browsers = [site.program(client=f"10.0.0.{number}") for number in range(6)]
        tries = [
            asyncio.create_task(browser.post("/sign-in", email="ada@example.com", password=PASSWORD))
            for browser in browsers
        ]
        await asyncio.sleep(0.02)
        assert (await site.get("/account")).status == 200
        answers = await asyncio.gather(*tries)
        refused = [answer for answer in answers if answer.status == 503]
        assert refused
        assert all(int(answer.header("retry-after") or 0) >= 1 for answer in refused)
        assert not any(
            browser.cookie for browser, answer in zip(browsers, answers, strict=True) if answer.status != 200
        )
        assert (await site.get("/account")).status == 200


async def test_a_failed_hash_at_sign_up_leaves_no_account(database_url: str) -> None:
    async with shop(database_url) as home:
        home.auth.plan.hasher.close()
        answer = await home.site(accept="application/json").post("/sign-up", email="ada@example.com", password=PASSWORD)
        assert (answer.status, answer.header("retry-after")) == (503, "1")
        assert await account_of(home, "ada@example.com") is None


# ---- a request that is cut off gives back what it held ----


class CutOff:
    """Awaits a coroutine and calls something at its n-th suspension: what a server does when the client is gone."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int, cut: Callable[[], object]) -> None:
        self._coroutine = coroutine
        self._left = at
        self._cut = cut

    def __await__(self) -> Generator[Any, Any, Any]:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                waits = self._coroutine.throw(error) if error else self._coroutine.send(value)
            except StopIteration as stop:
                return stop.value
            value, error = None, None
            self._left -= 1
            if self._left == 0:
                self._cut()
            try:
                value = yield waits
            except BaseException as caught:  # noqa: BLE001  handed on
                error = caught


async def cancelled_once(request: Coroutine[Any, Any, Any], at: int) -> bool:
    """Cancel the request at that await; say whether it came to that."""
    task = asyncio.ensure_future(in_a_task(request, at))
    await asyncio.wait([task])
    return task.cancelled()


async def in_a_task(request: Coroutine[Any, Any, Any], at: int) -> None:
    task = asyncio.current_task()
    assert task
    await CutOff(request, at, task.cancel)


async def cancelled_for_good(request: Coroutine[Any, Any, Any], at: int) -> bool:
    """Cancel the request at that await and at every one after it, as a task group of AnyIO does."""
    with anyio.CancelScope() as scope:
        await CutOff(request, at, scope.cancel)
    return scope.cancelled_caught


@pytest.mark.parametrize("cancelled", [cancelled_once, cancelled_for_good])
@pytest.mark.parametrize("path", ["/sign-in", "/account/password"])
async def test_a_request_that_is_cancelled_at_any_await_gives_its_connection_back(
    database_url: str, path: str, cancelled: Callable[[Coroutine[Any, Any, Any], int], Awaitable[bool]]
) -> None:
    async with one_connection(database_url) as home, asyncio.timeout(120):
        at, is_cancelled = 0, True
        while is_cancelled:
            at += STEP
            email = f"p{at}@example.com"
            site = await signed_up(home, email, client=f"10.1.0.{at}")
            fields: dict[str, object] = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            if path == "/sign-in":
                site = site.program()
                fields = {"email": email, "password": PASSWORD}
            is_cancelled = await cancelled(site.post(path, **fields), at)
            async with asyncio.timeout(5):  # whoever comes next gets the only connection
                assert await account_of(home, email), at
            assert taken(home) == 0, at
        assert at > 10
