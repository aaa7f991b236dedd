"""fastapi-users 15: rows that it made itself, by `makers/fastapi-users.txt`."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from powauth import InvalidCredentials
from tests.cli.importing.test_import_identities import GITHUB, aside, rows, with_providers
from tests.cli.importing.world import Moved, database_of, insert, move, new_home, people, upgraded
from tests.cli.shop import Shop


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


@pytest.fixture
def moved(home: Shop, folder: Path) -> Moved:
    with closing(database_of("fastapi_users.sql", folder / "users.db")):
        return move(home, "fastapi-users", "sqlite:///users.db")


@pytest.mark.parametrize("hasher", ["argon2", "bcrypt"])
def test_who_moves_from_fastapi_users_signs_in_and_is_hashed_anew(home: Shop, moved: Moved, hasher: str) -> None:
    upgraded(home, f"{hasher}@example.com")


def test_verified_inactive_and_superuser_are_known_afterwards(home: Shop, moved: Moved) -> None:
    found = people(home)
    assert [found[f"{name}@example.com"].is_confirmed for name in ("argon2", "chief", "social")] == [True, False, True]
    with pytest.raises(InvalidCredentials):
        home.sign_in("inactive@example.com")
    assert len(moved.says("locked")) == len(moved.says("roles")) == 1


def test_identities_are_set_aside_without_their_tokens(home: Shop, moved: Moved) -> None:
    text = (home.folder / "powauth-set-aside.jsonl").read_text()
    social = people(home)["social@example.com"]
    found = [json.loads(line) for line in text.splitlines()]
    assert [(line["provider"], line["subject"]) for line in found if line["handle"] == social.handle] == [
        ("github", "583231")
    ]
    assert "secret token" not in text


def test_fastapi_users_identities_come_along_and_google_s_as_google_says_them(folder: Path) -> None:
    home = with_providers(folder)
    with closing(database_of("fastapi_users.sql", home.folder / "users.db")) as database:
        database.isolation_level = None
        (user,) = database.execute("SELECT id FROM user WHERE email = 'argon2@example.com'").fetchone()
        more = {"user_id": user, "access_token": "secret token", "account_email": "x"}
        for id, provider, subject in (
            ("a1", "google", "people/110"),
            ("a2", "google", "people/c9"),
            ("a3", "microsoft", "1"),
        ):
            insert(database, "oauth_account", id=id, oauth_name=provider, account_id=subject, **more)
    args = (*GITHUB, "--provider", "google=google", "--provider", "microsoft=entra")
    move(home, "fastapi-users", "sqlite:///users.db", *args)
    assert rows(home) == {
        ("https://github.com", "583231"): ("github", "social@example.com"),
        ("https://accounts.google.com", "110"): ("google", "argon2@example.com"),
    }
    assert sorted(aside(home)) == [("google", "people/c9"), ("microsoft", "1")]
