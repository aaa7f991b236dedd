"""Known and unknown cost the same: counted always (S11), and by the clock where somebody asks for it (S13).

`make test-timing` runs the second half: 200 interleaved requests of each kind, with passwords hashed as by default. It
is no part of the suite, because a busy machine would make it fail.
"""

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import event

from powauth import Passwords
from powauth.asgi.raw import Message, Receive, Scope, Send
from powauth.passwords import Hasher
from powauth.testing import Answer, Site
from tests.house import PASSWORD, House, confirm, house, sign_up, whole_house

pytestmark = pytest.mark.anyio

ADA, EVE = "ada@example.com", "eve@example.com"
TIMES = 200
WARM_UP = 10
numbers = count()

Ask = Callable[[House, Site, bool], Awaitable[Answer]]


async def sign_in(_: House, site: Site, is_known: bool) -> Answer:  # noqa: FBT001  which of two is asked about
    return await site.post("/sign-in", email=ADA if is_known else EVE, password="seven loud purple crows")


async def make_account(_: House, site: Site, is_known: bool) -> Answer:  # noqa: FBT001  the same
    email = ADA if is_known else f"new{next(numbers)}@example.com"
    return await site.post("/sign-up", email=email, password=PASSWORD)


async def reset(_: House, site: Site, is_known: bool) -> Answer:  # noqa: FBT001  the same
    return await site.post("/reset-password", email=ADA if is_known else EVE)


async def send_again(_: House, site: Site, is_known: bool) -> Answer:  # noqa: FBT001  the same
    return await site.post("/confirm-email", email=ADA if is_known else EVE)


async def unlock(_: House, site: Site, is_known: bool) -> Answer:  # noqa: FBT001  the same
    return await site.post("/unlock", email=ADA if is_known else EVE)


REQUESTS: dict[str, Ask] = {"reset": reset, "send again": send_again, "unlock": unlock}
EVERYTHING: dict[str, Ask] = {"sign-in": sign_in, "sign-up": make_account, **REQUESTS}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=whole_house()) as opened:
        await settle(opened)
        yield opened


async def settle(home: House) -> None:
    await sign_up(home.site())
    await confirm(home.site())


class Still(Site):
    """A browser that lets no mail arrive, and notes when its answer does: what follows that is not seen."""

    answered_at = 0.0

    async def deliver(self) -> None:
        return

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        app = self._app

        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            async def note(message: Message) -> None:
                await send(message)
                self.answered_at = time.perf_counter()

            await app(scope, receive, note)

        self._app = noted
        try:
            return await super()._ask(method, path, headers, body)
        finally:
            self._app = app


def still(home: House) -> Still:
    """Return a browser at an address of its own, an hour later: no limit has anything to say."""
    home.clock.move(timedelta(hours=1))
    return Still(home.auth, accept="application/json", client=f"198.51.{next(numbers) % 250}.{next(numbers) % 250}")


@contextmanager
def counted(home: House) -> Generator[list[str]]:
    """Note every statement that the database is asked."""
    seen: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(home.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(home.engine.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize("what", REQUESTS)
async def test_a_request_for_a_mail_asks_the_database_the_same_for_everybody(home: House, what: str) -> None:
    """S11: it looks nobody up, and owes everybody the same row."""
    seen: list[list[str]] = []
    for is_known in (True, False):
        with counted(home) as statements:
            assert (await REQUESTS[what](home, still(home), is_known)).status == 204
        seen.append(list(statements))
    assert seen[0] == seen[1]
    assert not any("users" in statement for statement in seen[0])
    assert any("INSERT" in statement for statement in seen[0])


async def test_sign_up_hashes_once_and_writes_for_a_taken_address_as_for_a_free_one(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S11: a row is made for a taken address as well, and is gone again."""
    hashed: list[str] = []
    whole = Hasher.hash

    async def hash_(self: Hasher, password: str, *, client: str) -> str:
        hashed.append(client)
        return await whole(self, password, client=client)

    monkeypatch.setattr(Hasher, "hash", hash_)
    made: list[int] = []
    for is_known in (True, False):
        with counted(home) as statements:
            assert (await make_account(home, still(home), is_known)).status == 201
        made.append(sum("INSERT INTO powauth_outbox" in statement for statement in statements))
        assert any("INSERT INTO users" in statement for statement in statements)
    assert (len(hashed), made) == (2, [1, 1])


@pytest.mark.skipif(not os.environ.get("TIMING"), reason="a busy machine would make it fail: make test-timing")
@pytest.mark.parametrize("what", EVERYTHING)
async def test_known_and_unknown_take_the_same_time(tmp_path: Path, what: str) -> None:
    """S13: the medians differ by less than 3 ms, or by less than 5 %."""
    async with house(tmp_path, extensions=whole_house(), passwords=Passwords()) as home:
        await settle(home)
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(TIMES + WARM_UP):
            for is_known in (True, False) if number % 2 else (False, True):
                site = still(home)
                began = time.perf_counter()
                await EVERYTHING[what](home, site, is_known)
                times[is_known].append(site.answered_at - began)
        known, unknown = (median(times[is_known][WARM_UP:]) for is_known in (True, False))
        print(f"\n{what}: known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms")
        assert abs(known - unknown) < max(0.003, 0.05 * max(known, unknown))
