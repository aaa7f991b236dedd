"""Round trips per signed-in request: counted, not timed."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import Request

from benchmarks.ours import make_accounts, make_auth, make_engine, new_session
from benchmarks.people import address
from benchmarks.results import Result, Run, verdict
from powauth import MemoryStore
from powauth.starlette import current_account, current_session, current_user

READS = {"get", "list"}
WRITES = {"put", "add", "replace", "take", "delete", "increment", "delete_all"}


class CountingStore(MemoryStore):
    """A store in memory that counts how it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in READS | WRITES:
            self.counted["reads" if name in READS else "writes"] += 1
        return super().__getattribute__(name)


def trips(run: Run) -> Sequence[Result]:
    counts = asyncio.run(_count(run))
    expected = {"session": (1, 0, 0), "account": (1, 0, 1), "user": (1, 0, 1)}
    words = [f"{name}: {reads} + {writes} + {sql}" for name, (reads, writes, sql) in counts.items()]
    return [
        Result(
            what="round trips per signed-in request: store reads + store writes + SQL statements",
            bound="session: 1 + 0 + 0, account or user: 1 + 0 + 1",
            measured="; ".join(words),
            numbers="counted",
            holds=verdict(counts == expected),
        )
    ]


async def _count(run: Run) -> dict[str, tuple[int, int, int]]:
    store, engine = CountingStore(), make_engine(run.folder)
    auth, database = make_auth(engine, store)
    await database.create_tables()
    await make_accounts(auth)
    async with auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email(address(0))
    if account is None:
        raise LookupError(address(0))
    session = new_session(auth, account)
    await auth.plan.sessions("").start(session)
    cookie = f"{auth.plan.cookie_name('session')}={auth.plan.sessions('').secret(session)}"
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *said: statements.append(said[2]))

    async def ask(guard: Callable[..., Any], *more: object) -> tuple[int, int, int]:
        store.counted.clear()
        statements.clear()
        await guard(_request(cookie), *more)
        return store.counted["reads"], store.counted["writes"], len(statements)

    async with _session(engine) as db:
        counts = {
            "session": await ask(current_session(auth)),
            "account": await ask(current_account(auth)),
            "user": await ask(current_user(auth), db),
        }
    await auth.close()
    await engine.dispose()
    return counts


@asynccontextmanager
async def _session(engine: Any) -> AsyncGenerator[AsyncSession]:
    async with async_sessionmaker(engine)() as db:
        yield db


def _request(cookie: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie.encode())]})
