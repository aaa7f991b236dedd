"""Devise: its generator's migration, and hashes by the bcrypt of PyCA, with and without a pepper."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
import pytest

from tests.cli.importing.test_import_identities import GITHUB, rows, with_providers
from tests.cli.importing.world import BCRYPT, database_of, insert, move, new_home, people, upgraded
from tests.cli.shop import PASSWORD, Shop

PEPPER = "0f" * 64  # as long as those that Devise's initializer proposes
THEN = "2021-05-04 03:02:01.123456"


def hashed(password: str) -> str:
    """Return a hash as bcrypt-ruby writes it: of 72 bytes at most, with $2a$."""
    return "$2a$" + bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()[4:]


@pytest.fixture
def source(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(database_of("devise.sql", folder / "rails.db")) as database:
        yield database


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


def person(source: sqlite3.Connection, name: str, **more: object) -> None:
    values = {"email": f"{name}@example.com", "encrypted_password": hashed(PASSWORD), "created_at": THEN}
    insert(source, "users", **{**values, "updated_at": THEN, **more})


def test_who_moves_from_devise_signs_in_and_is_hashed_anew(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", confirmed_at=THEN)
    assert move(home, "devise", "sqlite3:///rails.db").exit_code == 0
    assert people(home)["ada@example.com"].confirmed_at == datetime(2021, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
    upgraded(home, "ada@example.com")


def test_a_pepper_of_devise_is_a_setting_of_the_application(folder: Path, source: sqlite3.Connection) -> None:
    settings = f"Passwords(memory=64, time=1, foreign=[BcryptHashes(pepper={PEPPER!r}, truncates=True)])"
    home = new_home(folder, passwords=settings)
    person(source, "ada", encrypted_password=hashed(PASSWORD + PEPPER))
    move(home, "devise", "sqlite:///rails.db")
    upgraded(home, "ada@example.com")


def test_an_address_that_waits_to_be_proved_is_set_aside_and_the_former_stays(
    home: Shop, source: sqlite3.Connection
) -> None:
    person(source, "ada", confirmed_at=THEN, unconfirmed_email="eve@example.com")
    moved = move(home, "devise", "sqlite:///rails.db")
    assert list(people(home)) == ["ada@example.com"]
    assert moved.codes("1") == {"addresses"}
    (line,) = (home.folder / "powauth-set-aside.jsonl").read_text().splitlines()
    assert (json.loads(line)["email"], json.loads(line)["confirmed"]) == ("eve@example.com", False)


def test_who_came_by_omniauth_comes_with_the_identity(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", provider="github", uid="583231")
    person(source, "grace", provider="email", uid="grace@example.com")  # devise_token_auth: no identity
    move(home, "devise", "sqlite:///rails.db")
    (line,) = (home.folder / "powauth-set-aside.jsonl").read_text().splitlines()
    assert (json.loads(line)["provider"], json.loads(line)["subject"]) == ("github", "583231")


def test_who_was_deleted_softly_does_not_come_back(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", deleted_at=THEN)
    moved = move(home, "devise", "sqlite:///rails.db")
    assert (moved.codes("1"), moved.exit_code, people(home)) == ({"deleted"}, 1, {})


def test_who_has_no_password_has_none_afterwards(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", encrypted_password="")
    moved = move(home, "devise", "sqlite:///rails.db")
    assert (moved.codes("1"), moved.exit_code) == ({"no_password"}, 0)
    assert people(home)["ada@example.com"].password_hash is None


def test_an_application_that_reads_no_bcrypt_is_told_so_before_anything_is_written(
    folder: Path, source: sqlite3.Connection
) -> None:
    home = new_home(folder, more="", passwords="Passwords(memory=64, time=1)")
    person(source, "ada")
    error = home.refusal("import", "devise", "--from", "sqlite:///rails.db")
    assert error["code"] == "needs_setting"
    assert "Passwords(foreign=[BcryptHashes()])" in error["messages"][0]
    assert people(home) == {}
    again = new_home(folder, more=BCRYPT)
    move(again, "devise", "sqlite:///rails.db")
    upgraded(again, "ada@example.com")


def test_devise_s_columns_are_an_identity(folder: Path) -> None:
    home = with_providers(folder)
    with closing(database_of("devise.sql", home.folder / "rails.db")) as source:
        for name, provider in (("ada", "github"), ("grace", "azure_activedirectory_v2")):
            values = {"encrypted_password": "", "created_at": THEN, "updated_at": THEN, "uid": f"1-{name}"}
            insert(source, "users", email=f"{name}@example.com", provider=provider, **values)
    args = (*GITHUB, "--provider", "azure_activedirectory_v2=entra")
    moved = move(home, "devise", "sqlite:///rails.db", *args)
    assert rows(home) == {("https://github.com", "1-ada"): ("github", "ada@example.com")}
    assert "another number" in moved.says("identities")[0]
