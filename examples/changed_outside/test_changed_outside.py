"""What the application writes by itself is seen at once; what concerns who may be in has to be said to Powauth."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import select, text

from examples.opening import Opener
from powauth import change_email, change_password
from powauth.testing import Site

pytestmark = pytest.mark.anyio
ADA, PASSWORD = "ada@example.com", "four quiet green owls"


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("changed_outside") as opened:
        yield opened


@pytest.fixture
async def ada(made: Any) -> Site:
    site = Site(made.auth, made.app)
    assert (await site.post("/sign-up", email=ADA, password=PASSWORD)).status == 303
    return site


async def execute(made: Any, statement: str) -> None:
    async with made.engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_row_that_was_changed_outside_is_seen_with_the_next_request(made: Any, ada: Site) -> None:
    await ada.send("POST", "/me?name=Ada")
    assert (await ada.get("/me")).json["name"] == "Ada"
    await execute(made, "UPDATE users SET name = 'Countess'")
    assert (await ada.get("/me")).json["name"] == "Countess"


async def test_an_address_that_is_set_on_the_user_can_be_signed_in_with(made: Any, ada: Site) -> None:
    async with made.sessions() as db:
        user = (await db.scalars(select(made.User))).one()
        user.email = "Countess@example.com"
        await db.commit()
    assert (await ada.get("/me")).status == 200  # nobody's session ends by that, and nobody is told
    assert (await ada.browser().post("/sign-in", email="countess@example.com", password=PASSWORD)).status == 303
    assert (await ada.browser().post("/sign-in", email=ADA, password=PASSWORD)).status == 401


async def test_an_address_that_is_changed_in_sql_alone_is_half_a_change(made: Any, ada: Site) -> None:
    await execute(made, "UPDATE users SET email = 'countess@example.com'")
    assert (await ada.browser().post("/sign-in", email="countess@example.com", password=PASSWORD)).status == 401
    assert (await ada.browser().post("/sign-in", email=ADA, password=PASSWORD)).status == 303


async def test_a_row_that_is_locked_in_sql_refuses_wherever_the_account_is_asked_for(made: Any, ada: Site) -> None:
    await execute(made, "UPDATE users SET locked_at = created_at, locked_by = 'administrator'")
    assert (await ada.get("/session-only")).status == 200  # one read of the store: it has not heard
    assert (await ada.get("/me")).status == 303
    assert (await ada.get("/session-only")).status == 303  # the first guard that asked the row ended the session


async def test_a_row_that_is_deleted_ends_its_session(made: Any, ada: Site) -> None:
    await execute(made, "DELETE FROM users")
    assert (await ada.get("/me")).status == 303


async def test_a_raised_epoch_ends_every_session_at_the_next_page_that_asks_for_the_account(
    made: Any, ada: Site
) -> None:
    await execute(made, "UPDATE users SET epoch = epoch + 1")
    assert (await ada.get("/me")).status == 303


async def test_sessions_are_ended_by_saying_so(made: Any, ada: Site) -> None:
    await made.end_everything(ADA)
    assert (await ada.get("/session-only")).status == 303


async def test_an_operation_does_all_of_it(made: Any, ada: Site) -> None:
    """S18."""
    async with made.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        await change_password(ctx, account, "five loud red foxes")
    assert (await ada.get("/session-only")).status == 303
    async with made.auth.begin() as ctx:
        account = await ctx.accounts.by_email(ADA)
        await change_email(ctx, account, "countess@example.com")
    assert (
        await ada.browser().post("/sign-in", email="countess@example.com", password="five loud red foxes")
    ).status == 303
