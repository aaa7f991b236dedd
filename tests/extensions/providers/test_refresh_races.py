"""Several want what has run out at once: one asks the provider. The twin that gets and then puts is taken for a thief.

Two houses on one address share nothing but what lasts: engines, pools and connections are their own.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from powauth.context import Context
from powauth.errors import Unavailable
from powauth.extensions.providers import ConnectAgain, NoAnswer, kept_tokens, tokens_for
from powauth.extensions.providers.records import TokensRecord
from powauth.oauth import TooSlow
from powauth.units import begin, persistently
from tests.durability.test_races import Meeting
from tests.extensions.providers.fake import Fake, enter
from tests.extensions.providers.keeping import give, keeping, kept, run_out, signed_up, tokens
from tests.house import House, sign_up

pytestmark = pytest.mark.anyio

Two = tuple[House, House]


@asynccontextmanager
async def two(folder: Path, url: str, fake: Fake) -> AsyncGenerator[Two]:
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        first = await stack.enter_async_context(keeping(folder, fake, url=url))
        yield first, await stack.enter_async_context(keeping(folder, fake, url=url, clock=first.clock))


async def ask_at_once(homes: Two, times: int) -> list[str]:
    """Ask from both houses in turn, and return what each is told."""

    async def ask(home: House) -> str:
        try:
            return (await tokens(home)).access_token
        except ConnectAgain as error:
            return error.reason

    return sorted(await asyncio.gather(*(ask(homes[number % 2]) for number in range(times))))


async def test_of_all_who_need_it_at_once_one_refreshes(
    database_url: str, tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S17: all have read before one claims."""
    meeting, claim = Meeting(4), kept_tokens.claim

    async def meet_and_claim(ctx: Context, row: TokensRecord) -> TokensRecord | None:
        await meeting.wait()
        return await claim(ctx, row)

    monkeypatch.setattr(kept_tokens, "claim", meet_and_claim)
    async with two(tmp_path, database_url, fake) as homes:
        await signed_up(homes[0])
        run_out(homes[0])
        found = ask_at_once(homes, 4)
        assert await found == ["access-1"] * 4
        assert fake.memory.refreshed == 1
        assert fake.memory.good == {"refresh-1"}


async def test_the_twin_that_gets_and_then_puts_is_taken_for_a_thief(
    database_url: str, tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Meeting()

    async def get_and_put(ctx: Context, row: TokensRecord) -> TokensRecord | None:
        await meeting.wait()

        async def put() -> TokensRecord:
            async with begin(ctx.plan, ctx.tenant) as own:
                there = await own.records(TokensRecord).get(row.id)
                assert there is not None
                return await own.records(TokensRecord).update(there, claimed_until=own.now + kept_tokens.CLAIM)

        return row.replace(version=(await persistently(put)).version)

    monkeypatch.setattr(kept_tokens, "claim", get_and_put)
    async with two(tmp_path, database_url, fake) as homes:
        await signed_up(homes[0])
        run_out(homes[0])
        assert await ask_at_once(homes, 2) == ["access-1", "refused"]
        assert fake.memory.refreshed == 2
        assert fake.memory.good == set()  # the provider ended all that came of the consent


# ---- what comes between, while the provider is asked ----


class Amid:
    """Does something while the provider is asked for the first time."""

    def __init__(self, fake: Fake) -> None:
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()
        fake.memory.meets = self.wait

    async def wait(self) -> None:
        self.asked.set()
        async with asyncio.timeout(20):
            await self.goes_on.wait()


async def test_a_sign_in_meanwhile_loses_no_refresh_token(tmp_path: Path) -> None:
    """Neither the one that was rotated, where the sign-in brought none, nor the one that it brought."""
    for brought in (None, "refresh-9"):
        fake = Fake()
        folder = tmp_path / (brought or "none")
        folder.mkdir()
        async with keeping(folder, fake) as home:
            site = await signed_up(home)
            await site.post("/sign-out")
            run_out(home)
            amid = Amid(fake)
            asking = asyncio.create_task(tokens(home))
            await amid.asked.wait()
            give(home, fake, access_token="of the sign-in", refresh_token=brought)
            await enter(site)
            amid.goes_on.set()
            assert (await asking).access_token == "access-1"
            fake.memory.meets = None
            run_out(home)
            fake.memory.good = {brought or "refresh-1"}
            assert (await tokens(home)).access_token == "access-2"


async def test_what_is_disconnected_meanwhile_is_not_kept_and_revoked(tmp_path: Path, fake: Fake) -> None:
    async with keeping(tmp_path, fake) as home:
        site = home.site()
        await sign_up(site)
        await enter(site)
        first = await tokens(home)
        amid = Amid(fake)
        asking = asyncio.create_task(tokens(home, refused=first))
        await amid.asked.wait()
        assert (await site.post("/providers/fake/disconnect")).status == 303
        fake.memory.good.add("refresh-0")  # its refresh was under way before that
        amid.goes_on.set()
        with pytest.raises(ConnectAgain):
            await asking
        assert await kept(home) == []
        assert fake.memory.revoked == ["refresh-0", "refresh-1"]


async def test_what_became_another_account_s_meanwhile_brings_neither_of_them_the_other_s_tokens(
    tmp_path: Path, fake: Fake
) -> None:
    async with keeping(tmp_path, fake) as home:
        site = home.site()
        await sign_up(site)
        await enter(site)
        first = await tokens(home)
        amid = Amid(fake)
        asking = asyncio.create_task(tokens(home, refused=first))
        await amid.asked.wait()
        await site.post("/providers/fake/disconnect")
        fake.memory.claims["email"] = "eve@example.com"
        give(home, fake, access_token="eve's", refresh_token=None)
        await enter(home.site())
        fake.memory.good.add("refresh-0")
        amid.goes_on.set()
        with pytest.raises(ConnectAgain):
            await asking
        async with home.auth.begin() as ctx:
            eve = await ctx.accounts.by_email("eve@example.com")
            assert eve is not None
            assert (await tokens_for(ctx, eve, "fake")).access_token == "eve's"


async def test_who_hangs_up_while_the_provider_answers_loses_nothing(tmp_path: Path, fake: Fake) -> None:
    async with keeping(tmp_path, fake) as home:
        await signed_up(home)
        run_out(home)
        amid = Amid(fake)
        asking = asyncio.create_task(tokens(home))
        await amid.asked.wait()
        asking.cancel()
        await asyncio.wait([asking])
        amid.goes_on.set()
        assert (await tokens(home)).access_token == "access-1"
        assert fake.memory.refreshed == 1


async def test_who_dies_while_the_provider_answers_is_followed_after_a_minute(tmp_path: Path, fake: Fake) -> None:
    async with keeping(tmp_path, fake) as home:
        await signed_up(home)
        run_out(home)
        async with home.auth.begin() as ctx:
            (row,) = await ctx.records(TokensRecord).find()
        async with home.auth.begin() as ctx:
            assert await kept_tokens.claim(ctx, row)
        waiting = asyncio.create_task(tokens(home))
        await asyncio.wait([waiting], timeout=0.2)
        assert (waiting.done(), fake.memory.refreshed) == (False, 0)
        home.clock.move(kept_tokens.CLAIM)
        assert (await waiting).access_token == "access-1"


async def test_who_waits_for_another_is_not_kept_for_ever(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_tokens, "ASKING", kept_tokens.ASKING / 300)
    async with keeping(tmp_path, fake) as home:
        await signed_up(home)
        run_out(home)
        amid = Amid(fake)
        with pytest.raises(NoAnswer):
            await tokens(home)
        amid.goes_on.set()
        fake.memory.meets, fake.memory.raises = None, TooSlow("token endpoint")
        with pytest.raises(NoAnswer):
            await tokens(home)


async def test_a_database_that_is_away_for_a_moment_costs_no_refresh_token(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping(tmp_path, fake) as home:
        await signed_up(home)
        run_out(home)
        away = [Unavailable(), Unavailable()]

        async def work(once: object) -> object:
            if away:
                raise away.pop()
            return await persistently(once)  # type: ignore[arg-type]

        monkeypatch.setattr(kept_tokens, "persistently", work)
        assert (await tokens(home)).access_token == "access-1"
        assert (await tokens(home)).access_token == "access-1"
        assert fake.memory.refreshed == 1
