"""Operations need no request: in a transaction of the application's own, in a job, in a script."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from examples.opening import Opener
from powauth import ConfigurationError, authenticate, operations
from powauth.testing import Site

pytestmark = pytest.mark.anyio
ADA = "ada@example.com"


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("without_a_request") as opened:
        yield opened


async def notebooks(made: Any) -> int:
    async with made.sessions() as db:
        return int(await db.scalar(select(func.count()).select_from(made.Notebook)))


async def test_an_account_and_a_row_are_made_together(made: Any) -> None:
    site = Site(made.auth, made.app)
    await made.welcome(ADA, "Numbers")
    await site.deliver()
    assert await notebooks(made) == 1
    assert await made.unproved() == [ADA]
    assert site.outbox.kinds() == ["email_confirmation.confirm"]
    assert (await site.post(site.outbox.link)).status == 303
    assert await made.unproved() == []


async def test_or_neither_and_then_no_mail_leaves(made: Any) -> None:
    site = Site(made.auth, made.app)
    with pytest.raises(IntegrityError):
        await made.welcome(ADA, None)  # a notebook has a title
    await site.deliver()
    assert await made.unproved() == []
    assert len(site.outbox) == 0


async def test_an_address_that_is_taken_makes_nothing(made: Any) -> None:
    await made.welcome(ADA, "Numbers")
    with pytest.raises(ValueError, match="is taken"):
        await made.welcome(ADA.upper(), "Letters")
    assert await notebooks(made) == 1


async def test_nobody_is_signed_in_inside_a_transaction_of_the_applications_own(made: Any) -> None:
    site = Site(made.auth, made.app)
    await site.post("/sign-up", email=ADA, password="four quiet green owls")
    async with made.sessions() as db, made.auth.begin(db=db) as ctx:
        found = await authenticate(ctx, ADA, "four quiet green owls")
        with pytest.raises(ConfigurationError):
            await operations.sign_in(ctx, (found.proof,), transport="cookie")


def test_it_runs_as_a_script(program: Opener, capsys: pytest.CaptureFixture[str]) -> None:
    made = program.load("without_a_request")
    asyncio.run(made.main())
    assert capsys.readouterr().out == "['ada@example.com']\n"
