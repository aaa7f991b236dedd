"""What is refused as a password, where it is refused, and what a pepper is good for."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from examples.opening import Opener
from powauth import Pepper
from powauth.testing import Site

pytestmark = pytest.mark.anyio
PEPPER = "a pepper of at least 32 bytes, kept elsewhere"
OWLS = "four quiet green owls"


@pytest.fixture
async def made(program: Opener) -> AsyncGenerator[Any]:
    async with program("passwords", AUTH_PEPPER=PEPPER) as opened:
        yield opened


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("fourteen chars", "password_too_short"),
        ("passwordpassword", "password_common"),
        ("Springfield2026", "password_context"),
        ("4cm3-4cm3-4cm3-4cm3", "password_context"),
        ("the quick brown fox", "password_breached"),
        ("ada.lovelace@example.com", "password_context"),
    ],
)
async def test_a_poor_password_is_refused_with_its_reason(made: Any, password: str, code: str) -> None:
    site = Site(made.auth, made.app).program()
    answer = await site.post("/sign-up", email="ada.lovelace@example.com", password=password)
    assert answer.status == 422
    assert code in {error["code"] for error in answer.json["errors"]["password"]}
    await site.post("/sign-up", email="ada.lovelace@example.com", password=OWLS)
    changed = await site.post("/account/password", current_password=OWLS, new_password=password)
    assert code in {error["code"] for error in changed.json["errors"]["new_password"]}


@pytest.mark.parametrize("password", [OWLS, "fünfzehn Zeich€n", "  spaces at both ends  ", "x" * 60 + "-" + "y" * 60])
async def test_everything_else_is_taken_as_it_is(made: Any, password: str) -> None:
    site = Site(made.auth, made.app).program()
    assert (await site.post("/sign-up", email="ada@example.com", password=password)).status == 201
    assert (await site.program().post("/sign-in", email="ada@example.com", password=password)).status == 200
    assert (await site.program().post("/sign-in", email="ada@example.com", password=password + "x")).status == 401


async def test_hashes_are_worth_nothing_without_the_pepper_and_a_new_one_is_put_on_at_sign_in(made: Any) -> None:
    """S6."""
    ada = {"email": "ada@example.com", "password": OWLS}
    await Site(made.auth, made.app).program().post("/sign-up", **ada)

    async def signs_in(*peppers: Pepper) -> bool:
        other = replace(made.auth, passwords=replace(made.passwords, peppers=peppers), store=made.auth.plan.store)
        other.plan.hasher.open()
        return (await Site(other).program().post("/sign-in", **ada)).status == 200

    old, new = Pepper("2026", PEPPER), Pepper("2027", "another pepper that is long enough, too")
    assert not await signs_in()
    assert not await signs_in(Pepper("2026", "somebody guesses at the pepper in vain"))
    assert await signs_in(new, old)
    assert await signs_in(new)  # it was put on at the sign-in before
    async with made.engine.connect() as connection:
        (stored,) = (await connection.execute(text("SELECT password_hash FROM users"))).scalars()
    assert "2027" in stored
    assert PEPPER not in stored
