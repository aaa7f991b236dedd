"""Coherence: its installer's migrations, and hashes by the bcrypt of PyCA."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
import pytest

from powauth import InvalidCredentials
from tests.cli.importing.world import database_of, insert, move, new_home, people, upgraded
from tests.cli.shop import PASSWORD, Shop

HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()  # comeonin writes $2b$ as well
LONG = "owls " * 20
THEN = "2019-05-04T03:02:01"


@pytest.fixture
def source(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(database_of("coherence.sql", folder / "phoenix.db")) as database:
        yield database


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


def person(source: sqlite3.Connection, name: str, **more: object) -> None:
    values = {"email": f"{name}@example.com", "password_hash": HASH, "inserted_at": THEN, "updated_at": THEN, **more}
    insert(source, "users", **values)


def test_who_moves_from_coherence_signs_in_and_is_hashed_anew(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", confirmed_at="2019-05-05T00:00:00")
    assert move(home, "coherence", "sqlite:///phoenix.db").exit_code == 0
    ada = people(home)["ada@example.com"]
    assert ada.created_at == datetime(2019, 5, 4, 3, 2, 1, tzinfo=UTC)
    assert ada.confirmed_at == datetime(2019, 5, 5, tzinfo=UTC)
    upgraded(home, "ada@example.com")


def test_a_password_that_bcrypt_cut_off_still_works_once_told_so(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", password_hash=bcrypt.hashpw(LONG.encode()[:72], bcrypt.gensalt(4)).decode())
    move(home, "coherence", "sqlite:///phoenix.db")
    upgraded(home, "ada@example.com", LONG)


def test_an_address_that_coherence_never_proved_is_not_proved_here(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada")
    move(home, "coherence", "sqlite:///phoenix.db")
    assert not people(home)["ada@example.com"].is_confirmed


def test_a_lock_stays_unless_it_has_ended_there(home: Shop, source: sqlite3.Connection) -> None:
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat()
    person(source, "former", locked_at=THEN)
    person(source, "fresh", locked_at=now)
    person(source, "idle", active=0)
    moved = move(home, "coherence", "sqlite:///phoenix.db", "--locks-end-after", "20")
    found = people(home)
    assert [found[f"{name}@example.com"].is_locked for name in ("former", "fresh", "idle")] == [False, True, True]
    assert (moved.codes("1"), moved.codes("2"), moved.codes("3")) == (set(), {"locked"}, {"locked"})
    with pytest.raises(InvalidCredentials):
        home.sign_in("idle@example.com")


def test_without_being_told_that_locks_end_they_stay(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", locked_at=THEN)
    move(home, "coherence", "sqlite:///phoenix.db")
    ada = people(home)["ada@example.com"]
    assert (ada.locked_at, ada.locked_by) == (datetime(2019, 5, 4, 3, 2, 1, tzinfo=UTC), "administrator")


def test_devices_and_invitations_are_said_once_not_to_come_along(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada")
    moved = move(home, "coherence", "sqlite:///phoenix.db")
    assert sorted(says.split()[0] for says in moved.says("not_taken_over")) == ["open", "remembered"]


def test_the_first_versions_called_the_hash_otherwise(home: Shop, source: sqlite3.Connection) -> None:
    source.execute("ALTER TABLE users RENAME COLUMN password_hash TO encrypted_password")
    values = {"email": "ada@example.com", "encrypted_password": HASH, "inserted_at": THEN, "updated_at": THEN}
    insert(source, "users", **values)
    move(home, "coherence", "sqlite:///phoenix.db")
    upgraded(home, "ada@example.com")
