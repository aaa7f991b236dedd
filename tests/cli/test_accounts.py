"""`powauth accounts`: an administrator at a terminal, with an application's accounts."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from powauth import Account, Auth, InvalidCredentials
from tests.cli.shop import ADA, PASSWORD, Shop, with_tables, write

MakeShop = Callable[..., Shop]


def account(shop: Shop, email: str = ADA) -> Account | None:
    """Return the account as the application has it."""

    async def read(auth: Auth[Any]) -> Account | None:
        async with auth.begin(writes=False) as ctx:
            return await ctx.accounts.by_email(email)

    found: Account | None = shop.work(read)
    return found


# ---- create ----


def test_who_is_created_signs_in_with_the_password(shop: Shop) -> None:
    made = shop.create()
    assert (made["email"], made["state"], made["confirmed"]) == (ADA, "open", False)
    assert shop.sign_in().account_id == made["id"]


def test_a_password_is_asked_for_unseen_and_twice(shop: Shop) -> None:
    result = shop.run("accounts", "create", "--email", ADA, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    shop.sign_in()


def test_two_passwords_that_differ_are_asked_for_again(shop: Shop) -> None:
    typed = f"{PASSWORD}\nanother one entirely\n{PASSWORD}\n{PASSWORD}\n"
    result = shop.run("accounts", "create", "--email", ADA, typed=typed)
    assert "do not match" in result.output
    shop.sign_in()


def test_an_address_may_be_taken_as_proved(shop: Shop) -> None:
    assert shop.create(ADA, "--confirmed")["confirmed"] is True


def test_an_account_may_have_no_password(shop: Shop) -> None:
    made = shop.data("accounts", "create", "--email", ADA, "--no-password")
    assert made["has_password"] is False


def test_a_weak_password_is_refused_in_words(shop: Shop) -> None:
    result = shop.run("accounts", "create", "--email", ADA, "--password-stdin", typed="short\n")
    assert result.exit_code == 1
    assert "at least 8 characters" in result.output
    assert account(shop) is None


def test_a_password_made_of_the_address_is_refused_with_a_stable_code(shop: Shop) -> None:
    error = shop.refusal("accounts", "create", "--email", ADA, "--password-stdin", typed=ADA)
    assert error["errors"]["password"][0]["code"] == "password_context"


def test_an_address_that_is_taken_is_refused(shop: Shop) -> None:
    shop.create()
    error = shop.refusal("accounts", "create", "--email", "ADA@example.com", "--password-stdin", typed=PASSWORD)
    assert error["errors"] == {"email": [{"code": "taken", "message": "This is taken already."}]}


def test_something_that_is_no_address_is_refused(shop: Shop) -> None:
    error = shop.refusal("accounts", "create", "--email", "nonsense", "--password-stdin", typed=PASSWORD)
    assert error["errors"]["email"][0]["code"] == "not_an_email"


def test_an_account_without_what_it_is_found_by_is_refused(shop: Shop) -> None:
    error = shop.refusal("accounts", "create", "--password-stdin", typed=PASSWORD)
    assert error["errors"]["email"][0]["code"] == "required"


def test_an_identifier_that_the_application_does_not_have_is_not_understood(shop: Shop) -> None:
    assert shop.run("accounts", "create", "--email", ADA, "--username", "ada", typed=PASSWORD).exit_code == 2


def test_a_user_name_is_taken_where_accounts_have_one(make_shop: MakeShop) -> None:
    shop = make_shop(identifiers="['username']")
    made = shop.data("accounts", "create", "--username", "ada", "--password-stdin", typed=PASSWORD)
    assert (made["username"], made["email"]) == ("ada", None)
    assert shop.data("accounts", "show", "ADA")["id"] == made["id"]


def test_an_empty_standard_input_makes_nothing(shop: Shop) -> None:
    error = shop.refusal("accounts", "create", "--email", ADA, "--password-stdin", typed="")
    assert error["code"] == "no_password"
    assert account(shop) is None


@pytest.mark.parametrize("options", [["--password-stdin"], []])
@pytest.mark.parametrize("closing", ["", "os.close(0); sys.stdin = None"])
def test_without_anybody_to_ask_nothing_is_made_and_there_is_no_traceback(
    shop: Shop, options: list[str], closing: str
) -> None:
    command = ["accounts", "create", "--email", ADA, "--app", shop.app, *options]
    program = f"import os, sys; {closing}\nfrom powauth.cli import main; main({command})"
    run = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,  # without a terminal of its own
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("Error: no password was given")
    assert len(run.stderr.splitlines()) <= 2
    assert account(shop) is None


def test_several_lines_are_no_password(shop: Shop) -> None:
    error = shop.refusal("accounts", "create", "--email", ADA, "--password-stdin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert error["code"] == "several_lines"


def test_no_option_takes_a_password(shop: Shop) -> None:
    assert shop.run("accounts", "create", "--email", ADA, "--password", PASSWORD).exit_code == 2


def test_two_ways_to_a_password_exclude_each_other(shop: Shop) -> None:
    assert shop.run("accounts", "create", "--email", ADA, "--no-password", "--password-stdin").exit_code == 2


MORE = """
class MySignUp(SignUpForm):
    name: Annotated[str, Text(max=5)]

"""


@pytest.fixture
def asking(make_shop: MakeShop) -> Shop:
    return make_shop(more=f"from typing import Annotated\n{MORE}", extensions="(SignUp(form=MySignUp), SignIn())")


def test_columns_of_the_application_are_filled_as_sign_up_would(asking: Shop) -> None:
    asking.create(ADA, "--set", "name=Ada")

    async def name(auth: Auth[Any]) -> str:
        async with auth.begin(writes=False) as ctx:
            found = await ctx.accounts.by_email(ADA)
            assert found
            user = await ctx.accounts.user(found)
            return str(user.name)

    assert asking.work(name) == "Ada"


@pytest.mark.parametrize(("columns", "code"), [((), "required"), (("--set", "name=Adalbert"), "too_long")])
def test_columns_that_sign_up_would_refuse_are_refused(asking: Shop, columns: tuple[str, ...], code: str) -> None:
    error = asking.refusal("accounts", "create", "--email", ADA, *columns, "--password-stdin", typed=PASSWORD)
    assert error["errors"]["name"][0]["code"] == code


@pytest.mark.parametrize("column", ["epoch=9", "password_hash=x", "handle=1", "nonsense=1", "name"])
def test_columns_that_sign_up_does_not_ask_for_cannot_be_set(asking: Shop, column: str) -> None:
    result = asking.run("accounts", "create", "--email", ADA, "--set", column, "--password-stdin", typed=PASSWORD)
    assert result.exit_code == 2
    assert account(asking) is None


# ---- list and show ----


def test_accounts_are_listed_a_page_after_the_other(shop: Shop) -> None:
    for name in ("ada", "bob", "eve"):
        shop.create(f"{name}@example.com")
    first = shop.data("accounts", "list", "--limit", "2")
    rest = shop.data("accounts", "list", "--after", first[-1]["id"])
    assert [len(first), len(rest)] == [2, 1]
    everybody = shop.data("accounts", "list", "--all")
    assert everybody == first + rest
    assert {row["email"] for row in everybody} == {"ada@example.com", "bob@example.com", "eve@example.com"}


def test_a_list_says_how_to_go_on(shop: Shop) -> None:
    shop.create("ada@example.com")
    shop.create("bob@example.com")
    assert "--after" in shop.run("accounts", "list", "--limit", "1").output
    assert "--after" not in shop.run("accounts", "list").output


def test_accounts_are_found_by_a_part_of_their_address(shop: Shop) -> None:
    shop.create("ada@example.com")
    shop.create("bob@example.com")
    assert [row["email"] for row in shop.data("accounts", "list", "--contains", "BOB")] == ["bob@example.com"]


def test_an_application_without_accounts_has_none_to_list(shop: Shop) -> None:
    assert shop.data("accounts", "list") == []
    assert shop.run("accounts", "list").output == "no accounts\n"


def test_an_account_is_shown_by_any_of_its_names_and_never_its_hash(shop: Shop) -> None:
    made = shop.create()
    stored = account(shop)
    assert stored
    for name in (ADA, "Ada@Example.com", made["id"], made["handle"]):
        result = shop.run("accounts", "show", name)
        assert result.exit_code == 0
        assert made["id"] in result.output
        assert str(stored.password_hash) not in result.output
        assert "argon2" not in result.output
    assert shop.data("accounts", "show", ADA)["has_password"] is True


@pytest.mark.parametrize("verb", ["show", "lock", "unlock", "close"])
def test_an_account_that_nobody_has_is_told(shop: Shop, verb: str) -> None:
    for name in ("nobody@example.com", "nobody", "", "\0", "00000000-0000-0000-0000-000000000000"):
        assert shop.refusal("accounts", verb, name)["code"] == "no_account"


def test_a_name_that_would_steer_a_terminal_is_made_visible(shop: Shop) -> None:
    result = shop.run("accounts", "show", "\x1b[2J")
    assert "\x1b" not in result.output
    assert result.exit_code == 1


# ---- lock, unlock, close ----


def test_locking_ends_every_session_and_shuts_the_door(shop: Shop) -> None:
    shop.create()
    shop.sign_in()
    locked = shop.data("accounts", "lock", ADA)
    assert (locked["state"], locked["locked_by"], locked["ended_sessions"]) == ("locked", "administrator", 1)
    assert shop.data("sessions", "list", ADA) == []
    with pytest.raises(InvalidCredentials):
        shop.sign_in()


def test_unlocking_opens_the_door_and_brings_no_session_back(shop: Shop) -> None:
    shop.create()
    shop.sign_in()
    shop.run("accounts", "lock", ADA)
    assert shop.data("accounts", "unlock", ADA)["was_locked"] is True
    assert shop.data("sessions", "list", ADA) == []
    shop.sign_in()


def test_unlocking_what_is_open_changes_nothing(shop: Shop) -> None:
    shop.create()
    before = account(shop)
    assert shop.data("accounts", "unlock", ADA)["was_locked"] is False
    assert account(shop) == before


def test_locking_says_when_it_does_not_reach_the_sessions(make_shop: MakeShop) -> None:
    shop = make_shop(store="MemoryStore()")
    shop.create()
    result = shop.run("accounts", "lock", ADA)
    assert result.exit_code == 0
    assert "in the memory of the process" in result.output


def test_closing_erases_the_account_and_its_sessions(shop: Shop) -> None:
    made = shop.create()
    shop.sign_in()
    assert shop.data("accounts", "close", ADA, "--yes") == {"id": made["id"], "handle": made["handle"]}
    assert account(shop) is None


def test_closing_asks_before_it_acts(shop: Shop) -> None:
    shop.create()
    assert shop.refusal("accounts", "close", ADA, typed="n\n")["code"] == "not_confirmed"
    assert shop.refusal("accounts", "close", ADA, typed="")["code"] == "not_confirmed"
    assert account(shop) is not None
    assert shop.run("accounts", "close", ADA, typed="y\n").exit_code == 0
    assert account(shop) is None


def test_a_locked_account_can_be_closed(shop: Shop) -> None:
    shop.create()
    shop.run("accounts", "lock", ADA)
    assert shop.run("accounts", "close", ADA, "--yes").exit_code == 0
    assert account(shop) is None


REFERRING = """
from sqlalchemy import ForeignKey, event

@event.listens_for(engine.sync_engine, "connect")
def _enforce(connection, record):
    if "sqlite" in type(connection).__name__:
        connection.execute("PRAGMA foreign_keys=ON")

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
"""


def test_an_account_that_rows_of_the_application_refer_to_is_not_closed(folder: Path) -> None:
    shop = with_tables(write(folder, after=REFERRING))
    made = shop.create()
    with sqlite3.connect(folder / "app.db") as db:
        db.execute("INSERT INTO orders (user_id) VALUES (?)", [UUID(made["id"]).hex])
    db.close()
    error = shop.refusal("accounts", "close", ADA, "--yes")
    assert error["code"] == "conflict"
    assert "rows of the application refer" in error["messages"][0]
    assert account(shop) is not None


def test_tables_that_are_missing_are_told_in_a_sentence(shop: Shop) -> None:
    for file in shop.folder.glob("app.db*"):
        file.unlink()
    result = shop.run("accounts", "list")
    assert result.exit_code == 1
    assert "Run your migrations" in result.output


# ---- tenants ----

TENANTS = """
from collections.abc import Iterable

class Two:
    def resolve(self, raw):
        return None

    def all(self):
        return (Tenant("north", "https://north.example.com/auth"), Tenant("south", "https://south.example.com/auth"))
"""


def test_where_there_are_tenants_one_has_to_be_named(make_shop: MakeShop) -> None:
    shop = make_shop(more=TENANTS, tenant="Two()")
    assert shop.run("accounts", "list").exit_code == 2
    assert shop.run("accounts", "list", "--tenant", "west").exit_code == 2
    shop.create(ADA, "--tenant", "north")
    assert [row["email"] for row in shop.data("accounts", "list", "--tenant", "north")] == [ADA]
    assert shop.data("accounts", "list", "--tenant", "south") == []


def test_where_there_are_no_tenants_none_can_be_named(shop: Shop) -> None:
    assert shop.run("accounts", "list", "--tenant", "north").exit_code == 2
