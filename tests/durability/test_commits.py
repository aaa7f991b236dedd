"""What is committed when: what a later step refuses undoes nothing of an earlier one, and nothing is told too soon."""

from collections.abc import AsyncGenerator

import pytest

from powauth.accounts import NewAccount
from powauth.context import Context, on
from powauth.errors import InvalidCredentials
from powauth.events import SigningIn, SigningUp
from powauth.outbox import OutboxRecord
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


async def test_a_rollback_runs_nothing_that_waited_for_the_commit(home: House) -> None:
    ran: list[str] = []

    async def run() -> None:
        ran.append("after")

    with pytest.raises(InvalidCredentials):
        async with home.auth.begin() as ctx:
            await ctx.accounts.add(NewAccount(email="ada@example.com"), now=ctx.now)
            ctx.after_commit(run)
            raise InvalidCredentials
    assert ran == []
    async with home.auth.begin() as ctx:
        await ctx.accounts.add(NewAccount(email="ada@example.com"), now=ctx.now)
        ctx.after_commit(run)
        assert ran == []
    assert ran == ["after"]


async def test_what_waits_for_the_commit_runs_although_one_before_it_fails(home: House) -> None:
    ran: list[str] = []

    async def fail() -> None:
        raise LookupError

    async def run() -> None:
        ran.append("after")

    with pytest.raises(LookupError):
        async with home.auth.begin() as ctx:
            await ctx.accounts.add(NewAccount(email="ada@example.com"), now=ctx.now)
            ctx.after_commit(fail)
            ctx.after_commit(run)
    assert ran == ["after"]
    assert await account_of(home, "ada@example.com")


async def test_only_the_two_store_writes_that_must_come_first_come_before_the_commit(database_url: str) -> None:
    told: list[str] = []

    async def hear(verb: str, kind: str) -> None:
        if verb in {"put", "delete", "delete_all", "take"} and not kind.endswith(":limit"):
            told.append(f"{verb} {kind.rsplit(':')[-1]}")

    async with shop(database_url, wrap=lambda store: Paused(store, before=hear)) as home:
        plan = home.auth.plan
        commits: list[int] = []
        original = plan.database.unit

        def unit(*values: object, **options: object) -> object:
            made = original(*values, **options)  # type: ignore[arg-type]
            commit = made.commit

            async def noted() -> None:
                if made.has_written:
                    told.append("commit")
                    commits.append(1)
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
        assert (await order("/sign-out")) in (["delete session"], ["commit", "delete session"])
        first = await order("/sign-in", email="ada@example.com", password=PASSWORD)
        assert first == ["put session", "commit"]
        changed = await order("/account/password", current_password=PASSWORD, new_password="seven loud purple herons")
        assert changed[:4] == ["put session", "delete session", "delete_all session", "commit"]
        closed = await order("/account/close", current_password="seven loud purple herons")
        assert closed[:3] == ["delete_all session", "delete_all pending", "commit"]
