"""Signing up: what is asked for, and every bad field at once."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import pytest

from powauth import Text
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.extensions.sign_up.forms import SignUpForm
from tests.house import PASSWORD, House, house

pytestmark = pytest.mark.anyio


class MySignUp(SignUpForm):
    name: Annotated[str, Text(max=20)]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    async with house(tmp_path, extensions=(SignUp(form=MySignUp), SignIn())) as opened:
        yield opened


async def test_a_field_of_the_applications_own_fills_its_column(home: House) -> None:
    program = home.site().program()
    answer = await program.post("/sign-up", email="ada@example.com", password=PASSWORD, name="Ada")
    assert answer.status == 201
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
        assert account is not None
        assert (await ctx.accounts.user(account)).name == "Ada"


async def test_every_bad_field_is_told_at_once(home: House) -> None:
    answer = await home.site().program().post("/sign-up", email="no address", password="short", name="A" * 21)
    assert answer.status == 422
    codes = {name: [error["code"] for error in errors] for name, errors in answer.json["errors"].items()}
    assert codes == {"email": ["not_an_email"], "password": ["password_too_short"], "name": ["too_long"]}


async def test_a_password_that_is_the_address_is_refused_with_its_reason(home: House) -> None:
    """S8."""
    email = "ada.lovelace@example.com"
    answer = await home.site().program().post("/sign-up", email=email, password=email, name="Ada")
    assert answer.json["errors"]["password"][0]["code"] == "password_context"


async def test_the_password_is_asked_for_last(home: House) -> None:
    page = (await home.site().get("/sign-up")).text
    assert page.index('name="name"') < page.index('name="password"')


async def test_a_taken_address_is_told_and_nothing_is_made(home: House) -> None:
    program = home.site().program()
    form = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    await program.post("/sign-up", **form)
    answer = await home.site().program().post("/sign-up", **{**form, "email": "ADA@Example.com"})
    assert (answer.status, answer.json["errors"]["email"][0]["code"]) == (422, "taken")
    assert len(program.outbox) == 1


async def test_who_is_signed_in_is_sent_on(home: House) -> None:
    site = home.site()
    await site.post("/sign-up", email="ada@example.com", password=PASSWORD, name="Ada")
    assert (await site.get("/sign-up")).location == "/"
    program = site.program()
    program.jar = dict(site.jar)
    assert (await program.get("/sign-up")).code == "already_signed_in"


async def test_the_fields_of_a_form_are_told_to_programs(home: House) -> None:
    fields = (await home.site().program().get("/sign-up")).json["fields"]
    assert {"name": "name", "type": "string", "kind": "text", "required": True, "max": 20} in fields
