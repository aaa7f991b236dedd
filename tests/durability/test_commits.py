"""What is committed when: what a later step refuses undoes nothing of an earlier one, and nothing is told too soon."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from powauth import sender
from powauth.accounts import NewAccount
from powauth.context import Context, Hook, Later, on
from powauth.errors import Deadlocked, InvalidCredentials, Stale
from powauth.events import AuthenticationFailed, SignedUp, SigningIn, SigningUp
from powauth.mail import Mail
from powauth.outbox import OutboxRecord
from powauth.testing import Outbox
from powauth.testing.factor import CodeFactor
from tests.durability.shop import Paused, account_of, extensions, heard, rows, sessions_of, shop, signed_up
from tests.house import PASSWORD, House

pytestmark = pytest.mark.anyio


@pytest.fixture
async def home(database_url: str) -> AsyncGenerator[House]:
    async with shop(database_url) as opened:
        yield opened


async def refuse(event: SigningIn, ctx: Context) -> None:
    raise InvalidCredentials


async def refuse_sign_up(event: SigningUp, ctx: Context) -> None:
    raise InvalidCredentials


async def test_a_sign_up_whose_sign_in_is_refused_keeps_its_account_and_its_mail(database_url: str) -> None:
    async with shop(database_url, hooks=(on(SigningIn, refuse),)) as home:
        site = home.site(accept="application/json")
        answer = await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
        assert (answer.status, site.cookie) == (401, None)
        ada = await account_of(home, "ada@example.com")
        assert ada is not None
        assert await sessions_of(home, ada.handle) == []
        assert site.outbox.kinds() == ["sign_up.welcome"]


async def test_a_sign_up_whose_sign_in_takes_a_detour_keeps_its_account_and_its_mail(database_url: str) -> None:
    async with shop(database_url, extensions=extensions(CodeFactor())) as home:
        site = home.site(accept="application/json")
        answer = await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
        assert (answer.status, answer.code, site.cookie) == (401, "action_required", None)
        assert await account_of(home, "ada@example.com")
        assert site.outbox.kinds() == ["sign_up.welcome"]
        assert (await site.post("/test-code", code="123456")).status == 200
        assert site.cookie


async def test_a_sign_up_that_is_refused_itself_leaves_neither_account_nor_mail(database_url: str) -> None:
    async with shop(database_url, hooks=(on(SigningUp, refuse_sign_up),)) as home:
        site = home.site(accept="application/json")
        assert (await site.post("/sign-up", email="ada@example.com", password=PASSWORD)).status == 401
        assert await account_of(home, "ada@example.com") is None
        assert await rows(home, OutboxRecord) == []


async def test_a_refusal_is_written_down_although_the_request_is_refused(home: House) -> None:
    site = await signed_up(home)
    browser = site.program()
    assert (await browser.post("/sign-in", email="ada@example.com", password="wrong")).status == 401
    assert (await browser.post("/sign-in", email="nobody@example.com", password="wrong")).status == 401
    ada = await account_of(home, "ada@example.com")
    assert ada
    assert sorted(row.owner for row in await heard(home, "failed")) == ["", ada.handle]


async def test_a_refusal_inside_a_form_leaves_its_trace_and_no_change(home: House) -> None:
    site = await signed_up(home)
    wrong = {"current_password": "wrong", "new_password": "seven loud purple herons"}
    assert (await site.post("/account/password", **wrong)).status == 422
    assert len(await heard(home, "failed")) == 1
    ada = await account_of(home, "ada@example.com")
    assert ada
    assert ada.epoch == 0


async def add_and_follow(home: House, *callbacks: Later, last_step: Later | None = None) -> None:
    """Add an account in a unit of work that these follow."""
    async with home.auth.begin() as ctx:
        await ctx.accounts.add(NewAccount(email="ada@example.com"), now=ctx.now)
        for callback in callbacks:
            ctx.after_commit(callback)
        if last_step:
            ctx.last_step(last_step)


async def test_a_rollback_runs_nothing_that_waited_for_the_commit(home: House) -> None:
    ran: list[str] = []

    async def run() -> None:
        ran.append("after")

    async def refuse_at_last() -> None:
        raise InvalidCredentials

    with pytest.raises(InvalidCredentials):
        await add_and_follow(home, run, last_step=refuse_at_last)
    assert ran == []
    await add_and_follow(home, run)
    assert ran == ["after"]


async def test_what_waits_for_the_commit_runs_although_one_before_it_fails(home: House) -> None:
    ran: list[str] = []

    async def fail() -> None:
        raise LookupError

    async def run() -> None:
        ran.append("after")

    with pytest.raises(LookupError):
        await add_and_follow(home, fail, run)
    assert ran == ["after"]
    assert await account_of(home, "ada@example.com")


# ---- what the engine undid is begun again ----


def undone(times: int, error: Exception) -> tuple[Hook[SigningIn], list[int]]:
    """Return a hook that has the engine undo so many sign-ins, and what counts them."""
    tries: list[int] = []

    async def undo(event: SigningIn, ctx: Context) -> None:
        tries.append(1)
        if len(tries) <= times:
            raise error

    return on(SigningIn, undo), tries


@pytest.mark.parametrize("error", [Deadlocked(), Stale()])
async def test_a_sign_in_that_the_engine_undid_is_begun_again(database_url: str, error: Exception) -> None:
    hook, tries = undone(2, error)
    async with shop(database_url, hooks=(hook,)) as home:
        site = await signed_up(home)
        assert len(tries) == 3
        ada = await account_of(home, "ada@example.com")
        assert ada
        assert len(await sessions_of(home, ada.handle)) == 1
        assert site.outbox.kinds() == ["sign_up.welcome"]


async def test_a_sign_in_that_is_undone_again_and_again_is_503_and_no_session(database_url: str) -> None:
    hook, tries = undone(100, Deadlocked())
    async with shop(database_url, hooks=(hook,)) as home:
        site = home.site(accept="application/json")
        answer = await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
        assert (answer.status, answer.header("retry-after"), site.cookie) == (503, "2", None)
        assert len(tries) == 5
        ada = await account_of(home, "ada@example.com")
        assert ada
        assert await sessions_of(home, ada.handle) == []


async def test_a_trace_whose_unit_the_engine_undid_is_still_written(database_url: str) -> None:
    tries: list[int] = []

    async def undo(event: AuthenticationFailed, ctx: Context) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise Deadlocked

    async with shop(database_url, hooks=(on(AuthenticationFailed, undo),)) as home:
        site = await signed_up(home)
        assert (await site.program().post("/sign-in", email="ada@example.com", password="wrong")).status == 401
        assert (len(tries), len(await heard(home, "failed"))) == (2, 1)


async def test_what_was_committed_is_not_begun_again_for_what_follows_it(database_url: str) -> None:
    runs: list[int] = []

    async def follow(event: SignedUp, ctx: Context) -> None:
        async def undone_elsewhere() -> None:
            runs.append(1)
            raise Deadlocked

        ctx.after_commit(undone_elsewhere)

    async with shop(database_url, hooks=(on(SignedUp, follow),)) as home:
        site = home.site(accept="application/json")
        answer = await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
        assert (answer.status, answer.header("retry-after")) == (503, "2")
        assert (len(runs), site.outbox.kinds()) == (1, ["sign_up.welcome"])
        assert await account_of(home, "ada@example.com")


async def test_a_mailer_that_hangs_does_not_keep_other_mails_waiting(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "LONGEST", timedelta(milliseconds=20))
    outbox = Outbox()

    async def mailer(mail: Mail) -> None:
        if mail.to == "slow@example.com":
            await asyncio.Event().wait()
        await outbox(mail)

    async with shop(database_url, mailer=mailer) as home, asyncio.timeout(30):
        for email in ("slow@example.com", "ada@example.com"):
            await signed_up(home, email)
        assert await home.auth.sender().send_due() == 1
        assert [mail.to for mail in outbox] == ["ada@example.com"]
        assert [row.attempts for row in await rows(home, OutboxRecord)] == [1]


# ---- the order of writes ----


async def test_only_the_two_store_writes_that_must_come_first_come_before_the_commit(database_url: str) -> None:
    told: list[str] = []

    async def hear(verb: str, kind: str) -> None:
        if verb in {"put", "delete", "delete_all", "take"} and not kind.endswith(":limit"):
            told.append(f"{verb} {kind.rsplit(':', maxsplit=1)[-1]}")

    async with shop(database_url, wrap=lambda store: Paused(store, before=hear)) as home:
        plan = home.auth.plan
        original = plan.database.unit

        def unit(*values: object, **options: object) -> object:
            made = original(*values, **options)  # type: ignore[arg-type]
            commit = made.commit

            async def noted() -> None:
                if made.has_written:
                    told.append("commit")
                await commit()

            made.commit = noted  # type: ignore[method-assign]
            return made

        plan.database.unit = unit  # type: ignore[method-assign, assignment]

        async def order(path: str, **fields: object) -> list[str]:
            told.clear()
            answer = await site.post(path, **fields)
            assert answer.status < 300, answer.text
            return list(told)

        site = home.site(accept="application/json")
        site.auth.plan.mailer.clear()  # type: ignore[attr-defined]
        await site.post("/sign-up", email="ada@example.com", password=PASSWORD)
        out = await order("/sign-out")
        assert out[-1] == "delete session"
        first = await order("/sign-in", email="ada@example.com", password=PASSWORD)
        assert first == ["put session", "commit"]
        changed = await order("/account/password", current_password=PASSWORD, new_password="seven loud purple herons")
        assert changed[:3] == ["put session", "delete session", "delete_all session"]
        assert not {"put session", "delete_all session"} & set(changed[changed.index("commit") :])
        closed = await order("/account/close", current_password="seven loud purple herons")
        assert closed[0] == "delete_all session"
        assert closed.index("delete_all session") < closed.index("commit")


async def test_what_waits_for_the_commit_runs_although_whoever_waits_for_it_is_gone(home: House) -> None:
    """A client that hangs up must not keep the session that was to end."""
    began, done = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        began.set()
        await asyncio.sleep(0.05)
        done.set()

    async def work() -> None:
        async with home.auth.begin() as ctx:
            ctx.after_commit(slow)

    task = asyncio.create_task(work())
    await began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    async with asyncio.timeout(5):
        await done.wait()
