"""Kept tokens: unreadable where they lie, good when they are handed out, gone when nobody may use them any more."""

import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from powauth.context import Context, on
from powauth.errors import ConfigurationError, Forbidden, NotFound, OwnerOnly
from powauth.events import Event
from powauth.extensions.email_confirmation import EmailConfirmation
from powauth.extensions.providers import ConnectAgain, NoAnswer, tokens_for
from powauth.extensions.providers.records import TokensRecord
from powauth.extensions.reopen import Reopen
from powauth.extensions.reset_password import ResetPassword
from powauth.oauth import BadToken, Reason, Refused, Tokens, TooSlow
from powauth.operations import close_account, lock_account
from powauth.starlette import begin, install
from tests.extensions.providers.conftest import extensions
from tests.extensions.providers.fake import Fake, enter
from tests.extensions.providers.keeping import DATA_SECRET, ada, give, keeping, kept, run_out, signed_up, table, tokens
from tests.house import House, house, sign_up

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(tmp_path: Path, fake: Fake) -> AsyncGenerator[House]:
    async with keeping(tmp_path, fake) as opened:
        yield opened


# ---- where they lie ----


async def test_what_lies_in_the_database_is_unreadable(home: House) -> None:
    """S14."""
    await signed_up(home)
    (row,) = await kept(home)
    shown = repr(dict(row)).encode() + b"".join(value for value in row.values() if isinstance(value, bytes))
    for secret in (b"access-0", b"refresh-0"):
        assert secret not in shown


async def test_without_encryption_the_application_does_not_start(tmp_path: Path, fake: Fake) -> None:
    """S57."""
    with pytest.raises(ConfigurationError, match=r"tokens is encrypted: give SQLAlchemyDatabase\(encryption="):
        async with house(tmp_path, extensions=extensions(fake, keeps_tokens=True)):
            pass


async def test_each_sign_in_brings_them_up_to_date(home: House, fake: Fake) -> None:
    site = await signed_up(home)
    await site.post("/sign-out")
    give(home, fake, access_token="newer", refresh_token="refresh-9")
    await enter(site)
    fake.memory.good.add("refresh-9")
    assert (await tokens(home)).access_token == "newer"
    run_out(home)
    await tokens(home)
    assert fake.memory.good == {"refresh-0", "refresh-1"}  # it was the newer one that was used


async def test_a_refresh_token_stays_where_the_provider_gives_none_the_next_time(home: House, fake: Fake) -> None:
    site = await signed_up(home)
    await site.post("/sign-out")
    give(home, fake, access_token="newer", refresh_token=None)
    await enter(site)
    assert (await tokens(home)).access_token == "newer"
    run_out(home)
    assert (await tokens(home)).access_token == "access-1"


# ---- handed out ----


async def test_what_is_good_for_a_minute_is_handed_out_as_it_is(home: House, fake: Fake) -> None:
    await signed_up(home)
    home.clock.move(timedelta(minutes=59))
    assert (await tokens(home)).access_token == "access-0"
    assert fake.memory.refreshed == 0


async def test_what_has_run_out_is_refreshed_and_the_rotated_refresh_token_is_kept(home: House, fake: Fake) -> None:
    await signed_up(home)
    for number in (1, 2, 3):
        run_out(home)
        found = await tokens(home)
        assert found.access_token == f"access-{number}"
        assert found.expires_at == home.clock.now() + timedelta(hours=1)
        assert (await tokens(home)).access_token == f"access-{number}"
    assert fake.memory.good == {"refresh-3"}


async def test_more_leeway_can_be_asked_for(home: House) -> None:
    await signed_up(home)
    assert (await tokens(home, leeway=timedelta(hours=1))).access_token == "access-0"
    assert (await tokens(home, leeway=timedelta(hours=1, seconds=1))).access_token == "access-1"


async def test_what_never_runs_out_is_not_refreshed(home: House, fake: Fake) -> None:
    give(home, fake, expires_at=None, refresh_token=None)
    await signed_up(home)
    home.clock.move(timedelta(days=400))
    assert (await tokens(home)).access_token == "access-0"


async def test_what_the_provider_refused_early_is_refreshed_once_for_all_who_say_so(home: House, fake: Fake) -> None:
    await signed_up(home)
    first = await tokens(home)
    assert [(await tokens(home, refused=first)).access_token for _ in range(3)] == ["access-1"] * 3
    assert fake.memory.refreshed == 1


async def test_no_refresh_token_leaves_and_nothing_of_it_is_shown(home: House) -> None:
    """S69."""
    await signed_up(home)
    found = await tokens(home)
    assert (found.refresh_token, found.id_token, dict(found.raw)) == (None, None, {})
    assert "access-0" not in repr(found)


async def test_a_handler_of_the_application_s_own_holds_no_connection_meanwhile(home: House, fake: Fake) -> None:
    await signed_up(home)
    run_out(home)
    account = await ada(home)
    seen: list[int] = []

    async def look() -> None:
        seen.append(home.engine.pool.checkedout())  # type: ignore[attr-defined]

    fake.memory.meets = look
    async with home.auth.begin() as ctx:
        assert await ctx.accounts.by_email("ada@example.com")
        await tokens_for(ctx, account, "fake")
        assert await ctx.accounts.by_email("ada@example.com")
    assert seen == [0]


async def test_a_new_token_stands_whatever_becomes_of_who_asked(home: House, fake: Fake) -> None:
    await signed_up(home)
    run_out(home)
    account = await ada(home)
    with suppress(ZeroDivisionError):
        async with home.auth.begin() as ctx:
            await tokens_for(ctx, account, "fake")
            _ = 1 / 0
    assert (await tokens(home)).access_token == "access-1"
    assert fake.memory.refreshed == 1


async def test_a_page_of_the_application_s_own_calls_in_the_person_s_name(home: House) -> None:
    """And answers whoever has to connect again, without a line of its own."""

    async def repositories(request: Request) -> JSONResponse:
        async with begin(home.auth, request, writes=False) as ctx:
            found = await tokens_for(ctx, await ctx.account(), "fake")
        return JSONResponse({"sent": found.access_token})

    app = Starlette(routes=[Route("/repositories", repositories)])
    install(app, home.auth)
    site = home.site(app)
    await enter(site)
    assert (await site.get("/repositories")).json == {"sent": "access-0"}
    async with home.auth.begin() as ctx:
        await ctx.records(TokensRecord).delete_all(where={"owner": (await ada(home)).handle})
    program = site.program()
    program.jar = dict(site.jar)
    answer = await program.get("/repositories")
    assert (answer.status, answer.code) == (409, "providers.connect_again")
    assert (await site.browser().program().get("/repositories")).status == 401


# ---- where only the person can help ----


async def reason(home: House, name: str = "fake") -> str:
    with pytest.raises(ConnectAgain) as caught:
        await tokens(home, name)
    assert caught.value.provider == name
    assert (caught.value.status, caught.value.code) == (409, "providers.connect_again")
    return caught.value.reason


async def test_who_is_not_connected_is_told_so(tmp_path: Path, fake: Fake, other: Fake) -> None:
    async with keeping(tmp_path, fake, other) as home:
        await signed_up(home)
        assert await reason(home, "other") == "not_connected"
        with pytest.raises(NotFound):
            await tokens(home, "nobody")


async def test_without_a_refresh_token_the_person_has_to_go_again(home: House, fake: Fake) -> None:
    give(home, fake, refresh_token=None)
    await signed_up(home)
    run_out(home)
    assert await reason(home) == "no_refresh_token"


@pytest.mark.parametrize("error", ["invalid_grant", "bad_refresh_token"])
async def test_what_was_taken_back_at_the_provider_is_not_asked_for_again(home: House, fake: Fake, error: str) -> None:
    site = await signed_up(home)
    run_out(home)
    fake.memory.raises = Refused(error, description="refresh-0 is over")
    assert await reason(home) == "refused"
    assert await reason(home) == "no_refresh_token"
    assert fake.memory.refreshed == 1
    fake.memory.raises = None
    give(home, fake)
    await site.post("/sign-out")
    await enter(site)
    assert (await tokens(home)).access_token == "access-0"


@pytest.mark.parametrize(
    "error", [TooSlow("token endpoint"), Refused("temporarily_unavailable"), BadToken(Reason.SUBJECT)]
)
async def test_a_provider_that_does_not_answer_is_asked_again_the_next_time(
    home: House, fake: Fake, error: Exception
) -> None:
    await signed_up(home)
    run_out(home)
    fake.memory.raises = error
    with pytest.raises(NoAnswer):
        await tokens(home)
    fake.memory.raises = None
    assert (await tokens(home)).access_token == "access-2"


async def test_no_token_is_in_a_log_an_event_or_an_error(
    tmp_path: Path, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    """S69."""
    heard: list[str] = []

    async def hear(event: Event, ctx: Context) -> None:
        heard.append(repr(event))

    caplog.set_level(logging.DEBUG)
    async with keeping(tmp_path, fake, hooks=(on(Event, hear),)) as home:
        site = await signed_up(home)
        await sign_up(home.site(), "eve@example.com")
        for error in (None, TooSlow("token endpoint"), Refused("invalid_grant", description="refresh-1 is over")):
            run_out(home)
            fake.memory.raises = error
            try:
                heard.append(repr(await tokens(home)))
            except (ConnectAgain, NoAnswer) as told:
                heard.append(repr(told) + repr(told.__cause__) + str(told))
        fake.memory.raises = None
        await site.post("/account/password", new_password="four quiet green owls")
        await site.post("/providers/fake/disconnect")
    for number in range(4):
        for secret in (f"access-{number}", f"refresh-{number}"):
            assert secret not in caplog.text + "".join(heard)


# ---- whose they are ----


async def test_nobody_gets_another_person_s_tokens(home: House) -> None:
    """S16."""
    await signed_up(home)
    await sign_up(home.site(), "eve@example.com")
    async with home.auth.begin() as ctx:
        eve = await ctx.accounts.by_email("eve@example.com")
        assert eve is not None
        with pytest.raises(ConnectAgain) as caught:
            await tokens_for(ctx, eve, "fake")
    assert caught.value.reason == "not_connected"


async def test_a_row_that_is_moved_to_another_account_opens_nothing(home: House, fake: Fake) -> None:
    """S14, S16: who can write to the database makes nobody's tokens their own."""
    await signed_up(home)
    fake.memory.claims |= {"sub": "2", "email": "eve@example.com"}
    give(home, fake, access_token="eve-s")
    await enter(home.site())
    async with home.engine.begin() as db:
        first, second = await kept(home)
        rows = table(home)
        for row, sealed in ((first, second["tokens"]), (second, first["tokens"])):
            await db.execute(rows.update().where(rows.c.id == row["id"]).values(tokens=sealed))
    with pytest.raises(ValueError, match="moved"):
        await tokens(home)


async def test_who_acts_as_somebody_gets_none_of_their_tokens(home: House) -> None:
    """S66."""
    await signed_up(home)
    account = await ada(home)
    async with home.auth.begin() as ctx:
        session = ctx.sessions.new(account, (), transport="cookie")
        ctx.signed_in_as(replace(session, actor=account.handle))
        with pytest.raises(OwnerOnly):
            await tokens_for(ctx, account, "fake")


async def test_a_locked_account_s_tokens_are_not_handed_out(home: House) -> None:
    await signed_up(home)
    async with home.auth.begin() as ctx:
        await lock_account(ctx, (await ada(home)).handle, by="administrator")
    with pytest.raises(Forbidden):
        await tokens(home)


async def test_a_refresh_token_is_not_sent_to_another_provider_of_the_same_name(tmp_path: Path, fake: Fake) -> None:
    """S50: nor is it revoked there."""
    elsewhere = Fake(name="fake", issuer="https://elsewhere.example")
    async with keeping(tmp_path, fake) as home:
        await signed_up(home)
    async with keeping(tmp_path, elsewhere) as home:
        run_out(home)
        assert await reason(home) == "not_connected"
        async with home.auth.begin() as ctx:
            await close_account(ctx, await ada(home))
    assert (elsewhere.memory.refreshed, elsewhere.memory.revoked) == (0, [])


# ---- gone ----


async def test_disconnecting_revokes_what_was_kept(home: House, fake: Fake) -> None:
    site = home.site()
    await sign_up(site)
    await enter(site)
    assert len(await kept(home)) == 1
    await site.post("/providers/fake/disconnect")
    assert await kept(home) == []
    assert fake.memory.revoked == ["refresh-0"]


@pytest.mark.parametrize("more", [(), (Reopen(),)], ids=["erased", "kept for a while"])
async def test_closing_an_account_forgets_and_revokes_what_was_kept(
    tmp_path: Path, fake: Fake, more: tuple[Reopen, ...]
) -> None:
    """Nothing is done in the name of who has left, also while they might come back."""
    async with keeping(tmp_path, fake, more=more) as home:
        await signed_up(home)
        async with home.auth.begin() as ctx:
            await close_account(ctx, await ada(home))
        assert await kept(home) == []
        assert fake.memory.revoked == ["refresh-0"]


async def test_whoever_is_refused_leaves_nothing_at_a_closed_account(tmp_path: Path, fake: Fake) -> None:
    async with keeping(tmp_path, fake, more=(Reopen(),)) as home:
        site = await signed_up(home)
        async with home.auth.begin() as ctx:
            await close_account(ctx, await ada(home))
        assert (await enter(site)).status == 401
        assert await kept(home) == []


async def test_whoever_proves_the_mailbox_of_an_unproved_account_makes_its_maker_s_tokens_worthless(
    tmp_path: Path, fake: Fake
) -> None:
    """S48."""
    fake.memory.claims["email_verified"] = False
    async with keeping(tmp_path, fake, more=(EmailConfirmation(), ResetPassword())) as home:
        site = await signed_up(home)
        await site.post("/reset-password", email="ada@example.com")
        await site.post(site.outbox.link, password="a long new password")
        assert await kept(home) == []
        assert fake.memory.revoked == ["refresh-0"]


async def test_a_provider_that_does_not_revoke_stops_nobody(
    home: House, fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    site = home.site()
    await sign_up(site)
    await enter(site)
    refuses = TooSlow("revocation")

    async def revoke(*_: object, **__: object) -> None:
        raise refuses

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fake, "revoke", revoke)
        assert (await site.post("/providers/fake/disconnect")).status == 303
    assert "not revoked" in caplog.text
    assert await kept(home) == []


# ---- asked for wrongly ----


async def test_where_nothing_is_kept_the_application_is_told_what_to_do(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=extensions(fake)) as home:
        await signed_up(home)
        with pytest.raises(ConfigurationError, match="keeps_tokens=True"):
            await tokens(home)


async def test_inside_a_transaction_of_the_application_s_nothing_is_asked(home: House) -> None:
    await signed_up(home)
    account = await ada(home)
    async with home.sessionmaker() as db, home.auth.begin(db=db) as ctx:
        with pytest.raises(ConfigurationError, match="would hold your transaction"):
            await tokens_for(ctx, account, "fake")


async def test_a_unit_that_has_written_says_that_it_has_to_ask_before(home: House) -> None:
    await signed_up(home)
    account = await ada(home)
    async with home.auth.begin() as ctx:
        await ctx.accounts.lock(account.handle)
        with pytest.raises(RuntimeError, match="has written"):
            await tokens_for(ctx, account, "fake")


async def test_who_connected_before_tokens_were_kept_is_told_so(tmp_path: Path, fake: Fake) -> None:
    async with house(tmp_path, extensions=extensions(fake)) as home:
        await signed_up(home)
    async with keeping(tmp_path, fake) as home:
        assert await reason(home) == "nothing_kept"


def test_tokens_are_data() -> None:
    assert DATA_SECRET not in repr(Tokens(access_token=DATA_SECRET, refresh_token=DATA_SECRET))
