"""Django 5.2 with allauth 65: tables by its own migrations, people by its own API."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from powauth import InvalidCredentials
from tests.cli.importing.test_import_identities import rows, with_providers
from tests.cli.importing.world import BCRYPT, Moved, insert, move, new_home, people, run_maker, upgraded
from tests.cli.shop import PASSWORD, Shop

HASHERS = ("pbkdf2-sha256", "argon2", "bcrypt-sha256", "bcrypt", "scrypt")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_maker("django_site.py", tmp_path_factory.mktemp("django") / "site.db")


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


@pytest.fixture
def moved(home: Shop, site: Path) -> Moved:
    return move(home, "django", f"sqlite:///{site}")


def key(site: Path, name: str) -> str:
    with closing(sqlite3.connect(site)) as database:
        return str(database.execute("SELECT id FROM auth_user WHERE username = ?", (name,)).fetchone()[0])


@pytest.mark.parametrize("hasher", HASHERS)
def test_who_moves_signs_in_with_the_same_password_and_is_hashed_anew(home: Shop, moved: Moved, hasher: str) -> None:
    upgraded(home, f"{hasher}@example.com")


def test_a_wrong_password_is_as_wrong_as_before(home: Shop, moved: Moved) -> None:
    with pytest.raises(InvalidCredentials):
        home.sign_in("argon2@example.com", "four quiet green owl")


def test_only_an_address_that_allauth_had_proved_counts_as_proved(home: Shop, moved: Moved) -> None:
    assert people(home)["argon2@example.com"].is_confirmed
    assert not people(home)["unproved@example.com"].is_confirmed


def test_an_account_keeps_its_age(home: Shop, moved: Moved) -> None:
    known = people(home)["argon2@example.com"]
    assert known.confirmed_at
    assert 999 <= (known.confirmed_at - known.created_at).days <= 1001


def test_an_inactive_account_stays_locked_until_an_administrator_unlocks_it(
    home: Shop, moved: Moved, site: Path
) -> None:
    assert people(home)["inactive@example.com"].locked_by == "administrator"
    assert moved.codes(key(site, "inactive")) == {"locked"}
    with pytest.raises(InvalidCredentials):
        home.sign_in("inactive@example.com", PASSWORD)


def test_a_hash_that_nobody_reads_any_more_is_left_behind_and_said(home: Shop, moved: Moved, site: Path) -> None:
    assert people(home)["md5@example.com"].password_hash is None
    assert "unknown_hash" in moved.codes(key(site, "md5"))
    assert moved.exit_code == 1


def test_an_account_without_password_has_none_afterwards(home: Shop, moved: Moved, site: Path) -> None:
    assert people(home)["social@example.com"].password_hash is None
    assert "no_password" in moved.codes(key(site, "social"))


def test_a_stranger_who_signed_up_with_an_address_that_somebody_else_proved_does_not_get_it(
    home: Shop, moved: Moved, site: Path
) -> None:
    assert moved.codes(key(site, "thief")) == {"duplicate"}
    assert "duplicate" not in moved.codes(key(site, "victim"))
    upgraded(home, "victim@example.com")


def test_of_two_with_one_address_that_nobody_proved_neither_gets_it(home: Shop, moved: Moved, site: Path) -> None:
    assert moved.codes(key(site, "twin-1")) == moved.codes(key(site, "twin-2")) == {"duplicate"}
    assert not any(known.lower().startswith("twin") for known in people(home))


def test_the_address_that_was_proved_is_the_one_that_counts(home: Shop, moved: Moved) -> None:
    assert people(home)["current@example.com"].is_confirmed
    assert "former@example.com" not in people(home)


def test_what_is_no_address_or_none_is_left_out(home: Shop, moved: Moved, site: Path) -> None:
    assert moved.codes(key(site, "broken")) == {"invalid_email"}
    assert moved.codes(key(site, "no-address")) == {"no_identifier"}


def test_identities_further_addresses_and_roles_are_set_aside_and_not_lost(
    home: Shop, moved: Moved, site: Path
) -> None:
    path = home.folder / "powauth-set-aside.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    social, staff = people(home)["social@example.com"], people(home)["staff@example.com"]
    assert {
        "handle": social.handle,
        "key": key(site, "social"),
        "kind": "identity",
        "provider": "github",
        "subject": "583231",
        "issuer": None,
    } in lines
    assert [line["email"] for line in lines if line["kind"] == "address"] == ["social@elsewhere.example"]
    assert [line["role"] for line in lines if line["handle"] == staff.handle] == ["editors", "staff"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_user_names_come_along_where_accounts_have_them(folder: Path, site: Path) -> None:
    home = new_home(folder, identifiers='("email", "username")')
    moved = move(home, "django", f"sqlite:///{site}")
    assert people(home)["no-address"].username == "no-address"
    assert people(home)["argon2@example.com"].username == "argon2"
    assert people(home)["broken"].email is None  # the name is good, the address is not
    assert moved.codes(key(site, "no-address")) == set()


def test_roles_go_into_a_column_if_there_is_one(folder: Path, site: Path) -> None:
    home = new_home(folder)
    moved = move(home, "django", f"sqlite:///{site}", "--map", "roles=name")
    assert not moved.says("roles")


def test_roles_become_roles_as_far_as_it_is_said_which_is_which(folder: Path, site: Path) -> None:
    home = new_home(
        folder,
        more=f"{BCRYPT}\nfrom powauth.extensions.roles import Roles",
        extensions="(SignIn(), Roles(roles=('editor', 'admin')))",
    )
    moved = move(home, "django", f"sqlite:///{site}", "--role", "editors=editor")
    staff = people(home)["staff@example.com"]
    found = home.data("roles", "list", "--account", "staff@example.com")
    assert [row["role"] for row in found] == ["editor"]
    assert len(moved.says("roles")) == 1
    aside = (Path.cwd() / "powauth-set-aside.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in aside]
    assert [line["role"] for line in lines if line["kind"] == "role" and line["handle"] == staff.handle] == ["staff"]


@pytest.mark.parametrize(("role", "says"), [("editors=owner", "owner is no role"), ("editors", "write it as --role")])
def test_a_role_that_nobody_knows_here_is_refused_before_anything_is_read(
    folder: Path, site: Path, role: str, says: str
) -> None:
    more = f"{BCRYPT}\nfrom powauth.extensions.roles import Roles"
    home = new_home(folder, more=more, extensions="(SignIn(), Roles())")
    result = home.run("import", "django", "--from", f"sqlite:///{site}", "--role", role)
    assert (result.exit_code, people(home)) == (2, {})
    assert says in result.output


def test_without_roles_in_the_application_none_is_granted(home: Shop, site: Path) -> None:
    result = home.run("import", "django", "--from", f"sqlite:///{site}", "--role", "editors=editor")
    assert (result.exit_code, people(home)) == (2, {})
    assert "Roles()" in result.output


def test_identities_come_along_and_a_chosen_name_is_nobody_s_number(folder: Path, site: Path) -> None:
    """S47: allauth keeps the names of Reddit's people, and somebody may have chosen another one's number."""
    copy = shutil.copy(site, folder / "site.db")
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        more = {"last_login": "2020-01-01", "date_joined": "2020-01-01", "extra_data": "{}"}
        insert(database, "socialaccount_socialaccount", provider="reddit", uid="abc12", user_id=1, **more)
    home = with_providers(folder)
    moved = move(home, "django", f"sqlite:///{copy}", "--provider", "github=github", "--provider", "reddit=reddit")
    assert rows(home) == {("https://github.com", "583231"): ("github", "social@example.com")}
    assert "another number" in moved.says("identities")[0]
