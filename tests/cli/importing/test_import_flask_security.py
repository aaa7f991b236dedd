"""Flask-Security 5: tables by its own models, people and hashes by its own API."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from powauth import InvalidCredentials
from tests.cli.importing.makers.flask_site import ACCENTED, SALT
from tests.cli.importing.world import Moved, move, new_home, people, run_maker, upgraded
from tests.cli.shop import Shop

MORE = "from powauth.bcrypt import BcryptHashes\nfrom powauth.passwords import FlaskSecurityHashes"
FAMILY = f"FlaskSecurityHashes(salt='{SALT}', inner=[BcryptHashes()])"
SITES = {"argon2": ("argon2",), "bcrypt": ("bcrypt",), "pbkdf2": ("pbkdf2_sha512",), "single": ("argon2", "single")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("flask")

    def make(name: str) -> Path:
        file = folder / f"{name}.db"
        return file if file.exists() else run_maker("flask_site.py", file, *SITES[name])

    return make


@pytest.fixture
def home(folder: Path) -> Shop:
    return new_home(folder, more=MORE, passwords=f"Passwords(memory=64, time=1, foreign=[{FAMILY}])")


def moved_from(home: Shop, file: Path, *args: str) -> Moved:
    return move(home, "flask-security", f"sqlite:///{file}", *args)


@pytest.mark.parametrize("name", SITES)
def test_who_moves_from_flask_security_signs_in_and_is_hashed_anew(
    home: Shop, site: Callable[[str], Path], name: str
) -> None:
    moved_from(home, site(name), *(["--single-hash"] if name == "single" else []))
    upgraded(home, "ada@example.com")
    upgraded(home, "accented@example.com", ACCENTED)
    with pytest.raises(InvalidCredentials):
        home.sign_in("unproved@example.com", "four quiet green owl")


def test_another_salt_opens_nothing(folder: Path, site: Callable[[str], Path]) -> None:
    other = FAMILY.replace(SALT, SALT[::-1])
    home = new_home(folder, more=MORE, passwords=f"Passwords(memory=64, time=1, foreign=[{other}])")
    moved_from(home, site("argon2"))
    with pytest.raises(InvalidCredentials):
        home.sign_in("ada@example.com")


def test_without_the_setting_nothing_is_written(folder: Path, site: Callable[[str], Path]) -> None:
    home = new_home(folder)
    error = home.refusal("import", "flask-security", "--from", f"sqlite:///{site('argon2')}")
    assert "FlaskSecurityHashes(salt=" in error["messages"][0]
    assert people(home) == {}


def test_without_what_reads_bcrypt_no_password_of_bcrypt_is_dropped(folder: Path, site: Callable[[str], Path]) -> None:
    lacking = FAMILY.replace("inner=[BcryptHashes()]", "inner=[]")
    home = new_home(folder, more=MORE, passwords=f"Passwords(memory=64, time=1, foreign=[{lacking}])")
    error = home.refusal("import", "flask-security", "--from", f"sqlite:///{site('bcrypt')}")
    assert "inner=[BcryptHashes()]" in error["messages"][0]
    assert people(home) == {}


def test_a_hash_that_flask_security_made_otherwise_stays_behind(home: Shop) -> None:
    rows = [f"{n},{n}@example.com,{hash},x" for n, hash in enumerate(("$6$salt$hash", "plain", "$2b$31$short"))]
    (home.folder / "user.csv").write_text("\n".join(["id,email,password,fs_uniquifier", *rows]))
    moved = move(home, "flask-security", "user.csv")
    assert [moved.codes(str(n)) for n in range(3)] == [{"unknown_hash"}, {"unknown_hash"}, {"unsound_hash"}]


def test_what_flask_security_knew_besides_is_known_or_said(home: Shop, site: Callable[[str], Path]) -> None:
    moved = moved_from(home, site("argon2"))
    found = people(home)
    assert found["ada@example.com"].is_confirmed
    assert not found["unproved@example.com"].is_confirmed
    assert found["inactive@example.com"].locked_by == "administrator"
    assert found["passwordless@example.com"].password_hash is None
    assert len(moved.says("second_factor")) == len(moved.says("no_password")) == len(moved.says("roles")) == 1
    (line,) = (home.folder / "powauth-set-aside.jsonl").read_text().splitlines()
    assert (json.loads(line)["kind"], json.loads(line)["role"]) == ("role", "editor")
