"""A locked account is locked everywhere at once, whoever locked it, and whichever door is tried."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import text

from examples.opening import Opener
from powauth.testing import Site

pytestmark = pytest.mark.anyio
ADA, BOB, PASSWORD = "ada@example.com", "bob@example.com", "four quiet green owls"


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("locking") as opened:
        yield opened


@pytest.fixture
async def ada(made: Any) -> Site:
    """An administrator's browser."""
    site = Site(made.auth, made.app)
    await site.post("/sign-up", email=ADA, password=PASSWORD)
    await execute(made, "UPDATE users SET is_administrator = true")
    return site


@pytest.fixture
async def bob(made: Any, ada: Site) -> Site:
    site = Site(made.auth, made.app)
    await site.post("/sign-up", email=BOB, password=PASSWORD)
    return site


async def execute(made: Any, statement: str) -> None:
    async with made.engine.begin() as connection:
        await connection.execute(text(statement))


async def test_an_administrators_lock_holds_everywhere_at_once(ada: Site, bob: Site) -> None:
    phone = ada.program()
    phone.bearer = (await phone.post("/sign-in", email=BOB, password=PASSWORD, transport="bearer")).json["token"]
    assert (await phone.get("/me")).status == 200
    assert (await ada.send("POST", f"/people/{BOB}/lock")).status == 200
    assert (await bob.get("/me")).status == 303
    assert (await phone.get("/me")).status == 401
    wrong = await bob.browser().post("/sign-in", email=BOB, password="something else")
    locked = await bob.browser().post("/sign-in", email=BOB, password=PASSWORD)
    assert locked.status == wrong.status == 401
    assert (await ada.send("POST", f"/people/{BOB}/unlock")).status == 200
    assert (await bob.get("/me")).status == 303  # what the lock ended stays ended
    assert (await bob.post("/sign-in", email=BOB, password=PASSWORD)).status == 303


async def test_only_an_administrator_locks(bob: Site) -> None:
    assert (await bob.send("POST", f"/people/{ADA}/lock")).status == 403
    evil = {"origin": "https://evil.example"}
    assert (await bob.send("POST", f"/people/{ADA}/lock", headers=evil)).status == 403


async def test_no_mail_opens_what_an_administrator_locked(ada: Site, bob: Site) -> None:
    ada.outbox.clear()
    await ada.send("POST", f"/people/{BOB}/lock")
    for page in ("/unlock", "/reset-password"):
        await bob.post(page, email=BOB)
    assert ada.outbox.kinds() == ["lock.locked"]


async def test_an_owner_locks_by_the_link_of_a_mail_about_a_change(bob: Site) -> None:
    bob.outbox.clear()
    thief = bob.browser()
    await thief.post("/sign-in", email=BOB, password=PASSWORD)
    await thief.post("/account/password", current_password=PASSWORD, new_password="five loud red foxes")
    assert bob.outbox.kinds() == ["security_mails.password_changed"]
    lock_down = bob.outbox.link
    assert (await bob.browser().get(lock_down)).status == 200  # a mail scanner locks nobody out (S20)
    assert (await thief.get("/me")).status == 200
    assert (await bob.browser().post(lock_down)).status == 303
    assert (await thief.get("/me")).status == 303
    assert (await thief.post("/sign-in", email=BOB, password="five loud red foxes")).status == 401
    unlock = bob.outbox.link  # of the mail after that
    assert bob.mail.kind == "lock.locked_down"
    assert (await bob.post(unlock)).status == 303
    refused = await thief.post("/sign-in", email=BOB, password="five loud red foxes")
    assert refused.status == 401  # a new password has to be chosen, by mail


async def test_a_lock_of_ones_own_stands_at_every_way_in(made: Any, bob: Site) -> None:
    await execute(made, "UPDATE users SET has_paid = false")
    assert (await bob.get("/me")).status == 200  # who is in stays in: end the sessions as well, if that is meant
    assert (await bob.browser().post("/sign-in", email=BOB, password=PASSWORD)).status == 401
    program = bob.program()
    assert (await program.post("/sign-in", email=BOB, password=PASSWORD, transport="bearer")).status == 401
