"""The commands of the guides, run as they are printed, from the databases of the systems that they are about."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import bcrypt
import pytest

from tests.cli.importing.test_import_flask_security import FAMILY, MORE
from tests.cli.importing.world import database_of, insert, new_home, people, run_maker
from tests.cli.shop import PASSWORD, Shop
from tests.docs.pages import DOCS, blocks

HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
THEN = "2020-01-02 03:04:05"


def phoenix(schema: str) -> Callable[[Path], object]:
    def make(file: Path) -> None:
        with closing(database_of(schema, file)) as source:
            values = {"password_hash": HASH, "inserted_at": THEN, "updated_at": THEN}
            insert(source, "users", email="ada@example.com", **values)

    return make


def rails(file: Path) -> None:
    with closing(database_of("devise.sql", file)) as source:
        values = {"encrypted_password": HASH, "created_at": THEN, "updated_at": THEN}
        insert(source, "users", email="ada@example.com", **values)


def fastapi_users(file: Path) -> None:
    database_of("fastapi_users.sql", file).close()


SYSTEMS: dict[str, Callable[[Path], object]] = {
    "coherence": phoenix("coherence.sql"),
    "devise": rails,
    "pow": phoenix("pow.sql"),
    "django": lambda file: run_maker("django_site.py", file),
    "fastapi-users": fastapi_users,
    "flask-security": lambda file: run_maker("flask_site.py", file, "argon2"),
}


def test_every_guide_to_a_system_is_tried() -> None:
    assert {page.stem for page in DOCS.glob("guides/move-from-*.md")} == {f"move-from-{name}" for name in SYSTEMS}


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_commands_of_a_guide_move_people_in(folder: Path, name: str) -> None:
    SYSTEMS[name](folder / "old.db")
    home = new_home(folder, more=MORE, passwords=f"Passwords(memory=64, time=1, foreign=[{FAMILY}, BcryptHashes()])")
    (folder / f"{home.module}.py").rename(folder / "shop.py")
    shop = Shop(folder, "shop")
    (block,) = blocks(DOCS / f"guides/move-from-{name}.md", "sh")
    dry, real = block.text.strip().splitlines()
    assert "--dry-run" in dry
    assert run(folder, dry) in {0, 1}
    assert people(shop) == {}
    assert (folder / "left-behind.csv").exists()
    assert run(folder, real) in {0, 1}
    email = "argon2@example.com" if name in {"django", "fastapi-users"} else "ada@example.com"
    shop.sign_in(email)


def run(folder: Path, command: str) -> int:
    environment = {
        **os.environ,
        "OLD_DATABASE": f"sqlite:///{folder}/old.db",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=environment, check=False, timeout=60)
    return done.returncode
