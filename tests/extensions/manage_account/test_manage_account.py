"""Managing an account: each change, and who must not make it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from powauth import Form, Text
from powauth.extensions.manage_account import ManageAccount
from powauth.extensions.prove import Prove
from powauth.extensions.session_list import SessionList
from powauth.extensions.sign_in import SignIn
from powauth.extensions.sign_up import SignUp
from powauth.testing import Site
from tests.house import PASSWORD, House, house, sign_up

pytestmark = pytest.mark.anyio

NEW = "five loud red foxes"


class Profile(Form):
    name: Annotated[str | None, Text(max=20)] = None


@pytest.fixture
async def home(tmp_path: Path) -> AsyncGenerator[House]:
    extensions = (SignUp(), SignIn(), ManageAccount(profile=Profile), SessionList(), Prove())
    async with house(tmp_path, extensions=extensions, identifiers=("email", "username")) as opened:
        yield opened


@pytest.fixture
async def site(home: House) -> Site:
    site = home.site()
    answer = await site.post("/sign-up", email="ada@example.com", username="ada", password=PASSWORD)
    assert answer.status == 303
    return site


def program_of(site: Site) -> Site:
    """Return a program with the browser's session."""
    program = site.program()
    program.jar = dict(site.jar)
    return program


async def can_sign_in(home: House, email: str, password: str) -> bool:
    return (await home.site().post("/sign-in", email=email, password=password)).status == 303


async def test_the_profile_holds_columns_of_the_applications_own(home: House, site: Site) -> None:
    await site.post("/account/profile", name="Ada Lovelace")
    assert 'value="Ada Lovelace"' in (await site.get("/account")).text
    async with home.sessionmaker() as db:
        assert (await db.execute(text("select name from users"))).scalar_one() == "Ada Lovelace"


async def test_a_profile_field_that_is_too_long_comes_back_with_its_words(site: Site) -> None:
    answer = await site.post("/account/profile", name="A" * 21)
    assert answer.status == 422
    assert "at most 20 characters" in answer.text
    assert "A" * 21 in answer.text


async def test_a_program_changes_only_the_fields_that_it_sends(site: Site) -> None:
    await site.post("/account/profile", name="Ada")
    program = program_of(site)
    assert (await program.post("/account/profile")).status == 200
    assert 'value="Ada"' in (await site.get("/account")).text


async def test_no_form_sets_what_it_does_not_ask_for(home: House, site: Site) -> None:
    await site.post("/account/profile", name="Ada", locked_at="2026-01-01", epoch="99", email="eve@example.com")
    async with home.auth.begin(writes=False) as ctx:
        account = await ctx.accounts.by_email("ada@example.com")
    assert account is not None
    assert (account.epoch, account.is_locked) == (0, False)


async def test_a_new_address_is_the_one_to_sign_in_with(home: House, site: Site) -> None:
    answer = await site.post("/account/email", email="Ada.L@Example.com", current_password=PASSWORD)
    assert (answer.status, answer.location) == (303, "/auth/account")
    assert "Your address is changed" in (await site.get("/account")).text
    assert await can_sign_in(home, "ada.l@example.com", PASSWORD)
    assert not await can_sign_in(home, "ada@example.com", PASSWORD)


async def test_an_address_is_not_changed_without_the_password(home: House, site: Site) -> None:
    for sent in ({}, {"current_password": "wrong"}, {"current_password": ""}):
        answer = await site.post("/account/email", email="eve@example.com", **sent)
        assert answer.status == 422
        assert "not your current password" in answer.text
    assert await can_sign_in(home, "ada@example.com", PASSWORD)


async def test_a_taken_address_and_a_taken_user_name_are_refused(home: House, site: Site) -> None:
    await home.site().post("/sign-up", email="bob@example.com", username="Bob", password=PASSWORD)
    answer = await program_of(site).post("/account/email", email="BOB@example.com", current_password=PASSWORD)
    assert (answer.status, answer.json["errors"]["email"][0]["code"]) == (422, "taken")
    answer = await program_of(site).post("/account/username", username="bob", current_password=PASSWORD)
    assert (answer.status, answer.json["errors"]["username"][0]["code"]) == (422, "taken")


async def test_a_new_user_name_is_one_to_sign_in_with(home: House, site: Site) -> None:
    assert (await site.post("/account/username", username="countess", current_password=PASSWORD)).status == 303
    assert (await home.site().post("/sign-in", email="Countess", password=PASSWORD)).status == 303
    assert (await home.site().program().post("/sign-in", username="countess", password=PASSWORD)).status == 200


async def test_a_user_name_holds_no_at_sign(site: Site) -> None:
    assert (await site.post("/account/username", username="eve@example.com", current_password=PASSWORD)).status == 422


async def test_a_new_password_replaces_the_old_one(home: House, site: Site) -> None:
    assert (await site.post("/account/password", current_password=PASSWORD, new_password=NEW)).status == 303
    assert await can_sign_in(home, "ada@example.com", NEW)
    assert not await can_sign_in(home, "ada@example.com", PASSWORD)


async def test_a_poor_password_is_refused_with_its_reason(site: Site) -> None:
    """S8."""
    program = program_of(site)
    reasons = {"short": "password_too_short", "password123": "password_common", "ada@example.com": "password_context"}
    for password, code in reasons.items():
        answer = await program.post("/account/password", current_password=PASSWORD, new_password=password)
        assert answer.status == 422
        assert code in [error["code"] for error in answer.json["errors"]["new_password"]]


async def test_guessing_the_current_password_is_slowed_down(site: Site) -> None:
    """S42."""
    for _ in range(5):
        answer = await site.post("/account/password", current_password="wrong", new_password=NEW)
        assert answer.status == 422
    answer = await site.post("/account/password", current_password=PASSWORD, new_password=NEW)
    assert answer.status == 429
    assert int(answer.header("retry-after") or 0) > 0


async def test_a_closed_account_is_gone_with_all_that_belongs_to_it(home: House, site: Site) -> None:
    other = site.browser()
    await other.post("/sign-in", email="ada@example.com", password=PASSWORD)
    answer = await site.post("/account/close", current_password=PASSWORD)
    assert (answer.status, answer.location) == (303, "/")
    assert (await other.get("/account")).status == 303
    assert not await can_sign_in(home, "ada@example.com", PASSWORD)
    answer = await home.site().post("/sign-up", email="ada@example.com", username="ada", password=PASSWORD)
    assert answer.status == 303


async def test_an_account_is_not_closed_without_the_password(site: Site) -> None:
    assert (await site.post("/account/close", current_password="wrong")).status == 422
    assert (await site.get("/account")).status == 200


async def test_an_account_that_rows_still_refer_to_is_a_conflict(tmp_path: Path) -> None:
    async with house(tmp_path) as home:

        @event.listens_for(home.engine.sync_engine, "connect")
        def enforce(connection: DBAPIConnection, _: object) -> None:
            connection.cursor().execute("pragma foreign_keys = on")

        await home.engine.dispose()
        site = home.site()
        await sign_up(site)
        async with home.engine.begin() as connection:
            await connection.execute(text("create table posts (author char(32) not null references users(id))"))
            await connection.execute(text("insert into posts select id from users"))
        answer = await program_of(site).post("/account/close", current_password=PASSWORD)
        assert (answer.status, answer.code) == (409, "conflict")
        assert await can_sign_in(home, "ada@example.com", PASSWORD)


async def test_without_a_session_nothing_is_shown_or_changed(home: House, site: Site) -> None:
    stranger = home.site().program()
    for page in ("profile", "email", "username", "password", "close"):
        assert (await stranger.post(f"/account/{page}")).status == 401
    assert (await stranger.get("/account")).status == 401


async def test_where_accounts_have_no_user_names_none_can_be_set(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        site = home.site()
        await sign_up(site)
        assert (await program_of(site).post("/account/username", username="ada")).status == 404
        assert "/account/username" not in (await site.get("/account")).text
