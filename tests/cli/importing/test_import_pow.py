"""Pow: the columns of its migrations, and hashes by OpenSSL's PBKDF2 in the text that Pow writes."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.importing.world import database_of, insert, move, new_home, people, upgraded
from tests.cli.shop import PASSWORD, Shop

THEN = "2022-05-04T03:02:01"


def hashed(password: str, iterations: int = 100_000) -> str:
    """Return a hash as Pow writes it: 16 bytes of salt, 64 of PBKDF2 with SHA-512, in padded base64."""
    salt = bytes(range(16))
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, 64)
    return f"$pbkdf2-sha512${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


@pytest.fixture
def source(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(database_of("pow.sql", folder / "phoenix.db")) as database:
        yield database


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder)


def person(source: sqlite3.Connection, name: str, **more: object) -> None:
    values = {"email": f"{name}@example.com", "password_hash": hashed(PASSWORD), "inserted_at": THEN}
    insert(source, "users", **{**values, "updated_at": THEN, **more})


def test_who_moves_from_pow_signs_in_and_is_hashed_anew(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", email_confirmation_token="t", email_confirmed_at=THEN)
    assert move(home, "pow", "sqlite:///phoenix.db").exit_code == 0
    assert people(home)["ada@example.com"].confirmed_at == datetime(2022, 5, 4, 3, 2, 1, tzinfo=UTC)
    upgraded(home, "ada@example.com")


def test_pow_s_hashes_need_no_setting(folder: Path, source: sqlite3.Connection) -> None:
    home = new_home(folder, more="", passwords="Passwords(memory=64, time=1)")
    person(source, "ada")
    assert move(home, "pow", "sqlite:///phoenix.db").exit_code == 0
    upgraded(home, "ada@example.com")


def test_an_open_invitation_is_no_account(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada")
    person(source, "guest", invitation_token="t", password_hash=None, invited_by_id=1)
    person(source, "came", invitation_token="u", invitation_accepted_at=THEN, invited_by_id=1)
    moved = move(home, "pow", "sqlite:///phoenix.db")
    assert moved.codes("2") == {"invitation"}
    assert sorted(people(home)) == ["ada@example.com", "came@example.com"]


def test_identities_of_powassent_are_set_aside(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", unconfirmed_email="new@example.com", email_confirmation_token="t", email_confirmed_at=THEN)
    for provider, uid in (("google", "1"), ("github", "2")):
        insert(source, "user_identities", provider=provider, uid=uid, user_id=1, inserted_at=THEN, updated_at=THEN)
    moved = move(home, "pow", "sqlite:///phoenix.db")
    assert moved.codes("1") == {"identities", "addresses"}
    lines = [json.loads(line) for line in (home.folder / "powauth-set-aside.jsonl").read_text().splitlines()]
    assert [(line.get("provider"), line.get("subject")) for line in lines][:2] == [("google", "1"), ("github", "2")]
    assert {line["handle"] for line in lines} == {people(home)["ada@example.com"].handle}


def test_a_crafted_hash_that_would_cost_minutes_is_not_taken_over(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", password_hash=hashed(PASSWORD, 1).replace("$1$", "$900000000$"))
    moved = move(home, "pow", "sqlite:///phoenix.db")
    assert (moved.codes("1"), moved.exit_code) == ({"unsound_hash"}, 1)
    assert people(home)["ada@example.com"].password_hash is None


def test_who_was_locked_by_the_guide_s_column_stays_locked(home: Shop, source: sqlite3.Connection) -> None:
    person(source, "ada", locked_at=THEN)
    move(home, "pow", "sqlite:///phoenix.db")
    assert people(home)["ada@example.com"].is_locked
