"""Two administrators who take each other's role at once, on every engine: one stays."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import pytest

from powauth import Context
from powauth.accounts import Account
from powauth.extensions.roles import LastOfItsKind, RoleRecord, Roles, operations, revoke
from powauth.units import persistently
from tests.house import House, all_extensions, house, let, sign_up

pytestmark = pytest.mark.anyio

PEOPLE = ("ada@example.com", "bob@example.com")


class Meeting:
    """Where both meet between looking and taking; whoever comes alone goes on after a moment."""

    def __init__(self) -> None:
        self._barrier = asyncio.Barrier(2)

    async def wait(self) -> None:
        with suppress(TimeoutError, asyncio.BrokenBarrierError):
            async with asyncio.timeout(0.5):
                await self._barrier.wait()


async def both_take(home: House) -> tuple[list[bool], int]:
    """Let each take the other's role; return who did, and how many are left."""

    async def take(email: str) -> bool:
        async def once() -> bool:
            async with home.auth.begin() as ctx:
                account = await ctx.accounts.by_email(email)
                assert account is not None
                return await revoke(ctx, account, "admin")

        try:
            return await persistently(once)
        except LastOfItsKind:
            return False

    taken = await asyncio.gather(*(take(email) for email in PEOPLE))
    async with home.auth.begin(writes=False) as ctx:
        return taken, len(await ctx.records(RoleRecord).find(where={"role": "admin"}))


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncGenerator[House]:
    async with house(tmp_path, url=database_url, extensions=(*all_extensions(), Roles())) as opened:
        for email in PEOPLE:
            await sign_up(opened.site(), email)
            await let(opened, email, "admin")
        yield opened


async def test_of_two_who_take_each_others_role_at_once_one_is_refused(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S65."""
    meeting, looked = Meeting(), operations._leave_somebody

    async def look_and_meet(ctx: Context, account: Account, role: str) -> None:
        await looked(ctx, account, role)
        await meeting.wait()

    monkeypatch.setattr(operations, "_leave_somebody", look_and_meet)
    taken, left = await both_take(home)
    assert (sorted(taken), left) == ([False, True], 1)


async def test_without_the_locks_both_would_be_gone(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race is one: the test above can fail."""
    if home.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time, from its first statement on")
    meeting = Meeting()

    async def look(ctx: Context, account: Account, role: str) -> None:
        others = await ctx.records(RoleRecord).find(where={"role": role})
        if all(row.account == account.handle for row in others):
            raise LastOfItsKind
        await meeting.wait()

    monkeypatch.setattr(operations, "_leave_somebody", look)
    assert await both_take(home) == ([True, True], 0)
