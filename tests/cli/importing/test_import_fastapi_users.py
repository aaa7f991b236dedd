"""fastapi-users 15: rows that it made itself, by `makers/fastapi-users.txt`."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from powauth import InvalidCredentials
from tests.cli.importing.world import Moved, database_of, move, new_home, people, upgraded
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
